package dht

import (
	"context"
	"net/netip"
	"sync"

	k_nearest_nodes "github.com/anacrolix/dht/v2/k-nearest-nodes"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/dht/v2/traversal"
	"github.com/anacrolix/dht/v2/types"
)

// Bounds of a walk.
const (
	walkWidth    = 5   // nodes asked at one time
	walkClosest  = 16  // nodes that have to have answered, with none known that is closer
	maxAsked     = 512 // nodes; a walk in a DHT of millions takes less than a hundred, unless somebody makes up closer ones without end
	maxOfNetwork = 4   // nodes at one public address: who makes up nodes has few of those
)

// walk asks nodes that are closer and closer to a target, until those that are closest have answered (BEP 5).
type walk struct {
	node   *Node
	target [idSize]byte
	query  question            // without its node
	heard  func(found) error   // called for each answer, by many goroutines; an error ends the walk
	first  []types.AddrMaybeId // nodes to begin with
	ended  func() bool         // tells that no more nodes are asked; may be nil

	operation *traversal.Operation
	mu        sync.Mutex
	tally     tally
	networks  map[netip.Prefix]int
	err       error
}

// found is a node that answered.
type found struct {
	address krpc.NodeAddr
	reply
}

// tally is how many nodes were asked, and what came of it.
type tally struct{ asked, answered, failed uint32 }

// run walks until the end, or until ctx is done. The nodes that it gives are the closest that answered with a token, closest first.
func (w *walk) run(ctx context.Context) []k_nearest_nodes.Elem {
	w.networks = make(map[netip.Prefix]int)
	w.operation = traversal.Start(traversal.OperationInput{
		Target: w.target, Alpha: walkWidth, K: walkClosest, DoQuery: w.ask, NodeFilter: w.node.server.Load().TraversalNodeFilter,
	})
	w.operation.AddNodes(w.first)
	select {
	case <-w.operation.Stalled():
	case <-ctx.Done():
	}
	w.operation.Stop()
	<-w.operation.Stopped()
	var closest []k_nearest_nodes.Elem
	w.operation.Closest().Range(func(e k_nearest_nodes.Elem) { closest = append(closest, e) })
	return closest
}

// ask asks one node.
func (w *walk) ask(ctx context.Context, to krpc.NodeAddr) (result traversal.QueryResult) {
	if !w.admit(to) {
		return result
	}
	q := w.query
	q.to = to
	answer, err := w.node.ask(ctx, q)
	w.count(err)
	if err != nil {
		return result
	}
	if err := w.heard(found{to, answer}); err != nil {
		w.fail(err)
		return result
	}
	result.ResponseFrom = &krpc.NodeInfo{ID: answer.ID, Addr: to}
	result.Nodes, result.Nodes6 = answer.Nodes, answer.Nodes6
	if answer.Token != nil {
		result.ClosestData = *answer.Token
	}
	return result
}

// admit tells whether one more node is asked.
func (w *walk) admit(to krpc.NodeAddr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || w.tally.asked >= maxAsked || w.ended != nil && w.ended() {
		return false
	}
	if network, public := networkOf(to.ToNodeAddrPort().Addr()); public {
		if w.networks[network] >= maxOfNetwork {
			return false
		}
		w.networks[network]++
	}
	w.tally.asked++
	return true
}

func (w *walk) count(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.tally.failed++
	} else {
		w.tally.answered++
	}
}

func (w *walk) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}
