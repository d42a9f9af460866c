package utp

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// dialled is the connections to one address that we made or are making.
type dialled struct {
	connections int
	unasked     int      // of these, how many have no number yet: the SYN is not out
	numbers     []uint16 // of the others
}

// recentSYN is a SYN that the library may not have answered yet.
type recentSYN struct {
	from netip.AddrPort
	at   time.Time
}

// answerTime is how long the library has to answer a SYN before it is asked for a connection to the same address. It needs far less; but were it
// to give that connection the number that the SYN asks for, it would fail.
const answerTime = 100 * time.Millisecond

// dial notes a connection of ours to an address, once no SYN from there is unanswered, and gives what ends the note. The error is that of ctx.
func (g *gate) dial(ctx context.Context, to netip.AddrPort) (end func(), err error) {
	wait := g.enter(to)
	end = sync.OnceFunc(func() { g.leave(to) })
	if wait <= 0 {
		return end, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return end, nil
	case <-ctx.Done():
		end()
		return nil, ctx.Err()
	}
}

// enter notes a connection, from when on no SYN from the address is let through, and tells for how long earlier ones may be unanswered.
func (g *gate) enter(to netip.AddrPort) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.dialled[to]
	if d == nil {
		d = &dialled{}
		g.dialled[to] = d
	}
	d.connections++
	d.unasked++
	for _, s := range slices.Backward(g.recent) {
		if s.from == to {
			return answerTime - time.Since(s.at)
		}
	}
	return 0
}

func (g *gate) leave(to netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.dialled[to]
	if d.connections--; d.connections == 0 {
		delete(g.dialled, to)
		return
	}
	d.unasked = min(d.unasked, d.connections)
	if len(d.numbers) > d.connections-d.unasked { // most likely the oldest has ended; the library itself resets who asks for one that is in use
		d.numbers = d.numbers[1:]
	}
}

// noteSYN notes the number of a connection whose SYN goes out, perhaps once more.
func (g *gate) noteSYN(h header, to net.Addr) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	at := udp.AddrPort()
	d := g.dialled[netip.AddrPortFrom(at.Addr().Unmap(), at.Port())]
	if d != nil && d.unasked > 0 && !slices.Contains(d.numbers, h.connection) {
		d.numbers = append(d.numbers, h.connection)
		d.unasked--
	}
}

// admitSYN tells whether a SYN is let through: not while we make a connection to its address that has no number yet, and not where it asks for
// the number of one of ours, or one beside it. A peer to which we have a connection may make another: it may not know of ours, or be one that
// nobody reaches.
func (g *gate) admitSYN(h header, from netip.AddrPort) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d := g.dialled[from]; d != nil && (d.unasked > 0 || d.uses(h.connection)) {
		return false
	}
	if !g.syns.Allow() {
		return false
	}
	now := time.Now()
	g.recent = append(slices.DeleteFunc(g.recent, func(s recentSYN) bool { return now.Sub(s.at) >= answerTime }), recentSYN{from, now})
	return true
}

// uses tells whether a number is that of one of the connections, or beside it.
func (d *dialled) uses(number uint16) bool {
	return slices.ContainsFunc(d.numbers, func(n uint16) bool { return number-n+1 <= 2 })
}
