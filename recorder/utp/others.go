package utp

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxWaiting is how many datagrams wait for who shares the port. More are dropped, as the system does.
const maxWaiting = 256

// others is a socket for all that is no uTP: what came and is waiting, and the socket to answer. Closing it leaves the port to uTP.
type others struct {
	socket  *net.UDPConn
	waiting chan datagram
	taken   atomic.Bool // somebody reads
	closed  chan struct{}
	close   func()

	mu       sync.Mutex
	deadline time.Time
	moved    chan struct{} // closed when the deadline is set anew
}

type datagram struct {
	payload []byte
	from    netip.AddrPort
}

var _ net.PacketConn = (*others)(nil)

func newOthers(socket *net.UDPConn) *others {
	o := &others{socket: socket, waiting: make(chan datagram, maxWaiting), closed: make(chan struct{}), moved: make(chan struct{})}
	o.close = sync.OnceFunc(func() { close(o.closed) })
	return o
}

// offer keeps a copy of a datagram for who reads, if there is room.
func (o *others) offer(b []byte, from netip.AddrPort) {
	if !o.taken.Load() || len(o.waiting) == cap(o.waiting) {
		return
	}
	select {
	case o.waiting <- datagram{append([]byte(nil), b...), from}:
	default:
	}
}

// ReadFrom gives the next datagram that is no uTP.
func (o *others) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		due, moved, stop := o.due()
		select {
		case d := <-o.waiting:
			stop()
			return copy(b, d.payload), net.UDPAddrFromAddrPort(d.from), nil
		case <-o.closed:
			stop()
			return 0, nil, net.ErrClosed
		case <-due:
			return 0, nil, os.ErrDeadlineExceeded
		case <-moved:
			stop()
		}
	}
}

// due gives a channel that has a value at the deadline, one that is closed when that changes, and what ends the waiting.
func (o *others) due() (due <-chan time.Time, moved <-chan struct{}, stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.deadline.IsZero() {
		return nil, o.moved, func() {}
	}
	timer := time.NewTimer(time.Until(o.deadline))
	return timer.C, o.moved, func() { timer.Stop() }
}

// WriteTo sends a datagram from the port.
func (o *others) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-o.closed:
		return 0, net.ErrClosed
	default:
		return o.socket.WriteTo(b, to)
	}
}

// Close ends all reading and writing here.
func (o *others) Close() error {
	o.taken.Store(false)
	o.close()
	return nil
}

// LocalAddr is the address of the port.
func (o *others) LocalAddr() net.Addr { return o.socket.LocalAddr() }

// SetDeadline sets when reads end. Writes do not wait.
func (o *others) SetDeadline(t time.Time) error { return o.SetReadDeadline(t) }

// SetReadDeadline sets when reads end.
func (o *others) SetReadDeadline(t time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.deadline = t
	close(o.moved)
	o.moved = make(chan struct{})
	return nil
}

// SetWriteDeadline does nothing: writes do not wait.
func (o *others) SetWriteDeadline(time.Time) error { return nil }
