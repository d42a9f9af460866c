package dht

import (
	"context"
	"net/netip"
	"sync"
	"time"

	k_nearest_nodes "github.com/anacrolix/dht/v2/k-nearest-nodes"
	"github.com/anacrolix/dht/v2/krpc"

	"btda/events"
)

// Request is what to ask the DHT.
type Request struct {
	Torrent  events.TorrentNumber
	InfoHash events.InfoHash
	Port     uint16 // to announce; 0 to announce nothing
}

// Search looks a torrent up again and again, the time from the beginning of one lookup to that of the next being interval, until ctx is
// done or the torrent turns out to be private. The error is the log's.
func (n *Node) Search(ctx context.Context, r Request, interval time.Duration) error {
	select {
	case <-n.settled:
	case <-ctx.Done():
		return nil
	}
	for ctx.Err() == nil && n.config.Torrent(r.InfoHash) != 0 {
		next := time.NewTimer(interval)
		joined := n.joined
		if n.Joined() {
			joined = nil
		}
		if err := n.Lookup(ctx, r); err != nil {
			next.Stop()
			return err
		}
		select {
		case <-next.C:
		case <-joined: // and what could not be asked can be now
		case <-ctx.Done():
		}
		next.Stop()
	}
	return nil
}

// Lookup asks the DHT once for the peers of a torrent, then for their number (BEP 33), and announces the port. All that is learned is in
// the log when it returns; the error is the log's.
func (n *Node) Lookup(ctx context.Context, r Request) error {
	if !n.Joined() {
		return n.lookupFailed(r)
	}
	select {
	case n.lookups <- struct{}{}:
		defer func() { <-n.lookups }()
	case <-ctx.Done():
		return nil
	}
	l := &lookup{node: n, Request: r, number: n.config.Number(), peers: make(map[netip.AddrPort]bool)}
	return l.run(ctx)
}

// lookupFailed records that there is nobody to ask.
func (n *Node) lookupFailed(r Request) error {
	if n.quietly() {
		return nil
	}
	return n.append(&events.DHTLookupEnded{Torrent: r.Torrent, Lookup: n.config.Number(), IPv6: n.config.IPv6, Reason: n.why()})
}

// append appends a fact, also when what found it is told to stop.
func (n *Node) append(e events.Event) error {
	_, err := n.config.Log.Append(context.Background(), n.config.Log.Now(), e)
	return err
}

// lookup is one lookup of one torrent.
type lookup struct {
	Request
	node   *Node
	number events.LookupNumber

	mu     sync.Mutex
	peers  map[netip.AddrPort]bool
	naming []found // nodes that named peers, at most maxScraped
}

// run lasts through the lookup.
func (l *lookup) run(ctx context.Context) error {
	began := time.Now()
	n := l.node
	w := &walk{
		node: n, target: l.InfoHash, heard: l.heard, ended: l.ended, first: n.startingNodes(),
		query: question{method: "get_peers", arguments: krpc.MsgArgs{InfoHash: krpc.ID(l.InfoHash), Want: n.wanted()}},
	}
	closest := w.run(ctx)
	end := &events.DHTLookupEnded{
		Torrent: l.Torrent, Lookup: l.number, IPv6: n.config.IPv6, Asked: w.tally.asked, Answered: w.tally.answered, Failed: w.tally.failed,
		Duration: time.Since(began), DistinctPeers: uint32(len(l.peers)), Reason: l.reason(ctx, w),
	}
	if w.err != nil {
		return w.err
	}
	if w.tally.asked >= maxAsked {
		if err := n.append(&events.LimitReached{Torrent: l.Torrent, Limit: events.LimitLookupNodes, Value: maxAsked, Bound: maxAsked}); err != nil {
			return err
		}
	}
	if l.ended() {
		return n.append(end)
	}
	var announcing sync.WaitGroup
	announcing.Go(func() { end.Announced = l.announce(ctx, closest) })
	err := l.scrape(ctx, closest)
	announcing.Wait()
	if err != nil {
		return err
	}
	return n.append(end)
}

// ended tells that nothing more may be asked: the torrent has turned out to be private (BEP 27) since the lookup began.
func (l *lookup) ended() bool { return l.node.config.Torrent(l.InfoHash) == 0 }

// reason is why a lookup could not be done; 0 where it was.
func (l *lookup) reason(ctx context.Context, w *walk) events.Reason {
	switch unsent := events.Reason(l.node.gateway.unsent.Load()); {
	case ctx.Err() != nil:
		return events.ReasonCanceled
	case w.tally.answered > 0:
		return 0
	case unsent != 0:
		return unsent
	}
	return events.ReasonTimeout
}

// heard takes in what one node answered.
func (l *lookup) heard(f found) error {
	n := l.node
	node := events.AddressOf(f.address.ToNodeAddrPort().AddrPort)
	fact := &events.DHTLookedUp{
		Torrent: l.Torrent, Lookup: l.number, Node: node, NodeID: events.NodeID(f.ID), Duration: f.took,
		Nodes: uint32(len(f.Nodes) + len(f.Nodes6)), Version: []byte(f.version),
	}
	for _, value := range f.Values {
		if a := value.ToNodeAddrPort(); a.Addr().IsValid() {
			fact.Peers.Append(a.AddrPort)
		} else {
			fact.InvalidPeers++
		}
	}
	l.note(f, fact.Peers)
	if err := n.append(fact); err != nil {
		return err
	}
	if fact.Peers.Len() > 0 && !l.ended() {
		n.config.Offer(Named{Torrent: l.Torrent, From: node.Scope, Peers: fact.Peers})
	}
	return nil
}

// note remembers which peers were named, and who named some.
func (l *lookup) note(f found, peers events.PeerList) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for a := range peers.All() {
		l.peers[a.AddrPort] = true
	}
	if peers.Len() > 0 && len(l.naming) < maxScraped {
		l.naming = append(l.naming, f)
	}
}

const (
	maxScraped  = 16 // nodes asked for filters in one lookup
	announcedTo = 8  // nodes, as BEP 5 has it
)

// announce announces our port to the closest nodes, and counts those that took it.
func (l *lookup) announce(ctx context.Context, closest []k_nearest_nodes.Elem) (taken uint32) {
	if l.Port == 0 {
		return 0
	}
	port := int(l.Port)
	each(closest[:min(len(closest), announcedTo)], func(node k_nearest_nodes.Elem) {
		token, _ := node.Data.(string)
		_, err := l.node.ask(ctx, question{to: node.Addr.ToNodeAddr(), method: "announce_peer", arguments: krpc.MsgArgs{
			InfoHash: krpc.ID(l.InfoHash), Port: &port, Token: token,
		}})
		if err == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			taken++
		}
	})
	return taken
}

// scrape asks those that named peers, and the closest nodes, for their filters (BEP 33).
func (l *lookup) scrape(ctx context.Context, closest []k_nearest_nodes.Elem) error {
	to := make(map[netip.AddrPort]krpc.NodeAddr)
	for _, f := range l.naming {
		to[f.address.ToNodeAddrPort().AddrPort] = f.address
	}
	for _, e := range closest {
		if len(to) < maxScraped {
			to[e.Addr.AddrPort] = e.Addr.ToNodeAddr()
		}
	}
	var failure error
	each(values(to), func(address krpc.NodeAddr) {
		if err := l.scrapeNode(ctx, address); err != nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			failure = err
		}
	})
	return failure
}

func (l *lookup) scrapeNode(ctx context.Context, address krpc.NodeAddr) error {
	answer, err := l.node.ask(ctx, question{to: address, method: "get_peers", arguments: krpc.MsgArgs{
		InfoHash: krpc.ID(l.InfoHash), Scrape: 1, Want: l.node.wanted(),
	}})
	if err != nil || answer.BFsd == nil && answer.BFpe == nil {
		return nil // a node that knows no filters is none that tells of no peers
	}
	fact := &events.DHTScraped{Torrent: l.Torrent, Lookup: l.number, Node: events.AddressOf(address.ToNodeAddrPort().AddrPort), NodeID: events.NodeID(answer.ID)}
	if answer.BFsd != nil {
		fact.Seeds = answer.BFsd[:]
	}
	if answer.BFpe != nil {
		fact.Peers = answer.BFpe[:]
	}
	return l.node.append(fact)
}

// each calls a function for all of a few things at one time, and waits.
func each[T any](things []T, do func(T)) {
	var under sync.WaitGroup
	for _, thing := range things {
		under.Go(func() { do(thing) })
	}
	under.Wait()
}

func values[K comparable, V any](m map[K]V) []V {
	all := make([]V, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
