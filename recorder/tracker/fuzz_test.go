package tracker

import (
	"bytes"
	"slices"
	"testing"

	"btda/events"
)

// Whatever a tracker answers is parsed within the bounds, or is an error with a reason; nothing panics.
func FuzzParseAnnounce(f *testing.F) {
	f.Add([]byte("d8:completei3e8:intervali60e5:peers6:\x01\x02\x03\x04\x00\x05e"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := parseAnnounce(body)
		if err != nil {
			if a.peers.present || a.interval.Known {
				t.Errorf("an error and an answer: %+v", a)
			}
			return
		}
		if n := a.peers.list.Len(); n > maxPeers || uint64(n) > a.peers.named {
			t.Errorf("%d peers, of %d named", n, a.peers.named)
		}
		if len(a.peers.list.V4)%events.CompactSize4 != 0 || len(a.peers.list.V6)%events.CompactSize6 != 0 {
			t.Errorf("a cut entry: %v", a.peers.list)
		}
		if len(a.warning) > maxText || len(a.failure) > maxText || len(a.trackerID) > maxText || len(a.externalIP) > 16 {
			t.Errorf("a text without bound: %+v", a)
		}
	})
}

// A scrape gives counts of the torrent asked for, or an error with a reason.
func FuzzParseScrape(f *testing.F) {
	f.Add([]byte("d5:filesd20:" + string(testHash[:]) + "d8:completei5eeee"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := parseScrape(body, testHash)
		known := a.seeders.Known || a.completed.Known || a.leechers.Known
		if known != (err == nil) {
			t.Errorf("%+v beside the error %v", a, err)
		}
		if len(a.failure) > maxText || a.wait < 0 {
			t.Errorf("%+v", a)
		}
	})
}

// Whatever a UDP tracker sends is taken within the bounds by the transaction that it names, or is an error with a reason.
func FuzzParseUDPAnswer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x07\x08\x00\x00\x00\x04\x00\x00\x00\x03\x7f\x00\x00\x01\x1a\xe1"), true)
	f.Fuzz(func(t *testing.T, packet []byte, six bool) {
		a, err := parseUDPAnswer(packet)
		if (err != nil) != (len(packet) < headSize) {
			t.Fatalf("%d bytes: %v", len(packet), err)
		}
		if err != nil {
			return
		}
		family := IPv4
		if six {
			family = IPv6
		}
		checkUDPAnnounce(t, a.body, family)
		if s, named, err := parseUDPScrape(a.body); named != (err == nil && len(a.body) > 0) || s.downloaders.Known {
			t.Errorf("%+v, %v, %v", s, named, err)
		}
		if _, err := parseConnection(a.body); (err != nil) != (len(a.body) < connectionSize) {
			t.Errorf("connection id of %d bytes: %v", len(a.body), err)
		}
		if text := parseUDPError(a.body); len(text) > maxText || !bytes.HasPrefix(a.body, []byte(text)) {
			t.Errorf("text %q of %q", text, a.body)
		}
	})
}

// checkUDPAnnounce holds every byte of the peers against what was made of it.
func checkUDPAnnounce(t *testing.T, body []byte, family Family) {
	a, err := parseUDPAnnounce(body, family.entrySize())
	if (err != nil) != (len(body) < announcedSize) {
		t.Fatalf("%d bytes: %v", len(body), err)
	}
	if err != nil {
		return
	}
	entries := body[announcedSize:]
	whole := len(entries) / family.entrySize()
	if a.peers.named != uint64(whole) || a.peers.list.Len() != min(whole, maxPeers) || (a.peers.invalid == 1) != (len(entries) > whole*family.entrySize()) {
		t.Errorf("%d peers of %d, %d invalid, in %d bytes", a.peers.list.Len(), a.peers.named, a.peers.invalid, len(entries))
	}
	kept := entries[:min(whole, maxPeers)*family.entrySize()]
	if family == IPv4 && !bytes.Equal(a.peers.list.V4, kept) {
		t.Errorf("peers %x, want %x", a.peers.list.V4, kept)
	}
	for _, n := range []events.Optional{a.interval, a.seeders, a.leechers} {
		if n.Value > 1<<31-1 || !n.Known && n.Value != 0 {
			t.Errorf("number %+v", n)
		}
	}
}

// Whatever comes to a socket, from wherever: nothing panics, what was not used is counted, and the answer that follows is taken.
func FuzzLine(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x02"), true)
	f.Fuzz(func(t *testing.T, packet []byte, stranger bool) {
		l := &line{remote: address("127.0.0.1:1").AddrPort, waiting: make(map[transactionID]*transaction)}
		var interval events.Optional
		question := &transaction{action: actionAnnounce, take: func(body []byte) error {
			a, err := parseUDPAnnounce(body, events.CompactSize4)
			interval = a.interval
			return err
		}}
		question.id, question.answered = 2, make(chan struct{})
		l.waiting[question.id] = question
		from := l.remote
		if stranger {
			from = address("127.0.0.2:1").AddrPort
		}
		l.receive(letter{from: from, at: 1, packet: packet})
		used := question.err != nil || interval.Known || len(packet) >= headSize+announcedSize && len(l.strays) == 0
		if used == (len(l.strays) == 1) || stranger && used {
			t.Fatalf("used %v, strays %+v", used, l.strays)
		}
		l.receive(letter{from: l.remote, at: 2, packet: slices.Concat(raw32(1, 2), raw32(5, 6, 7))})
		select {
		case <-question.answered:
		default:
			t.Errorf("not answered after %x", packet)
		}
	})
}

// A request is as long as it must be, and its URL data can be put together again.
func FuzzURLData(f *testing.F) {
	f.Add("/announce?passkey=1")
	f.Fuzz(func(t *testing.T, data string) {
		b := appendURLData(nil, data)
		var together []byte
		for len(b) > 0 {
			if b[0] != optionURLData || len(b) < 2 || len(b) < 2+int(b[1]) || b[1] == 0 {
				t.Fatalf("options %x", b)
			}
			together = append(together, b[2:2+int(b[1])]...)
			b = b[2+int(b[1]):]
		}
		if string(together) != data {
			t.Errorf("%q, want %q", together, data)
		}
	})
}
