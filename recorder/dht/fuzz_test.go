package dht

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"btda/events"
)

// tagAgain makes an answer one to a query of ours, so that fuzzing gets past the tag.
func tagAgain(g *guard, data []byte, from events.Address) []byte {
	m, err := parseMessage(data)
	if err != nil || m.kind == queryKind || len(m.transaction) > maxTransaction-tagSize {
		return data
	}
	m.transaction = g.tagged(m.transaction, from)
	return m.append(nil)
}

// What the guard lets in the library decodes, without an error, and the guard reads it as the same again.
func FuzzGuard(f *testing.F) {
	g := newGuard(judgeLoosely)
	from := address("127.0.0.9:6881")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := g.admit(tagAgain(g, data, from), from)
		if err != nil {
			return
		}
		canonical := m.append(nil)
		var read krpc.Msg
		if err := bencode.Unmarshal(canonical, &read); err != nil {
			t.Fatalf("%q became %q: %v", data, canonical, err)
		}
		again, err := parseMessage(canonical)
		if err != nil {
			t.Fatalf("%q became %q: %v", data, canonical, err)
		}
		if twice := again.append(nil); string(twice) != string(canonical) {
			t.Fatalf("%q became %q, and that %q", data, canonical, twice)
		}
		if len(canonical) > 2*len(data)+1024 {
			t.Fatalf("%d bytes became %d", len(data), len(canonical))
		}
	})
}

// A server of the library behind the guard survives every datagram, and answers a good one afterwards.
func FuzzServer(f *testing.F) {
	n := startQuietNode(f)
	sender := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.9:6881"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n.gateway.take(tagAgain(n.gateway.guard, data, addressOf(sender)), sender)
		n.gateway.take(data, sender)
		n.config.Conn.(*deafSocket).await(t, "sound", func() { n.gateway.take([]byte("d1:ad2:id20:"+testID+"e1:q4:ping1:t5:sound1:y1:qe"), sender) })
	})
}

// startQuietNode starts a server behind a guard whose socket leads nowhere.
func startQuietNode(t testing.TB) *Node {
	n := NewNode(testConfig(newDeafSocket()))
	n.serve(n.loadTable())
	t.Cleanup(func() { n.server.Load().Close() })
	return n
}

// deafSocket is a socket at which nothing comes in; what is sent is kept until it is awaited.
type deafSocket struct {
	net.PacketConn // nil: the rest is not used
	sent           chan []byte
	closed         chan struct{}
	once           sync.Once
}

func newDeafSocket() *deafSocket {
	return &deafSocket{sent: make(chan []byte, 100), closed: make(chan struct{})}
}

func (s *deafSocket) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case s.sent <- append([]byte(nil), b...):
	default:
	}
	return len(b), nil
}

func (s *deafSocket) ReadFrom([]byte) (int, net.Addr, error) {
	<-s.closed
	return 0, nil, net.ErrClosed
}

func (s *deafSocket) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (s *deafSocket) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// await asks until a message of a transaction was sent: a question is dropped, as any datagram, while too many others wait.
func (s *deafSocket) await(t *testing.T, transaction string, ask func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for ask(); ; {
		select {
		case <-again.C:
			ask()
		case b := <-s.sent:
			if m, err := parseMessage(b); err == nil && string(m.transaction) == transaction {
				return
			}
		case <-ctx.Done():
			t.Fatal("the server does not answer any more")
		}
	}
}
