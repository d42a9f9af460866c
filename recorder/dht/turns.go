package dht

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Bounds of what one node is sent, whatever the rate in all. Nodes of libtorrent take no more than 50 datagrams of one address in 10 s: who
// sends more is not heard for five minutes.
const (
	nodeInterval = 250 * time.Millisecond // between two queries to one node
	nodeBurst    = 8                      // of them may come at once
	maxTurns     = 4096                   // nodes of which it is remembered, until others that have rested are forgotten
)

// turns holds back the queries to nodes that were asked a moment ago. A nil one holds back none.
type turns struct {
	mu   sync.Mutex
	rest map[netip.AddrPort]time.Time // when a node will have rested from all queries so far
}

func newTurns() *turns { return &turns{rest: make(map[netip.AddrPort]time.Time)} }

// wait waits until a node may be asked, or until ctx is done, whose error it gives then.
func (t *turns) wait(ctx context.Context, to netip.AddrPort) error {
	if delay := t.take(to, 1, time.Now()); delay > 0 {
		wait(ctx, delay)
	}
	return ctx.Err()
}

// take counts queries to a node, and gives how long the last of them has to wait.
func (t *turns) take(to netip.AddrPort, queries int, now time.Time) (delay time.Duration) {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	rested := t.rest[to]
	if rested.Before(now) {
		rested = now
		t.forget(now)
	}
	rested = rested.Add(time.Duration(queries) * nodeInterval)
	t.rest[to] = rested
	return max(rested.Sub(now)-nodeBurst*nodeInterval, 0)
}

// forget makes room where too many nodes are remembered. The caller holds mu.
func (t *turns) forget(now time.Time) {
	if len(t.rest) < maxTurns {
		return
	}
	for node, rested := range t.rest {
		if rested.Before(now) {
			delete(t.rest, node)
		}
	}
}
