package dht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	anacrolix "github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/dht/v2/types"

	"btda/events"
	"btda/recorder/netfail"
)

// DefaultBootstrap are the public nodes that clients begin with.
func DefaultBootstrap() []string {
	return []string{"router.bittorrent.com:6881", "router.utorrent.com:6881", "dht.transmissionbt.com:6881", "dht.libtorrent.org:25401"}
}

// Bounds of joining.
const (
	fewNodes       = 8 // of the kept ones that answer: with fewer, the bootstrap nodes are asked too
	firstRetry     = 5 * time.Second
	lastRetry      = 5 * time.Minute
	resolveTimeout = 5 * time.Second
	maxOfName      = 8 // addresses of one name
)

// join looks for the node's place until somebody has answered. It reports whether that came before the end of ctx.
func (n *Node) join(ctx context.Context, kept table) bool {
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		if n.find(ctx) > 0 {
			break
		}
		n.reportLonely(ctx)
		n.settle()
		if !n.pause(ctx, retry) {
			return false
		}
	}
	if id, better := kept.secured(n.views); better {
		n.serve(table{id: id, nodes: n.server.Load().Nodes()}) // BEP 42
		n.find(ctx)
	}
	close(n.joined)
	n.settle()
	n.config.Text.Info("joined the DHT", "ipv6", n.config.IPv6, "nodes", n.server.Load().NumNodes())
	return true
}

// pause waits for the next try, or until a node is offered. It reports whether ctx is still alive.
func (n *Node) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case to := <-n.offers:
		n.greet(ctx, to)
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// settle tells who waits that the first try is over.
func (n *Node) settle() {
	select {
	case <-n.settled:
	default:
		close(n.settled)
	}
}

// reportLonely says, the first time, that nobody has answered.
func (n *Node) reportLonely(ctx context.Context) {
	select {
	case <-n.settled:
		return
	case <-ctx.Done():
		return
	default:
	}
	if n.quietly() {
		n.config.Text.Debug("this family of the DHT cannot be reached", "ipv6", n.config.IPv6, "reason", n.why())
		return
	}
	n.config.Lonely(n.why())
}

// quietly tells that the other family speaks for both.
func (n *Node) quietly() bool { return n.config.Elsewhere != nil && n.config.Elsewhere() }

// why is the reason why no node has answered.
func (n *Node) why() events.Reason { return events.Reason(n.failure.Load()) }

// find asks for the nodes that are closest to ours: those that are known, and then those to begin with. It gives how many answered.
func (n *Node) find(ctx context.Context) uint32 {
	answered := n.approach(ctx, nil)
	if answered >= fewNodes || ctx.Err() != nil {
		return answered
	}
	first, err := n.resolve(ctx)
	if len(first) > 0 {
		answered += n.approach(ctx, first)
	}
	reason, _ := netfail.Classify(err)
	if unsent := n.gateway.unsent.Load(); len(first) > 0 && unsent != 0 {
		reason = events.Reason(unsent)
	} else if len(first) > 0 {
		reason = events.ReasonTimeout
	}
	n.failure.Store(uint32(reason))
	return answered
}

// approach walks towards the own id, from the nodes of the table and others.
func (n *Node) approach(ctx context.Context, first []types.AddrMaybeId) uint32 {
	w := &walk{
		node: n, target: n.server.Load().ID(), query: question{method: "find_node", arguments: krpc.MsgArgs{Target: n.server.Load().ID(), Want: n.wanted()}},
		heard: func(found) error { return nil }, first: append(first, n.startingNodes()...),
	}
	w.run(ctx)
	return w.tally.answered
}

// startingNodes are those of the routing table.
func (n *Node) startingNodes() []types.AddrMaybeId {
	return types.AddrMaybeIdSliceFromNodeInfoSlice(n.server.Load().Nodes())
}

// resolve gives the addresses of the nodes to begin with that are of our family. The error says what is wrong where there is none.
func (n *Node) resolve(ctx context.Context) ([]types.AddrMaybeId, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	var mu sync.Mutex
	var nodes []types.AddrMaybeId
	var failures []error
	var looking sync.WaitGroup
	for _, hostPort := range n.config.Bootstrap {
		looking.Go(func() {
			addresses, err := n.lookUp(ctx, hostPort)
			mu.Lock()
			defer mu.Unlock()
			for _, a := range addresses {
				nodes = append(nodes, types.AddrMaybeId{Addr: krpc.NodeAddrPort{AddrPort: a}})
			}
			failures = append(failures, err)
		})
	}
	looking.Wait()
	if len(n.config.Bootstrap) == 0 {
		failures = append(failures, netfail.New(events.ReasonNameNotFound, "there is no node to begin with"))
	}
	return nodes, errors.Join(failures...)
}

// lookUp gives the addresses that HOST:PORT stands for.
func (n *Node) lookUp(ctx context.Context, hostPort string) ([]netip.AddrPort, error) {
	host, port, err := SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	addresses, err := n.addressesOf(ctx, host)
	if err != nil {
		return nil, err
	}
	var good []netip.AddrPort
	for _, ip := range addresses[:min(len(addresses), maxOfName)] {
		a := events.AddressOf(netip.AddrPortFrom(ip, port))
		if n.config.Judge(a.Scope, a) == 0 { // the user names what lies where it likes
			good = append(good, a.AddrPort)
		}
	}
	return good, nil
}

func (n *Node) addressesOf(ctx context.Context, host string) ([]netip.Addr, error) {
	network := "ip4"
	if n.config.IPv6 {
		network = "ip6"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return n.config.Names.LookupNetIP(ctx, network, host)
	case ip.Unmap().Is6() != n.config.IPv6:
		return nil, netfail.New(events.ReasonNameNotFound, host+" is of the other family")
	}
	return []netip.Addr{ip}, nil
}

// SplitHostPort reads HOST:PORT.
func SplitHostPort(hostPort string) (host string, port uint16, err error) {
	host, digits, err := net.SplitHostPort(hostPort)
	if err == nil && host != "" {
		if n, err := strconv.ParseUint(digits, 10, 16); err == nil && n > 0 {
			return host, uint16(n), nil
		}
	}
	return "", 0, netfail.New(events.ReasonMalformed, fmt.Sprintf("%q: want HOST:PORT, such as router.example:6881", hostPort))
}

// newID draws an id: one that fits to our address (BEP 42), where that is known.
func newID(external netip.Addr) krpc.ID {
	id := krpc.RandomNodeID()
	if external.IsValid() {
		anacrolix.SecureNodeId(&id, external.AsSlice())
	}
	return id
}
