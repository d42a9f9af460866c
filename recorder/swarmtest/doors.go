package swarmtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/utp"
)

// opened is a door of a client that has to be closed after it.
type opened interface {
	torrent.Listener
	io.Closer
}

// open lets a client and its peers connect to each other in the ways that its options allow.
func (c *Client) open() error {
	if !c.special() {
		c.client.AddDialer(c.dialerTCP())
		return nil
	}
	listener, socket, err := c.listen()
	if err != nil {
		return err
	}
	var door opened = listener
	switch {
	case c.NoAccept:
		listener.Close() // the port stays free: connections to it are refused
		door = &walledUp{Listener: listener, closed: make(chan struct{})}
	case c.UTPWith.IsValid():
		door = guarded{listener, func(peer netip.Addr) bool { return peer != c.UTPWith }}
	}
	c.doors = append(c.doors, door)
	c.client.AddListener(door)
	if !c.NoDial {
		c.client.AddDialer(choosy{c.dialerTCP(), func(peer netip.Addr) bool { return peer != c.UTPWith }})
	}
	if socket == nil {
		return nil
	}
	only := func(peer netip.Addr) bool { return peer == c.UTPWith }
	c.doors = append(c.doors, socket)
	if !c.NoAccept {
		c.client.AddListener(guarded{socket, only})
	}
	if !c.NoDial {
		c.client.AddDialer(choosy{dialerUTP{socket}, only})
	}
	return nil
}

// special tells of a client whose doors are opened here.
func (o ClientOptions) special() bool { return o.NoAccept || o.NoDial || o.UTPWith.IsValid() }

// socketUTP is what the library gives.
type socketUTP interface {
	opened
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// listen opens a port for TCP and, where that is spoken, the same one for uTP. A port that is free for TCP alone is not taken.
//
// uTP is that of the library in Go, whether or not cgo is there: many sockets of the one in C in one process stall for seconds on a busy machine.
func (c *Client) listen() (listener net.Listener, socket socketUTP, err error) {
	const tries = 20
	for range tries {
		if listener, err = net.Listen("tcp", netip.AddrPortFrom(c.Address, 0).String()); err != nil || !c.UTPWith.IsValid() {
			return listener, nil, err
		}
		if socket, err = c.listenUTP(listener.Addr().String()); err == nil {
			return listener, socket, nil
		}
		listener.Close()
	}
	return nil, nil, fmt.Errorf("uTP: %w", err)
}

func (c *Client) listenUTP(address string) (socketUTP, error) {
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	if c.NoAccept {
		udp = deaf{udp}
	}
	socket, err := utp.NewSocketFromPacketConn(udp)
	if err != nil {
		return nil, errors.Join(err, udp.Close())
	}
	return socket, nil
}

// deaf is a socket at which nobody gets a connection by uTP.
type deaf struct{ net.PacketConn }

// ReadFrom gives the next packet that does not ask for a connection.
func (d deaf) ReadFrom(b []byte) (int, net.Addr, error) {
	const syn = 4 // BEP 29
	for {
		n, from, err := d.PacketConn.ReadFrom(b)
		if err != nil || n == 0 || b[0]>>4 != syn {
			return n, from, err
		}
	}
}

// closeDoors closes what the client itself does not close.
func (c *Client) closeDoors() error {
	var failures []error
	for _, d := range c.doors {
		failures = append(failures, d.Close())
	}
	return errors.Join(failures...)
}

// walledUp is a port that nobody gets in by.
type walledUp struct {
	net.Listener // closed, for its address
	once         sync.Once
	closed       chan struct{}
}

// Accept waits until Close.
func (w *walledUp) Accept() (net.Conn, error) {
	<-w.closed
	return nil, net.ErrClosed
}

// Close ends Accept.
func (w *walledUp) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// guarded hangs up on who may not come in.
type guarded struct {
	opened
	welcome func(netip.Addr) bool
}

// Accept gives the next connection of somebody who may come in.
func (g guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.opened.Accept()
		if err != nil {
			return nil, err
		}
		if peer, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil && g.welcome(peer.Addr().Unmap()) {
			return conn, nil
		}
		conn.Close()
	}
}

var errNotThisWay = errors.New("swarmtest: the client does not speak with this peer in this way")

// choosy connects to some peers alone.
type choosy struct {
	torrent.Dialer
	wanted func(netip.Addr) bool
}

// Dial connects to a peer that is wanted.
func (d choosy) Dial(ctx context.Context, address string) (net.Conn, error) {
	if peer, err := netip.ParseAddrPort(address); err != nil || !d.wanted(peer.Addr().Unmap()) {
		return nil, errNotThisWay
	}
	return d.Dialer.Dial(ctx, address)
}

// dialerTCP connects from the client's own address.
func (c *Client) dialerTCP() torrent.Dialer {
	network := "tcp4"
	if c.Address.Is6() {
		network = "tcp6"
	}
	return torrent.NetworkDialer{Network: network, Dialer: c.dialer()}
}

// dialerUTP connects from the port at which the client listens.
type dialerUTP struct{ socketUTP }

// Dial connects by uTP.
func (d dialerUTP) Dial(ctx context.Context, address string) (net.Conn, error) {
	return d.DialContext(ctx, d.DialerNetwork(), address)
}

// DialerNetwork is that of torrent.Dialer.
func (d dialerUTP) DialerNetwork() string { return "udp" }
