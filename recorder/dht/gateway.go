package dht

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"btda/events"
	"btda/recorder/netfail"
)

// gateway is the way between the socket of a node and the library: it reads what comes and gives to the funnel what the guard admits.
type gateway struct {
	*guard
	conn   net.PacketConn
	ipv6   bool
	heard  func(m *message, from events.Address) // called for each message that was admitted; must not keep it
	funnel atomic.Pointer[funnel]                // of the server that runs; nil while none does
	unsent atomic.Uint32                         // why the last datagram was not sent, an events.Reason; 0 when it was
	counts counts
}

// counts counts datagrams.
type counts struct {
	received, sent                              atomic.Uint64
	tooLong, malformed, foreign, unasked, spilt atomic.Uint64 // dropped
}

func (c *counts) drop(err error) {
	switch err {
	case errTooLong:
		c.tooLong.Add(1)
	case errSender:
		c.foreign.Add(1)
	case errTransaction:
		c.unasked.Add(1)
	default:
		c.malformed.Add(1)
	}
}

// Bounds of the pause after a failed read.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// receive takes what comes until the socket is closed. No failure of the socket reaches the library, which would end the process.
func (g *gateway) receive(ctx context.Context) {
	buffer := make([]byte, maxDatagram+1)
	pause := firstPause
	for ctx.Err() == nil {
		n, sender, err := g.conn.ReadFrom(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			wait(ctx, pause)
			pause = min(2*pause, lastPause)
		default:
			pause = firstPause
			g.take(buffer[:n], sender)
		}
	}
}

func (g *gateway) take(datagram []byte, sender net.Addr) {
	g.counts.received.Add(1)
	from := addressOf(sender)
	m, err := g.admit(datagram, from)
	if err != nil {
		g.counts.drop(err)
		return
	}
	g.heard(&m, from)
	g.keepFamily(&m)
	if f := g.funnel.Load(); f == nil || !f.offer(letter{m.append(nil), sender}) {
		g.counts.spilt.Add(1)
	}
}

// keepFamily takes the nodes out that the library could not reach through this socket.
func (g *gateway) keepFamily(m *message) {
	if g.ipv6 {
		m.answer.nodes4 = nil
	} else {
		m.answer.nodes6 = nil
	}
}

var errForbidden = netfail.New(events.ReasonExcluded, "the address is one that must not be contacted")

// send lets a message of the library out.
func (g *gateway) send(datagram []byte, receiver net.Addr) error {
	to := addressOf(receiver)
	if g.judge(to.Scope, to) != 0 {
		return errForbidden
	}
	_, err := g.conn.WriteTo(g.release(datagram, to), receiver)
	reason, _ := netfail.Classify(err)
	g.unsent.Store(uint32(reason))
	if err == nil {
		g.counts.sent.Add(1)
	}
	return err
}

// addressOf is the address of a datagram; not valid for one that is not of the Internet.
func addressOf(a net.Addr) events.Address {
	if known, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		return events.AddressOf(known.AddrPort())
	}
	return events.Address{}
}

// letter is a message for the library.
type letter struct {
	packet []byte
	from   net.Addr
}

// maxLetters is how many messages may wait for the library. More are dropped, as the system does with datagrams.
const maxLetters = 512

// funnel is the socket of one server of the library. To close it leaves the socket of the node open.
type funnel struct {
	gateway *gateway
	letters chan letter
	closed  chan struct{}
	closing atomic.Bool
}

func newFunnel(g *gateway) *funnel {
	f := &funnel{gateway: g, letters: make(chan letter, maxLetters), closed: make(chan struct{})}
	g.funnel.Store(f)
	return f
}

func (f *funnel) offer(l letter) bool {
	select {
	case f.letters <- l:
		return true
	default:
		return false
	}
}

// ReadFrom gives the next message. The only error is that the funnel is closed: at any other the library would panic.
func (f *funnel) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case l := <-f.letters:
		return copy(b, l.packet), l.from, nil
	case <-f.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends a message.
func (f *funnel) WriteTo(b []byte, to net.Addr) (int, error) {
	if f.closing.Load() {
		return 0, net.ErrClosed
	}
	if err := f.gateway.send(b, to); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close ends ReadFrom.
func (f *funnel) Close() error {
	if f.closing.CompareAndSwap(false, true) {
		close(f.closed)
	}
	return nil
}

// LocalAddr is that of the socket.
func (f *funnel) LocalAddr() net.Addr { return f.gateway.conn.LocalAddr() }

// SetDeadline does nothing: the library sets none.
func (f *funnel) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (f *funnel) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (f *funnel) SetWriteDeadline(time.Time) error { return nil }

// wait waits for a time, or until ctx is done.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
