package utp

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"btda/events"
	"btda/recorder/netfail"
)

// conn is a connection, with errors that say what they mean.
type conn struct {
	net.Conn // of the library
	socket   *Socket
	remote   netip.AddrPort
	end      func() // called once it is closed; may be nil

	mu          sync.Mutex
	read, write time.Time // deadlines
}

func newConn(s *Socket, c net.Conn, end func()) *conn {
	remote, _ := netip.ParseAddrPort(c.RemoteAddr().String()) // the library has no other form
	return &conn{Conn: c, socket: s, remote: remote, end: end}
}

// RemoteAddr is the address of the peer, a *net.UDPAddr.
func (c *conn) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(c.remote) }

// Read reads what the peer sent.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.explain(err, &c.read)
}

// Write sends to the peer. It waits while too much is on its way.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.explain(err, &c.write)
}

// Close ends the connection in order, without waiting for the peer.
func (c *conn) Close() error {
	if c.end != nil {
		defer c.end()
	}
	return c.Conn.Close()
}

// SetDeadline sets when reads and writes end.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	c.read, c.write = t, t
	c.mu.Unlock()
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline sets when reads end.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.read = t
	c.mu.Unlock()
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets when writes end.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	c.write = t
	c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

// explain gives an error of the library in terms of package net.
func (c *conn) explain(err error, deadline *time.Time) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	c.mu.Lock()
	due := *deadline
	c.mu.Unlock()
	if isTimeout(err) && !due.IsZero() && !time.Now().Before(due) {
		return os.ErrDeadlineExceeded
	}
	return c.socket.explain(err, events.ReasonReset)
}

// explain gives the reason of an error of the library that has none: what the peer, or the lack of it, has ended is reset.
func (s *Socket) explain(err error, reset events.Reason) error {
	select {
	case <-s.done:
		return net.ErrClosed
	default:
	}
	if isTimeout(err) {
		return netfail.With(events.ReasonTimeout, err)
	}
	return netfail.With(reset, err)
}

func isTimeout(err error) bool {
	timed, ok := errors.AsType[net.Error](err)
	return ok && timed.Timeout()
}
