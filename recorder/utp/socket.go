package utp

import (
	"context"
	"net"
	"net/netip"
	"sync"

	library "github.com/anacrolix/utp"

	"btda/events"
	"btda/recorder/netfail"
)

// Options of a Socket.
type Options struct {
	Local  netip.AddrPort // address, whose family is that of all peers, and port; 0 is any
	Accept bool           // take in connections
}

// Socket is a UDP port of one address family, from which connections are made and at which they come in. It is safe for use by many goroutines.
type Socket struct {
	gate    *gate
	library *library.Socket
	arrived chan net.Conn
	done    chan struct{} // closed when nothing more arrives, because the socket is closed
	shut    chan struct{} // closed when nothing more is taken in
	close   func()        // closes shut
}

// maxArrived is how many connections wait to be accepted. More are closed: the library must not keep them waiting.
const maxArrived = 128

// Open opens a socket.
func Open(o Options) (*Socket, error) {
	network := "udp6" // with IPV6_V6ONLY
	if o.Local.Addr().Is4() {
		network = "udp4"
	}
	udp, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(o.Local))
	if err != nil {
		return nil, err
	}
	s := &Socket{gate: newGate(udp, o.Accept), arrived: make(chan net.Conn, maxArrived), done: make(chan struct{}), shut: make(chan struct{})}
	s.close = sync.OnceFunc(func() { close(s.shut) })
	if s.library, err = library.NewSocketFromPacketConn(s.gate); err != nil {
		udp.Close()
		return nil, err
	}
	go s.receive() // Close waits for it
	return s, nil
}

// receive takes in connections at once, until the socket is closed.
func (s *Socket) receive() {
	defer close(s.done)
	for {
		accepted, err := s.library.Accept()
		if err != nil {
			return
		}
		c := newConn(s, accepted, nil)
		select {
		case s.arrived <- c:
		default:
			c.Close()
		}
	}
}

// Listener takes in the connections of a Socket. Closing it leaves those that were taken in as they are, and the Socket open.
type Listener struct{ socket *Socket }

var _ net.Listener = Listener{}

// Listener gives the one listener of the socket.
func (s *Socket) Listener() Listener { return Listener{s} }

// Accept gives the next connection that came in.
func (l Listener) Accept() (net.Conn, error) {
	s := l.socket
	select {
	case <-s.shut:
		return nil, net.ErrClosed
	case <-s.done:
		return nil, net.ErrClosed
	case c := <-s.arrived:
		return c, nil
	}
}

// Close takes nothing more in.
func (l Listener) Close() error {
	l.socket.gate.accepting.Store(false)
	l.socket.close()
	return nil
}

// Addr is our address and port.
func (l Listener) Addr() net.Addr { return l.socket.Addr() }

// Addr is our address and port.
func (s *Socket) Addr() net.Addr { return s.gate.LocalAddr() }

// Others is the socket for what else shares the port: all that is no uTP. Closing it leaves this one open. There is one.
func (s *Socket) Others() net.PacketConn {
	s.gate.others.taken.Store(true)
	return s.gate.others
}

// Close closes the socket, and all connections at once.
func (s *Socket) Close() error {
	s.gate.others.Close()
	err := s.library.CloseNow()
	<-s.done
	return err
}

// Sockets dials peers of both address families, through one socket for each.
type Sockets []*Socket

// Dial connects to a peer, until ctx is done: the library alone waits for 17 s.
func (all Sockets) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	for _, s := range all {
		if s.is4() == to.Addr().Is4() {
			return s.dial(ctx, to)
		}
	}
	return nil, netfail.New(events.ReasonNoLocalAddress, "no local address of the family of "+to.String()+" to connect from")
}

func (s *Socket) is4() bool { return s.gate.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().Is4() }

func (s *Socket) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	end, err := s.gate.dial(ctx, to)
	if err != nil {
		return nil, err
	}
	dialled, err := s.library.DialContext(ctx, "", to.String())
	if err == nil {
		return newConn(s, dialled, end), nil
	}
	end()
	if ctx.Err() == nil {
		err = s.explain(err, events.ReasonRefused)
	}
	return nil, err
}

// Close closes all of the sockets.
func (all Sockets) Close() {
	for _, s := range all {
		s.Close()
	}
}
