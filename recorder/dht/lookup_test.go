package dht

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

func TestLookupFindsWhatIsAnnounced(t *testing.T) {
	for name, at := range map[string]struct{ others, ours string }{"IPv4": {"127.0.21.1", "127.0.0.1"}, "IPv6": {"::1", "::1"}} {
		t.Run(name, func(t *testing.T) {
			d := startDHT(t, 50, at.others)
			announced := announceAll(t, d, 30)
			var mu sync.Mutex
			offered := make(map[netip.AddrPort]bool)
			n := startNode(t, at.ours, beginWith(d.Bootstrap()), func(c *Config) {
				c.Offer = func(named Named) {
					mu.Lock()
					defer mu.Unlock()
					for a := range named.Peers.All() {
						offered[a.AddrPort] = named.Torrent == 7 && named.From == events.ScopeLoopback
					}
				}
			})
			end := n.lookUp(t, testRequest)
			if named := peersNamed(n.log); !maps.Equal(named, announced) {
				t.Errorf("named are %d peers, announced %d", len(named), len(announced))
			}
			if !maps.Equal(offered, announced) {
				t.Errorf("offered are %v, announced %d", offered, len(announced))
			}
			looked := eventsOf[*events.DHTLookedUp](n.log)
			if end.Torrent != 7 || end.Lookup != 1 || end.IPv6 != (name == "IPv6") || int(end.Answered) != len(looked) || end.Asked != end.Answered+end.Failed ||
				int(end.DistinctPeers) != len(announced) || end.Announced != 0 || end.Duration <= 0 || end.Reason != 0 {
				t.Errorf("of %d answers and %d peers: %s", len(looked), len(announced), eventstest.FormatEvent(end))
			}
			for _, e := range looked {
				if !e.Node.IsValid() || e.NodeID == (events.NodeID{}) || e.Duration <= 0 || e.InvalidPeers != 0 {
					t.Errorf("an answer without its circumstances: %s", eventstest.FormatEvent(e))
				}
			}
		})
	}
}

func TestLookupAnnouncesThePort(t *testing.T) {
	d := startDHT(t, 20, "127.0.21.1")
	n := startNode(t, "127.0.0.1", beginWith(d.Bootstrap()))
	end := n.lookUp(t, Request{Torrent: 7, InfoHash: testInfoHash, Port: 6884})
	if want := min(end.Answered, announcedTo); want == 0 || end.Announced != want { // how many are met depends on the ids, which are random
		t.Errorf("%d of %d nodes that answered took the announce, want %d", end.Announced, end.Answered, want)
	}
	ours := netip.MustParseAddrPort("127.0.0.1:6884")
	if stored := d.Stored(testInfoHash); len(stored) != 1 || !stored[ours] {
		t.Errorf("the DHT keeps %v, want %v", stored, ours)
	}
}

// Filters are asked for apart from peers, of who named some; what is no filter is no fact.
func TestScrape(t *testing.T) {
	seeds, peers := strings.Repeat("\x01", filterSize), strings.Repeat("\x02", filterSize)
	var lookups atomic.Int32
	l := startLiar(t, "127.0.0.2", func(m message) []string {
		if m.method != "get_peers" {
			return []string{response(m, testID, "")}
		}
		lookups.Add(1)
		filters := "4:BFpe256:" + peers + "4:BFsd256:" + seeds
		return []string{strings.Replace(response(m, testID, "5:token1:t6:valuesl6:\x05\x06\x07\x08\x1a\xe1e"), "d2:id", "d"+filters+"2:id", 1)}
	})
	n := startNode(t, "127.0.0.1", beginWith(l.address.String()))
	n.lookUp(t, testRequest)
	scraped := eventsOf[*events.DHTScraped](n.log)
	if len(scraped) != 1 || string(scraped[0].Seeds) != seeds || string(scraped[0].Peers) != peers || scraped[0].Node.AddrPort != l.address || scraped[0].Lookup != 1 {
		t.Fatalf("%s", eventstest.Format(n.log.Records()))
	}
	n.stop()
	if got := lookups.Load(); got != 2 {
		t.Errorf("%d get_peers, want one for peers and one for filters", got)
	}
}

// A torrent that turns out to be private during a lookup (BEP 27) is asked for no more: no node beyond those that were asked, no filter,
// no announce; and the peers that were named are not offered.
func TestALookupEndsWhenTheTorrentTurnsOutPrivate(t *testing.T) {
	var private atomic.Bool
	unasked := startLiar(t, "127.0.0.3", func(m message) []string { return []string{response(m, testID, tokenAnswer)} })
	l := startLiar(t, "127.0.0.2", func(m message) []string {
		if m.method != "get_peers" {
			return []string{response(m, testID, "")}
		}
		private.Store(true)
		node := nodeOf(strings.Repeat("n", idSize), unasked.address)
		return []string{response(m, testID, "5:nodes26:"+node+tokenAnswer+"6:valuesl6:\x05\x06\x07\x08\x1a\xe1e")}
	})
	n := startNode(t, "127.0.0.1", beginWith(l.address.String()), func(c *Config) {
		torrent := c.Torrent
		c.Torrent = func(h events.InfoHash) events.TorrentNumber {
			if private.Load() {
				return 0
			}
			return torrent(h)
		}
		c.Offer = func(named Named) { t.Errorf("offered %+v", named) }
	})
	end := n.lookUp(t, Request{Torrent: 7, InfoHash: testInfoHash, Port: 6884})
	n.stop()
	asked := make(map[string]int)
	for _, peer := range []*liar{l, unasked} {
		for len(peer.heard) > 0 {
			asked[(<-peer.heard).method]++
		}
	}
	if asked["get_peers"] != 1 || asked["announce_peer"] != 0 || end.Announced != 0 || end.Asked != 1 {
		t.Errorf("asked %v\n%s", asked, eventstest.Format(n.log.Records()))
	}
}

// What others announce is a fact when it is of our torrent and they had a token of ours, and it is an offer.
func TestAnnouncesOfOthersAreFacts(t *testing.T) {
	offered := make(chan Named, 10)
	n := startNode(t, "127.0.0.1", func(c *Config) { c.Offer = func(named Named) { offered <- named } })
	l := startLiar(t, "127.0.0.2", func(message) []string { return nil })
	token := tokenFrom(t, l, n.address)
	announce := func(hash, token, more string) {
		sendQuery(t, l, n.address, "announce_peer", fmt.Sprintf("%s9:info_hash20:%s4:porti7001e%s5:token%d:%s", "", hash, "", len(token), token), more)
	}
	announce(testHash, "forged", "")
	announce("another info hash...", token, "")
	announce(testHash, token, "")
	got := <-offered
	if want := "127.0.0.2:7001"; got.Torrent != 7 || got.Peers.Len() != 1 || got.Peers.At(0).String() != want || got.From != events.ScopeLoopback {
		t.Errorf("offered %+v, want %s", got, want)
	}
	facts := eventsOf[*events.DHTPeerAnnounced](n.log)
	if len(facts) != 1 || facts[0].Torrent != 7 || facts[0].Port != 7001 || facts[0].NodeID != events.NodeID([]byte(testID)) || facts[0].Node.AddrPort != l.address {
		t.Fatalf("%s", eventstest.Format(n.log.Records()))
	}
}

// tokenFrom asks a node for the token with which to announce to it.
func tokenFrom(t *testing.T, l *liar, node netip.AddrPort) string {
	t.Helper()
	sendQuery(t, l, node, "get_peers", "9:info_hash20:"+testHash, "")
	for m := range l.heard {
		if m.kind == responseKind {
			return string(m.answer.token)
		}
	}
	return ""
}

func sendQuery(t *testing.T, l *liar, to netip.AddrPort, method, arguments, more string) {
	t.Helper()
	q := fmt.Sprintf("d1:ad2:id20:%s%se1:q%d:%s%s1:t2:xx1:y1:qe", testID, arguments, len(method), method, more)
	if _, err := l.WriteTo([]byte(q), udpAddress(to)); err != nil {
		t.Fatal(err)
	}
}

// More announces than are recorded are one fact.
func TestAFloodOfAnnouncesIsBounded(t *testing.T) {
	n := NewNode(testConfig(newDeafSocket()))
	from := address("127.0.0.2:6881")
	for port := range 2 * announceRate {
		m := message{kind: queryKind, method: "announce_peer", id: []byte(testID), question: arguments{infoHash: []byte(testHash), port: int64(port + 1)}}
		n.visits.note(&m, from)
		n.visits.AddPeer([20]byte(testInfoHash), krpcAddress(netip.AddrPortFrom(from.Addr(), uint16(port+1))))
	}
	log := n.config.Log.(*eventstest.Log)
	recorded, limits := eventsOf[*events.DHTPeerAnnounced](log), eventsOf[*events.LimitReached](log)
	if len(recorded) == 0 || len(recorded) >= announceRate || len(limits) != 1 || limits[0].Limit != events.LimitDHTAnnounces || limits[0].Torrent != 7 {
		t.Errorf("%d announces of %d and %d limits", len(recorded), 2*announceRate, len(limits))
	}
}

// A read-only node says so and answers nobody (BEP 43).
func TestReadOnly(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprint(readOnly), func(t *testing.T) {
			l := startLiar(t, "127.0.0.2", func(m message) []string {
				if m.kind != queryKind {
					return nil
				}
				return []string{response(m, testID, ""), fmt.Sprintf("d1:ad2:id20:%se1:q4:ping1:t2:xx1:y1:qe", testID)}
			})
			n := startNode(t, "127.0.0.1", beginWith(l.address.String()), func(c *Config) { c.ReadOnly = readOnly })
			n.lookUp(t, testRequest)
			n.stop()
			answered := false
			for len(l.heard) > 0 {
				m := <-l.heard
				answered = answered || m.kind == responseKind
				if m.kind == queryKind && m.readOnly != readOnly {
					t.Errorf("%s says %v", m.method, m.readOnly)
				}
			}
			if answered == readOnly {
				t.Errorf("it answers: %v", answered)
			}
		})
	}
}

// The next run finds the DHT by the nodes of the last one, with the same id.
func TestTheRoutingTableIsKept(t *testing.T) {
	for name, at := range map[string]struct{ others, ours string }{"IPv4": {"127.0.21.1", "127.0.0.1"}, "IPv6": {"::1", "::1"}} {
		t.Run(name, func(t *testing.T) {
			d := startDHT(t, 20, at.others)
			file := filepath.Join(t.TempDir(), "dht.nodes")
			keep := func(c *Config) { c.File = file }
			first := startNode(t, at.ours, beginWith(d.Bootstrap()), keep)
			first.awaitJoin(t)
			first.stop()
			second := startNode(t, at.ours, beginWith(), keep)
			second.awaitJoin(t)
			if first.server.Load().ID() != second.server.Load().ID() {
				t.Errorf("the id was %x and is %x", first.server.Load().ID(), second.server.Load().ID())
			}
		})
	}
}

// A node that does not answer, a name that does not exist, and nobody at all: each lookup says why, and the end is prompt.
func TestNoDHT(t *testing.T) {
	mute := startLiar(t, "127.0.0.2", func(message) []string { return nil })
	for name, c := range map[string]struct {
		bootstrap []string
		want      events.Reason
	}{
		"a node that never answers": {[]string{mute.address.String()}, events.ReasonTimeout},
		"a name that nobody has":    {[]string{"nobody.invalid:6881"}, events.ReasonNameNotFound},
		"no node":                   {nil, events.ReasonNameNotFound},
		"a node of another family":  {[]string{"[::1]:6881"}, events.ReasonNameNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t, "127.0.0.1", beginWith(c.bootstrap...), func(c *Config) { c.Names = noNames{} })
			ctx, cancel := context.WithCancel(t.Context())
			searched := make(chan error, 1)
			go func() { searched <- n.Search(ctx, testRequest, testPatient) }()
			if err := n.log.Wait(patiently(t), eventstest.Has(events.KindDHTLookupEnded, 1)); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := <-searched; err != nil {
				t.Error(err)
			}
			n.stop()
			if end := eventsOf[*events.DHTLookupEnded](n.log)[0]; end.Reason != c.want || end.Asked != 0 || end.Torrent != 7 {
				t.Errorf("%s, want reason %v", eventstest.FormatEvent(end), c.want)
			}
		})
	}
}

// A family that nobody is found in says nothing when the other one speaks for both.
func TestTheOtherFamilySpeaks(t *testing.T) {
	n := startNode(t, "::1", func(c *Config) { c.Elsewhere = func() bool { return true } })
	<-n.settled
	if err := n.Lookup(t.Context(), testRequest); err != nil || len(n.log.Records()) != 0 {
		t.Errorf("%v\n%s", err, eventstest.Format(n.log.Records()))
	}
}

// A node that is named by a peer (PORT) brings the node into the DHT.
func TestAnOfferedNodeOpensTheDHT(t *testing.T) {
	d := startDHT(t, 12, "127.0.21.1")
	n := startNode(t, "127.0.0.1")
	<-n.settled
	n.Offer(netip.MustParseAddrPort(d.Bootstrap()))
	n.awaitJoin(t)
}

// Nodes of the other family are passed on (BEP 32).
func TestNodesOfTheOtherFamilyArePassedOn(t *testing.T) {
	other := netip.MustParseAddrPort("[::1]:7007")
	l := startLiar(t, "127.0.0.2", func(m message) []string {
		return []string{response(m, testID, "6:nodes638:"+nodeOf(strings.Repeat("n", idSize), other))}
	})
	foreign := make(chan netip.AddrPort, 100)
	n := startNode(t, "127.0.0.1", beginWith(l.address.String()), func(c *Config) { c.Foreign = func(a netip.AddrPort) { foreign <- a } })
	n.awaitJoin(t)
	if got := <-foreign; got != other {
		t.Errorf("passed on is %v, want %v", got, other)
	}
	if slices.ContainsFunc(n.server.Load().Nodes(), isForeign) {
		t.Error("a node of IPv6 is in the table of IPv4")
	}
}
