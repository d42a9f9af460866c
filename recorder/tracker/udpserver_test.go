package tracker

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"btda/events"
)

// udpServer is a UDP tracker on loopback that answers as a test says. It is written from BEP 15 and shares no codec with the client.
type udpServer struct {
	*net.UDPConn
	url   string
	reply func(q udpQuestion) // runs in the goroutine that reads

	mu    sync.Mutex
	asked []udpQuestion
}

// udpQuestion is a datagram of the client.
type udpQuestion struct {
	from        netip.AddrPort
	packet      []byte
	connection  uint64
	action      uint32
	transaction uint32
}

// testConnection is the connection id that udpServer gives.
const testConnection = 0x0123456789abcdef

// serveUDP starts a tracker on an address, or an address and port. A reply of nil is good.
func serveUDP(t *testing.T, address string, reply func(s *udpServer, q udpQuestion)) *udpServer {
	t.Helper()
	if _, err := netip.ParseAddr(address); err == nil {
		address = net.JoinHostPort(address, "0")
	}
	s, err := listenUDP(address)
	if err != nil {
		t.Fatal(err)
	}
	s.start(t, reply)
	return s
}

func listenUDP(address string) (*udpServer, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	if err != nil {
		return nil, err
	}
	return &udpServer{UDPConn: conn, url: "udp://" + conn.LocalAddr().String() + "/announce"}, nil
}

// Addr is where it listens.
func (s *udpServer) Addr() net.Addr { return s.LocalAddr() }

func (s *udpServer) start(t *testing.T, reply func(s *udpServer, q udpQuestion)) {
	if reply == nil {
		reply = (*udpServer).good
	}
	s.reply = func(q udpQuestion) { reply(s, q) }
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.serve()
	}()
	t.Cleanup(func() { s.Close(); <-ended })
}

func (s *udpServer) serve() {
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := s.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		p := append([]byte(nil), buffer[:n]...)
		q := udpQuestion{from: from, packet: p, connection: binary.BigEndian.Uint64(p), action: binary.BigEndian.Uint32(p[8:]), transaction: binary.BigEndian.Uint32(p[12:])}
		s.mu.Lock()
		s.asked = append(s.asked, q)
		s.mu.Unlock()
		s.reply(q)
	}
}

// questions are all that were asked of an action.
func (s *udpServer) questions(action uint32) []udpQuestion {
	s.mu.Lock()
	defer s.mu.Unlock()
	var some []udpQuestion
	for _, q := range s.asked {
		if q.action == action {
			some = append(some, q)
		}
	}
	return some
}

func (s *udpServer) send(to netip.AddrPort, parts ...[]byte) {
	var packet []byte
	for _, p := range parts {
		packet = append(packet, p...)
	}
	s.WriteToUDPAddrPort(packet, to)
}

// good answers with a connection id, with two peers, and with counts.
func (s *udpServer) good(q udpQuestion) {
	switch q.action {
	case 0:
		s.send(q.from, q.head(0), raw64(testConnection))
	case 1:
		s.send(q.from, q.head(1), raw32(1800, 4, 3), testPeers(q.from))
	case 2:
		s.send(q.from, q.head(2), raw32(5, 6, 7))
	}
}

// testPeers are two entries of the family.
func testPeers(to netip.AddrPort) []byte {
	if to.Addr().Unmap().Is4() {
		return []byte("\x7f\x00\x00\x01\x1a\xe1\x05\x06\x07\x08\x00\x50")
	}
	return []byte(strings.Repeat("\x20", 16) + "\x00\x35" + strings.Repeat("\x21", 16) + "\x00\x36")
}

// head is what an answer to the question begins with.
func (q udpQuestion) head(action uint32) []byte { return raw32(action, q.transaction) }

func raw32(numbers ...uint32) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

func raw64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// udpClient is a testClient that is closed when the test ends.
func udpClient(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	c := testClient(change...)
	t.Cleanup(c.Close)
	return c
}

// checkGood holds an answer against what good said.
func checkGood(t *testing.T, s *udpServer, got Announcement) {
	t.Helper()
	if got.Failure != nil {
		t.Fatalf("failed: %+v", got.Failure)
	}
	a := got.Answer
	if a.Interval != events.Some(1800) || a.Leechers != events.Some(4) || a.Seeders != events.Some(3) || a.Completed.Known || a.MinInterval.Known ||
		a.Peers.Len() != 2 || a.InvalidPeers != 0 || a.Remote.String() != s.LocalAddr().String() || !got.Sent {
		t.Errorf("answer %+v", a)
	}
}
