package session_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"btda/events"
)

// gossip keeps what was heard.
type gossip struct {
	mu    sync.Mutex
	heard []string
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
