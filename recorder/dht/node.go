package dht

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	anacrolix "github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"golang.org/x/time/rate"

	"btda/events"
)

// Config is what a node is told. Functions are called by many goroutines.
type Config struct {
	Conn net.PacketConn // of one address family; the node closes it
	IPv6 bool           // which family that is
	Log  events.Appender
	Text *slog.Logger

	// Judge gives the reason why an address that something in a scope names must not be contacted, or 0.
	Judge func(from events.Scope, a events.Address) events.Reason
	// Torrent gives the torrent with an info hash: 0 when it is not observed, or private (BEP 27).
	Torrent func(events.InfoHash) events.TorrentNumber
	// Offer takes in peers that a node in a scope named, after the fact was appended.
	Offer func(Named)
	// Number gives the number of the next lookup of the run.
	Number func() events.LookupNumber

	Bootstrap []string // HOST:PORT, of nodes to begin with
	Names     Names    // nil is the resolver of the system
	Rate      int      // queries a second, at the most; 0 is no limit
	ReadOnly  bool     // answer nobody, and say so (BEP 43)
	File      string   // where the routing table is kept between runs; empty for nowhere

	// Lonely is told, once at the most, why no node has answered when the node began. It is asked for again and again.
	Lonely func(events.Reason)
	// Elsewhere tells that this node, which has found nobody, need not tell of it: the other family can be asked, or tells. May be nil.
	Elsewhere func() bool
	// Foreign takes in nodes of the other family. May be nil.
	Foreign func(netip.AddrPort)
	// Hurry, when closed, ends all waiting for the library at the end. May be nil.
	Hurry <-chan struct{}
}

// Named are peers of a torrent that a node of the DHT named.
type Named struct {
	Torrent events.TorrentNumber
	From    events.Scope // of the node
	Peers   events.PeerList
}

// Bounds of a node.
const (
	resendDelay = 500 * time.Millisecond // until an unanswered query is sent again, and then given up
	sends       = 2                      // of one query
	maxLookups  = 16                     // at one time; others wait
	maxOffers   = 64                     // nodes that wait for being asked whether they are there
	enoughNodes = 200                    // in the routing table, from which on none that is offered is asked
)

// Node is a node of the DHT in one address family. Its Run is called once; its other methods are safe for use by many goroutines.
type Node struct {
	config  Config
	gateway *gateway
	pace    *rate.Limiter // of our queries
	turns   *turns        // likewise, to each node; nil without a rate
	lookups chan struct{} // a place for each lookup under way
	offers  chan netip.AddrPort
	store   *store
	visits  *visits
	views   *views

	server  atomic.Pointer[anacrolix.Server] // Run replaces it where the id changes; others use it once joined is closed
	settled chan struct{}                    // closed when it was first tried to find nodes
	joined  chan struct{}                    // closed when a node has answered
	failure atomic.Uint32                    // why none has, an events.Reason
}

// NewNode makes a node that does nothing yet.
func NewNode(c Config) *Node {
	if c.Names == nil {
		c.Names = systemNames
	}
	n := &Node{
		config: c, pace: limiter(c.Rate), lookups: make(chan struct{}, maxLookups), offers: make(chan netip.AddrPort, maxOffers),
		store: newStore(), views: newViews(), settled: make(chan struct{}), joined: make(chan struct{}),
	}
	if c.Rate > 0 {
		n.turns = newTurns()
	}
	n.visits = newVisits(n)
	n.gateway = &gateway{guard: newGuard(c.Judge), conn: c.Conn, ipv6: c.IPv6, heard: n.heard}
	return n
}

// limiter bounds what happens in a second, with small bursts. 0 is no bound.
func limiter(perSecond int) *rate.Limiter {
	if perSecond == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(perSecond/10, 1))
}

// Run lives through the node: it finds its place in the DHT, keeps its routing table, and answers others, until ctx is done.
func (n *Node) Run(ctx context.Context) {
	var parts sync.WaitGroup
	defer n.leave(&parts)
	parts.Go(func() { n.gateway.receive(ctx) })
	kept := n.loadTable()
	n.serve(kept)
	defer func() { n.server.Load().Close() }() // the last one
	if !n.join(ctx, kept) {
		return
	}
	parts.Go(n.server.Load().TableMaintainer) // ends with the server
	n.keep(ctx, &parts)
}

// serve starts a server of the library with an id and nodes. The server before, if any, is closed.
func (n *Node) serve(t table) {
	c := anacrolix.NewDefaultServerConfig()
	c.NodeId, c.Conn, c.Passive = t.id, newFunnel(n.gateway), n.config.ReadOnly
	c.StartingNodes, c.Logger, c.SendLimiter = nil, quiet(), limiter(n.config.Rate)
	c.QueryResendDelay = func() time.Duration { return resendDelay }
	c.DefaultWant = n.wanted()
	c.PeerStore = n.visits
	server, _ := anacrolix.NewServer(c) // fails only to open a socket, and this one is open
	if before := n.server.Swap(server); before != nil {
		before.Close()
	}
	for _, node := range t.nodes {
		_ = server.AddNode(node) // which its bucket has no room for, as the case may be
	}
}

// wanted says the nodes of which families we ask for (BEP 32).
func (n *Node) wanted() []krpc.Want {
	switch {
	case n.config.Foreign != nil:
		return []krpc.Want{krpc.WantNodes, krpc.WantNodes6}
	case n.config.IPv6:
		return []krpc.Want{krpc.WantNodes6}
	}
	return []krpc.Want{krpc.WantNodes}
}

// saveInterval is the time between two saves of the routing table.
const saveInterval = 10 * time.Minute

// keep asks the nodes that are offered, lets the id follow our address, and saves the routing table, until ctx is done.
func (n *Node) keep(ctx context.Context, parts *sync.WaitGroup) {
	ticker := time.NewTicker(saveInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case to := <-n.offers:
			if n.server.Load().NumNodes() < enoughNodes {
				n.greet(ctx, to)
			}
		case <-ticker.C:
			n.followAddress(ctx, parts)
			n.saveTable()
		case <-ctx.Done():
		}
	}
	n.saveTable()
}

// followAddress gives the node another id where its own does not fit to the address that others see any more (BEP 42), as when a provider has
// given us another. Queries under way are not answered then. What others said of our address until now is out of date afterwards.
func (n *Node) followAddress(ctx context.Context, parts *sync.WaitGroup) {
	server := n.server.Load()
	now := table{id: server.ID(), nodes: server.Nodes()}
	if id, better := now.secured(n.views); better {
		n.serve(table{id: id, nodes: now.nodes})
		parts.Go(n.server.Load().TableMaintainer)
		n.config.Text.Info("our address has changed, and with it the id of the node of the DHT", "ipv6", n.config.IPv6, "nodes", len(now.nodes))
		n.find(ctx)
	}
	n.views.age()
}

// leave closes the socket and waits for all that belongs to the node, unless there is hurry. What is left then ends within two seconds.
func (n *Node) leave(parts *sync.WaitGroup) {
	n.config.Conn.Close()
	ended := make(chan struct{})
	go func() { parts.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-n.config.Hurry:
	}
	c := &n.gateway.counts
	n.config.Text.Info("left the DHT", "ipv6", n.config.IPv6, "received", c.received.Load(), "sent", c.sent.Load(), "malformed", c.malformed.Load(),
		"too long", c.tooLong.Load(), "not asked for", c.unasked.Load(), "forbidden sender", c.foreign.Load(), "not taken in", c.spilt.Load())
}

// Offer tells of a node that may be there. Of those that nobody has time for some are forgotten.
func (n *Node) Offer(a netip.AddrPort) {
	select {
	case n.offers <- a:
	default:
	}
}

// greet asks a node whether it is there: the library takes it in if it answers.
func (n *Node) greet(ctx context.Context, to netip.AddrPort) {
	_, _ = n.ask(ctx, question{to: krpc.NodeAddr{IP: to.Addr().AsSlice(), Port: int(to.Port())}, method: "ping"})
}

// Joined tells whether a node of the DHT has answered.
func (n *Node) Joined() bool {
	select {
	case <-n.joined:
		return true
	default:
		return false
	}
}

// heard looks at each message that comes in.
func (n *Node) heard(m *message, from events.Address) {
	switch m.kind {
	case responseKind:
		n.views.add(from, m.external)
		n.passForeign(m)
	case queryKind:
		if m.method == "announce_peer" {
			n.visits.note(m, from)
		}
	}
}

// passForeign passes nodes of the other family on.
func (n *Node) passForeign(m *message) {
	nodes, size := m.answer.nodes6, nodeSize6
	if n.config.IPv6 {
		nodes, size = m.answer.nodes4, nodeSize4
	}
	if n.config.Foreign == nil {
		return
	}
	for ; len(nodes) >= size; nodes = nodes[size:] {
		n.config.Foreign(addrPortOf(nodes[idSize:size]))
	}
}
