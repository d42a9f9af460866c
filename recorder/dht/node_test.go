package dht

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/swarmtest"
)

const testPatient = 20 * time.Second // for what must happen, however slow the machine

var (
	testInfoHash = events.InfoHash([]byte(testHash))
	testRequest  = Request{Torrent: 7, InfoHash: testInfoHash}
)

// testConfig is a node that observes testHash, and records into a log of its own.
func testConfig(conn net.PacketConn) Config {
	var numbers atomic.Uint64
	return Config{
		Conn: conn, Log: eventstest.NewLog(), Text: slog.New(slog.DiscardHandler), Judge: judgeLoosely,
		Torrent: func(h events.InfoHash) events.TorrentNumber {
			if h == testInfoHash {
				return 7
			}
			return 0
		},
		Offer:  func(Named) {},
		Lonely: func(events.Reason) {},
		Number: func() events.LookupNumber { return events.LookupNumber(numbers.Add(1)) },
	}
}

// runningNode is a node on loopback, until stop.
type runningNode struct {
	*Node
	log     *eventstest.Log
	address netip.AddrPort
	stop    func()
}

// startNode starts a node, which is stopped at the end of the test if not before.
func startNode(t testing.TB, at string, change ...func(*Config)) *runningNode {
	t.Helper()
	conn, err := Listen(netip.AddrPortFrom(netip.MustParseAddr(at), 0))
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig(conn)
	c.IPv6 = netip.MustParseAddr(at).Is6()
	for _, f := range change {
		f(&c)
	}
	n := &runningNode{Node: NewNode(c), log: c.Log.(*eventstest.Log), address: addressOf(conn.LocalAddr()).AddrPort}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { n.Run(ctx); close(ended) }()
	n.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(n.stop)
	return n
}

// beginWith makes a node begin with another one.
func beginWith(hostPort ...string) func(*Config) {
	return func(c *Config) { c.Bootstrap = hostPort }
}

// awaitJoin waits until the node has found others.
func (n *runningNode) awaitJoin(t testing.TB) {
	t.Helper()
	select {
	case <-n.joined:
	case <-time.After(testPatient):
		t.Fatal("the node does not find the DHT")
	}
}

// lookUp looks the torrent up once, when the node has joined.
func (n *runningNode) lookUp(t testing.TB, r Request) *events.DHTLookupEnded {
	t.Helper()
	n.awaitJoin(t)
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	if err := n.Lookup(ctx, r); err != nil {
		t.Fatal(err)
	}
	ended := eventsOf[*events.DHTLookupEnded](n.log)
	if len(ended) == 0 {
		t.Fatalf("the lookup has no end:\n%s", eventstest.Format(n.log.Records()))
	}
	return ended[len(ended)-1]
}

// eventsOf gives the events of one type in a log.
func eventsOf[E events.Event](log *eventstest.Log) (all []E) {
	for _, r := range log.Records() {
		if e, ok := r.Event.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

// peersNamed gives all peers that lookups named.
func peersNamed(log *eventstest.Log) map[netip.AddrPort]bool {
	all := make(map[netip.AddrPort]bool)
	for _, e := range eventsOf[*events.DHTLookedUp](log) {
		for a := range e.Peers.All() {
			all[a.AddrPort] = true
		}
	}
	return all
}

// startDHT starts a DHT of whole nodes of another implementation.
func startDHT(t testing.TB, nodes int, first string) *swarmtest.DHT {
	t.Helper()
	d, err := swarmtest.StartDHT(swarmtest.DHTOptions{Nodes: nodes, First: netip.MustParseAddr(first)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// announceAll lets nodes announce one peer each.
func announceAll(t testing.TB, d *swarmtest.DHT, peers int) map[netip.AddrPort]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	all := make(map[netip.AddrPort]bool)
	for i := range peers {
		peer, err := d.Announce(ctx, i%d.Len(), testInfoHash, uint16(7000+i))
		if err != nil {
			t.Fatal(err)
		}
		all[peer] = true
	}
	return all
}

// liar is a node that answers as a script says.
type liar struct {
	net.PacketConn
	address netip.AddrPort
	heard   chan message
}

// startLiar starts a node whose script gives the datagrams that answer a message.
func startLiar(t testing.TB, at string, script func(m message) []string) *liar {
	t.Helper()
	conn, err := Listen(netip.AddrPortFrom(netip.MustParseAddr(at), 0))
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{conn, addressOf(conn.LocalAddr()).AddrPort, make(chan message, 1000)}
	ended := make(chan struct{})
	go func() { l.serve(script); close(ended) }()
	t.Cleanup(func() { conn.Close(); <-ended })
	return l
}

func (l *liar) serve(script func(m message) []string) {
	for {
		b := make([]byte, maxDatagram)
		n, from, err := l.ReadFrom(b)
		if err != nil {
			return
		}
		m, err := parseMessage(b[:n])
		if err != nil {
			continue
		}
		select {
		case l.heard <- m:
		default:
		}
		for _, answer := range script(m) {
			l.WriteTo([]byte(answer), from)
		}
	}
}

// response makes a response with an id of its own and more in it. Keys of the content are sorted in by hand: those before "id" stand first.
func response(m message, id, content string) string {
	return fmt.Sprintf("d1:rd2:id20:%s%se1:t%d:%s1:v4:LI011:y1:re", id, content, len(m.transaction), m.transaction)
}

// nodeOf is a compact node.
func nodeOf(id string, a netip.AddrPort) string {
	var l events.PeerList
	l.Append(a)
	return id + string(l.V4) + string(l.V6)
}
