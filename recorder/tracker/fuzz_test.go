package tracker

import (
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
