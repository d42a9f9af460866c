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
	dialled map[netip.AddrPort]*dialled
	recent  []recentSYN // that were let through, oldest first
}

func newGate(socket *net.UDPConn, accepting bool) *gate {
	g := &gate{
		UDPConn: socket, syns: rate.NewLimiter(synRate, synBurst), resets: rate.NewLimiter(synRate, synBurst),
		others: newOthers(socket), dialled: make(map[netip.AddrPort]*dialled),
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
		return g.accepting.Load() && g.admitSYN(h, from)
	}
	return true
}

// WriteTo sends what the library says, fewer resets than it would like. A datagram that cannot be sent is one that is lost, as others are:
// the connection ends by itself if it was needed.
func (g *gate) WriteTo(b []byte, to net.Addr) (int, error) {
	h, ok := parseHeader(b)
	switch {
	case ok && h.kind == kindReset && !g.resets.Allow():
		return len(b), nil
	case ok && h.kind == kindSyn:
		g.noteSYN(h, to)
	}
	if _, err := g.UDPConn.WriteTo(b, to); errors.Is(err, net.ErrClosed) {
		return 0, err
	}
	return len(b), nil
}
