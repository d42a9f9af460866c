package session_test

import (
	"crypto/sha1"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// gossip keeps what was heard.
type gossip struct {
	mu    sync.Mutex
	heard []string
	told  chan struct{} // has a value for each; nil where nobody waits
}

func (g *gossip) Peers(torrent events.TorrentNumber, from events.Scope, peers events.PeerList) {
	for a := range peers.All() {
		g.add(fmt.Sprint("peer ", torrent, " ", from, " ", a))
	}
}

func (g *gossip) Trackers(torrent events.TorrentNumber, from events.Scope, urls []string) {
	for _, u := range urls {
		g.add(fmt.Sprint("tracker ", torrent, " ", from, " ", u))
	}
}

func (g *gossip) add(line string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = append(g.heard, line)
	if g.told != nil {
		g.told <- struct{}{}
	}
}

const onePeer = "d5:added6:\xc0\x00\x02\x01\x1a\xe17:added.f1:\x01e"

// What peers say of others is recorded and handed on.
func TestExchange(t *testing.T) {
	var heard gossip
	s := serve(t, func(p peer) {
		p.shake(modern)
		p.write(extended(1, "d5:added6:\xc0\x00\x02\x01\x1a\xe17:added.f1:\x036:added618:\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1a\xe17:dropped6:\xc0\x00\x02\x02\x1a\xe1e"))
		p.write(extended(4, "d5:addedl25:http://192.0.2.1/announceee"))
	})
	s.Hearsay = &heard
	s.run(t.Context())
	s.expect(t, `
		PeersExchanged session=1 added=[192.0.2.1:6881 [2001:db8::1]:6881] flags=03 dropped=[192.0.2.2:6881]
		TrackersExchanged torrent=1 session=1 trackers=[http://192.0.2.1/announce]
		SessionClosed session=1 by=peer reason=closed-by-peer`)
	want := []string{"peer 1 loopback 192.0.2.1:6881", "peer 1 loopback [2001:db8::1]:6881", "tracker 1 loopback http://192.0.2.1/announce"}
	if !slices.Equal(heard.heard, want) {
		t.Errorf("heard %q, want %q", heard.heard, want)
	}
}

// Exchanges that are no such message, too large, or of a private torrent (BEP 27) are recorded by kind and length, and nobody hears of them.
func TestExchangeThatIsNotTaken(t *testing.T) {
	other := func(extension uint8, payload string) string {
		return fmt.Sprintf("MessageReceived session=1 message=extended extension=%d length=%d\n", extension, len(payload)+2)
	}
	huge := "d5:added18000:" + strings.Repeat("\xc0\x00\x02\x01\x1a\xe1", 3000) + "e"
	cases := []struct {
		name      string
		extension uint8
		payload   string
		private   bool
		want      string
	}{
		{"peers of odd length", 1, "d5:added7:1234567e", false, other(1, "d5:added7:1234567e")},
		{"peers that are nonsense", 1, "nonsense", false, other(1, "nonsense")},
		{"peers of a private torrent", 1, onePeer, true, other(1, onePeer)},
		{"peers beyond what is taken in", 1, huge, false, "LimitReached session=1 torrent=1 limit=exchanged-peers value=3002 bound=100\n" + other(1, huge)},
		{"a length that is a lie", 1, "d5:added2147483647:xe", false, other(1, "d5:added2147483647:xe")},
		{"trackers that are no list", 4, "d5:addedi1ee", false, other(4, "d5:addedi1ee")},
		{"trackers of a private torrent", 4, "d5:addedl1:aee", true, other(4, "d5:addedl1:aee")},
		{"a URL that is too long", 4, "d5:addedl3000:" + strings.Repeat("a", 3000) + "ee", false, other(4, strings.Repeat("a", 3016))},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var heard gossip
			s := serve(t, func(p peer) { p.shake(modern); p.write(extended(c.extension, c.payload)) })
			s.Hearsay, s.contact.Torrent.Private = &heard, c.private
			s.run(t.Context())
			s.expect(t, c.want+"SessionClosed session=1 by=peer reason=closed-by-peer")
			if len(heard.heard) > 0 {
				t.Errorf("heard %q", heard.heard)
			}
		})
	}
}

// A torrent may turn out to be private when its metadata comes: from that message on nothing is exchanged any more, in this session and in
// those that run beside it.
func TestExchangeUntilTheTorrentIsPrivate(t *testing.T) {
	metadata := session.NewMetadata(session.MetadataOptions{
		InfoHash: sha1.Sum([]byte("metadata")), MaxSize: 1 << 10, Pool: session.NewMetadataPool(1 << 10),
		Take: func([]byte, events.SessionNumber) (session.Torrent, error) {
			return session.Torrent{Number: 1, InfoHash: infoHash, Pieces: 16, Complete: 15, Private: true}, nil
		},
	})
	magnet := session.Torrent{Number: 1, InfoHash: infoHash, Metadata: metadata}
	exchanged, refused := extended(1, onePeer), "MessageReceived session=1 message=extended extension=1 length="+fmt.Sprint(len(onePeer)+2)
	private := make(chan struct{})
	var first, second gossip
	first.told = make(chan struct{}, 2)
	beside := serve(t, func(p peer) {
		p.shake(modern)
		p.write(exchanged)
		<-private
		p.write(exchanged)
	})
	giving := serve(t, func(p peer) {
		p.shake(modern)
		p.write(exchanged, extended(0, "d1:md11:ut_metadatai7ee13:metadata_sizei8ee"))
		for m := p.message(); len(m) < 2 || m[0] != byte(events.Extended) || m[1] != 7; m = p.message() {
		}
		p.write(append(extended(wire.MetadataID, "d8:msg_typei1e5:piecei0e10:total_sizei8eemetadata"), exchanged...)) // in one packet
	})
	beside.Hearsay, beside.contact.Torrent = &first, magnet
	giving.Hearsay, giving.contact.Torrent = &second, magnet
	done := make(chan struct{})
	go func() { defer close(done); beside.run(t.Context()) }()
	<-first.told
	giving.run(t.Context())
	close(private)
	<-done
	for name, s := range map[string]*served{"the session that got the metadata": giving, "the session beside it": beside} {
		if facts := s.facts(); strings.Count(facts, "PeersExchanged") != 1 || strings.Count(facts, refused) != 1 {
			t.Errorf("%s recorded\n%s\nwant one exchange, and one that is none any more", name, facts)
		}
	}
	if len(first.heard) != 1 || len(second.heard) != 1 {
		t.Errorf("heard %q and %q, want one peer of each session", first.heard, second.heard)
	}
}

// Of many peers the first 100 of each list are taken, and that there were more is recorded once.
func TestManyExchangedPeers(t *testing.T) {
	var heard gossip
	many := "d5:added1200:" + strings.Repeat("\xc0\x00\x02\x01\x1a\xe1", 200) + "e"
	s := serve(t, func(p peer) { p.shake(modern); p.write(extended(1, many), extended(1, many)) })
	s.Hearsay = &heard
	s.run(t.Context())
	if len(heard.heard) != 200 {
		t.Errorf("heard of %d peers in two messages, want 200", len(heard.heard))
	}
	if limits := strings.Count(s.facts(), "LimitReached session=1 torrent=1 limit=exchanged-peers value=200 bound=100"); limits != 1 {
		t.Errorf("%d limits, want 1:\n%s", limits, s.facts())
	}
}

// A message of a million peers is not read: its length says enough.
func TestAMillionExchangedPeers(t *testing.T) {
	million := extended(1, "d5:added6000000:"+strings.Repeat("\xc0\x00\x02\x01\x1a\xe1", 1_000_000)+"e")
	var heard gossip
	s := serve(t, func(p peer) { p.shake(modern); p.Write(million) }) // which fails when we hang up
	s.Hearsay = &heard
	before := allocated()
	s.run(t.Context())
	s.expect(t, `
		LimitReached session=1 torrent=1 limit=frame-length value=6000019 bound=65536
		SessionClosed session=1 by=us reason=limit-exceeded`)
	if took := allocated() - before; took > 1<<20 || len(heard.heard) > 0 {
		t.Errorf("heard of %d peers; %d bytes were allocated", len(heard.heard), took)
	}
}

// allocated is how much this process has ever allocated, in bytes.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Whoever takes exchanges hears of nobody from us, however long it lasts.
func TestNothingOfOursIsExchanged(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(modern)
		sc.send(extended(0, "d1:md6:lt_texi3e6:ut_pexi2eee"), frame(events.Bitfield, 0xf0, 0), extended(1, onePeer))
		for minute := 1; minute <= 10; minute++ {
			sc.at(time.Duration(minute) * time.Minute)
			sc.send(have(uint32(minute)))
		}
	})
	if sc.count(events.KindPeersExchanged) != 1 || len(sc.sent(events.KeepAlive)) == 0 {
		t.Fatalf("recorded\n%s", sc.facts())
	}
	wantSeconds(t, sc.sent(events.Extended), nil)
}

// Two messages are taken at once and one a minute from then on.
func TestRateOfExchanges(t *testing.T) {
	var heard gossip
	sc := play(t, func(s *served) { s.Hearsay = &heard }, func(sc *scene) {
		sc.open(modern)
		sc.send(extended(1, onePeer), extended(1, onePeer), extended(1, onePeer))
		for minute := 1; minute <= 3; minute++ {
			sc.at(time.Duration(minute) * time.Minute)
			sc.send(extended(1, onePeer), extended(1, onePeer))
		}
	})
	if got := sc.count(events.KindPeersExchanged); got != 5 || len(heard.heard) != 5 {
		t.Errorf("%d messages were taken, of %d peers, want 5", got, len(heard.heard))
	}
	if got := sc.count(events.KindMessageReceived); got != 4 {
		t.Errorf("%d messages were recorded by kind, want 4", got)
	}
	if limits := strings.Count(sc.facts(), "limit=exchange-rate"); limits != 1 {
		t.Errorf("%d limits, want 1", limits)
	}
}
