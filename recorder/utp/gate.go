package utp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of what strangers cause.
const (
	synRate  = 50 // a second: SYNs that are let through, and resets that are sent
	synBurst = 100
)

// gate is the socket as the library sees it: of what comes it gives on what may concern a connection. What is no uTP goes to others. No
// failure of the socket reaches the library but that it was closed.
type gate struct {
	*net.UDPConn
	accepting atomic.Bool // SYNs are let through
	syns      *rate.Limiter
	resets    *rate.Limiter
	others    *others

	mu      sync.Mutex
	dialled map[netip.AddrPort]int // connections that we made or are making
}

func newGate(socket *net.UDPConn, accepting bool) *gate {
	g := &gate{
		UDPConn: socket, syns: rate.NewLimiter(synRate, synBurst), resets: rate.NewLimiter(synRate, synBurst),
		others: newOthers(socket), dialled: make(map[netip.AddrPort]int),
	}
	g.accepting.Store(accepting)
	return g
}

// readPause is the pause after a failed read.
const readPause = 10 * time.Millisecond

// ReadFrom gives the next packet that may concern a connection.
func (g *gate) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := g.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return 0, nil, err
		case err != nil:
			time.Sleep(readPause)
		case g.admit(b[:n], from):
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// admit tells whether a datagram goes to the library.
func (g *gate) admit(b []byte, from netip.AddrPort) bool {
	h, ok := parseHeader(b)
	switch {
	case !ok:
		g.others.offer(b, from)
		return false
	case h.kind == kindSyn:
		return g.accepting.Load() && !g.isDialled(from) && g.syns.Allow()
	}
	return true
}

// WriteTo sends what the library says, fewer resets than it would like. A datagram that cannot be sent is one that is lost, as others are:
// the connection ends by itself if it was needed.
func (g *gate) WriteTo(b []byte, to net.Addr) (int, error) {
	if h, ok := parseHeader(b); ok && h.kind == kindReset && !g.resets.Allow() {
		return len(b), nil
	}
	if _, err := g.UDPConn.WriteTo(b, to); errors.Is(err, net.ErrClosed) {
		return 0, err
	}
	return len(b), nil
}

// dial notes a connection of ours to an address, and gives what ends the note.
func (g *gate) dial(to netip.AddrPort) (end func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dialled[to]++
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.dialled[to]--; g.dialled[to] == 0 {
			delete(g.dialled, to)
		}
	})
}

func (g *gate) isDialled(a netip.AddrPort) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dialled[a] > 0
}
