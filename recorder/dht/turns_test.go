package dht

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"btda/events"
)

// However much is asked at once, no node gets more than a node of libtorrent takes before it turns a deaf ear: 50 datagrams in 10 s.
func TestOneNodeIsAskedSlowly(t *testing.T) {
	const most, span = 50, 10 * time.Second
	turns, began := newTurns(), time.Now()
	busy, calm := netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("192.0.2.1:6882")
	var sent []time.Time
	for n := range 500 {
		now := began.Add(time.Duration(n) * 20 * time.Millisecond)
		sent = append(sent, now.Add(turns.take(busy, 1+n%2, now))) // every other one is sent twice
		if n%2 == 1 {
			sent = append(sent, sent[len(sent)-1])
		}
		if n%50 == 0 && turns.take(calm, 1, now) > 0 {
			t.Error("another node is held back as well")
		}
	}
	slices.SortFunc(sent, time.Time.Compare)
	for i := range len(sent) - most {
		if took := sent[i+most].Sub(sent[i]); took < span {
			t.Fatalf("%d datagrams within %v", most+1, took)
		}
	}
	if took := sent[len(sent)-1].Sub(began); took > 200*time.Second {
		t.Errorf("750 took %v, want at most 200 s", took)
	}
}

func TestNodesThatHaveRestedAreForgotten(t *testing.T) {
	turns, now := newTurns(), time.Now()
	for n := range 10 * maxTurns {
		turns.take(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)}), uint16(1+n>>16)), 1, now)
		now = now.Add(nodeInterval)
	}
	if len(turns.rest) > maxTurns {
		t.Errorf("%d nodes are remembered, want at most %d", len(turns.rest), maxTurns)
	}
}

// Lookups of many torrents in a DHT of one node keep to what that node takes.
func TestLookupsSpareANode(t *testing.T) {
	var mu sync.Mutex
	queries := 0
	l := startLiar(t, "127.0.0.2", func(m message) []string {
		mu.Lock()
		defer mu.Unlock()
		if m.method == "get_peers" { // the library has some of its own
			queries++
		}
		return []string{response(m, testID, tokenAnswer)}
	})
	began := time.Now()
	n := startNode(t, "127.0.0.1", beginWith(l.address.String()), func(c *Config) {
		c.Rate = 1000
		c.Torrent = func(events.InfoHash) events.TorrentNumber { return 7 }
	})
	n.awaitJoin(t)
	var lookups sync.WaitGroup
	for i := range 8 {
		r := Request{Torrent: 7, InfoHash: events.InfoHash([]byte(fmt.Sprintf("%020d", i)))}
		lookups.Go(func() {
			if err := n.Lookup(patiently(t), r); err != nil {
				t.Error(err)
			}
		})
	}
	lookups.Wait()
	mu.Lock()
	defer mu.Unlock()
	if least := time.Duration(queries-nodeBurst) * nodeInterval; queries < 2*nodeBurst || time.Since(began) < least {
		t.Errorf("%d queries within %v, want %d within at least %v", queries, time.Since(began), 2*nodeBurst, least)
	}
}
