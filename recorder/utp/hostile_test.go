package utp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/utp"
)

// The types of packets (BEP 29).
const (
	data  = 0
	fin   = 1
	state = 2
	reset = 3
	syn   = 4
)

// packet is a packet as a scripted peer sees it.
type packet struct {
	kind       byte
	connection uint16
	window     uint32
	seq, ack   uint16
	payload    []byte
}

func (p packet) bytes() []byte {
	b := []byte{p.kind<<4 | 1, 0}
	b = binary.BigEndian.AppendUint16(b, p.connection)
	b = append(b, 0, 0, 0, 1, 0, 0, 0, 1)
	b = binary.BigEndian.AppendUint32(b, p.window)
	b = binary.BigEndian.AppendUint16(b, p.seq)
	return append(binary.BigEndian.AppendUint16(b, p.ack), p.payload...)
}

func readPacket(b []byte) packet {
	p := packet{kind: b[0] >> 4, connection: binary.BigEndian.Uint16(b[2:]), window: binary.BigEndian.Uint32(b[12:]),
		seq: binary.BigEndian.Uint16(b[16:]), ack: binary.BigEndian.Uint16(b[18:])}
	if b[1] == 0 {
		p.payload = slices.Clone(b[20:])
	}
	return p
}

// scripted is a peer that speaks uTP packet by packet.
type scripted struct {
	*net.UDPConn
	to atomic.Pointer[netip.AddrPort] // who spoke last
}

func listen(t testing.TB) *scripted {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &scripted{UDPConn: c}
}

func (s *scripted) address() netip.AddrPort { return addressOf(s.LocalAddr()) }

func (s *scripted) send(p packet) { s.WriteToUDPAddrPort(p.bytes(), *s.to.Load()) }

// play hands every packet to a script until the socket is closed.
func (s *scripted) play(script func(packet)) {
	b := make([]byte, 2048)
	for {
		n, from, err := s.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		s.to.Store(&from)
		script(readPacket(b[:n]))
	}
}

// connect makes a connection to us and gives our first packet.
func (s *scripted) connect(t *testing.T, us *utp.Socket, first packet) packet {
	t.Helper()
	to := addressOf(us.Addr())
	s.to.Store(&to)
	s.send(first)
	s.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 2048)
	n, err := s.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return readPacket(b[:n])
}

// Sequence numbers wrap, in order and out of it.
func TestSequenceNumbersWrap(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	answer := peer.connect(t, us, packet{kind: syn, connection: 0xffff, seq: 0xfffd, window: 1 << 20})
	if answer.kind != state || answer.ack != 0xfffd || answer.connection != 0xffff {
		t.Fatalf("answered with %+v", answer)
	}
	conn, err := us.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, n := range []uint16{1, 0, 0xffff, 0xfffe} { // the connection number wraps too
		peer.send(packet{kind: data, connection: 0, seq: n, ack: answer.seq - 1, window: 1 << 20, payload: []byte{byte(n)}})
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 4)
	if _, err := io.ReadFull(conn, got); err != nil || !slices.Equal(got, []byte{0xfe, 0xff, 0, 1}) {
		t.Errorf("read %v, %v", got, err)
	}
}

// A window of 0 holds back what we say, not for ever, and not what we hear.
func TestAWindowOfZero(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	answer := peer.connect(t, us, packet{kind: syn, connection: 7, seq: 1})
	conn, err := us.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := conn.Write(make([]byte, 10_000)); reasonOf(err) != events.ReasonTimeout || n == 10_000 {
		t.Errorf("wrote %d bytes: %v", n, err)
	}
	peer.send(packet{kind: data, connection: 8, seq: 2, ack: answer.seq - 1, payload: []byte("still here")})
	conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 10)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "still here" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestAResetEndsAConnection(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	answer := peer.connect(t, us, packet{kind: syn, connection: 7, seq: 1, window: 1 << 20})
	conn, err := us.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer.send(packet{kind: reset, connection: 8, seq: 2, ack: answer.seq})
	if _, err := conn.Read(make([]byte, 1)); reasonOf(err) != events.ReasonReset {
		t.Errorf("read: %v", err)
	}
	if _, err := conn.Write(make([]byte, 1)); reasonOf(err) != events.ReasonReset {
		t.Errorf("write: %v", err)
	}
}

// A reset with the right numbers from another address ends nothing.
func TestAResetFromElsewhereEndsNothing(t *testing.T) {
	us, peer, stranger := open(t, "127.0.0.1:0", true), listen(t), listen(t)
	answer := peer.connect(t, us, packet{kind: syn, connection: 7, seq: 1, window: 1 << 20})
	conn, err := us.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	to := addressOf(us.Addr())
	stranger.to.Store(&to)
	stranger.send(packet{kind: reset, connection: 8, seq: 2, ack: answer.seq})
	connected(t, open(t, "127.0.0.1:0", false), us) // by then what came before is done
	peer.send(packet{kind: data, connection: 8, seq: 2, ack: answer.seq - 1, window: 1 << 20, payload: []byte("still here")})
	conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 10)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "still here" {
		t.Errorf("read %q, %v", got, err)
	}
}

// A peer that asks for the number that we are using with it must not get the library to fail.
func TestNobodyTakesOurConnections(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	var tried sync.Once
	go peer.play(func(p packet) {
		if p.kind != syn {
			return
		}
		tried.Do(func() {
			for n := -1; n <= 1; n++ {
				peer.send(packet{kind: syn, connection: p.connection + uint16(n), seq: 1})
			}
		})
		peer.send(packet{kind: state, connection: p.connection, seq: 5, ack: p.seq, window: 1 << 20})
	})
	conn, err := dial(t, us, peer.address(), patience)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	stranger := listen(t)
	stranger.connect(t, us, packet{kind: syn, connection: 9, seq: 1})
	accepted, err := us.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	if got := addressOf(accepted.RemoteAddr()); got != stranger.address() {
		t.Errorf("accepted %v, which we had dialled, before %v", got, stranger.address())
	}
}

// A peer that takes no connection connects to us while we dial it in vain, and again while that connection lasts.
func TestWhoIsDialledConnects(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	var asked sync.Once
	go peer.play(func(p packet) {
		if p.kind == syn {
			asked.Do(func() {
				peer.send(packet{kind: syn, connection: p.connection + 100, seq: 1, window: 1 << 20})
				peer.send(packet{kind: syn, connection: p.connection + 200, seq: 1, window: 1 << 20})
			})
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	dialled := make(chan error, 1)
	go func() {
		_, err := utp.Sockets{us}.Dial(ctx, peer.address())
		dialled <- err
	}()
	for range 2 {
		conn, err := us.Listener().Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := addressOf(conn.RemoteAddr()); got != peer.address() {
			t.Errorf("accepted %v, want %v", got, peer.address())
		}
	}
	cancel()
	if err := <-dialled; !errors.Is(err, context.Canceled) {
		t.Errorf("dialled: %v", err)
	}
}

// A peer that asks for a connection and is dialled at once must not get the library to give both one number: the one is answered before the other
// is asked for.
func TestADialWaitsForAnAnswer(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	began := time.Now()
	peer.connect(t, us, packet{kind: syn, connection: 7, seq: 1})
	if _, err := dial(t, us, peer.address(), 10*time.Millisecond); time.Since(began) < answerTime && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up while it waits: %v", err)
	}
	asked := make(chan time.Time, 1)
	go peer.play(func(p packet) {
		if p.kind == syn {
			select {
			case asked <- time.Now():
			default:
			}
			peer.send(packet{kind: state, connection: p.connection, seq: 5, ack: p.seq, window: 1 << 20})
		}
	})
	conn, err := dial(t, us, peer.address(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if waited := (<-asked).Sub(began); waited < answerTime {
		t.Errorf("asked for a connection %v after the peer did, want at least %v", waited, answerTime)
	}
}

// answerTime is how long a SYN may be unanswered.
const answerTime = 100 * time.Millisecond

// floodSources are the addresses of a flood.
const floodSources = 10_000

// A flood of SYNs from many addresses is let through at a bounded rate, what is kept of it is bounded, and a peer that goes on asking gets in.
func TestAFloodOfSYNs(t *testing.T) {
	us := open(t, "127.0.0.1:0", true)
	go func() {
		for {
			conn, err := us.Listener().Accept()
			if err != nil {
				return
			}
			if addressOf(conn.RemoteAddr()).Addr() == netip.MustParseAddr("127.0.0.1") {
				conn.Write([]byte("welcome"))
			}
			conn.Close()
		}
	}()
	before := heap()
	began := time.Now()
	sent := flood(t, addressOf(us.Addr()))
	elapsed := time.Since(began)
	grown := heap() - before
	most := 100 + 51*elapsed.Seconds() + 50
	t.Logf("%d SYNs in %v: the heap grew by %d KiB", sent, elapsed.Round(time.Millisecond), grown>>10)
	if bound := int64(most) * 16 << 10; grown > bound {
		t.Errorf("the heap grew by %d bytes, want at most 16 KiB for each of %.0f connections", grown, most)
	}
	peer := open(t, "127.0.0.1:0", false)
	conn, err := dial(t, peer, addressOf(us.Addr()), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(patience))
	if said, err := io.ReadAll(conn); string(said) != "welcome" {
		t.Errorf("a peer of good will heard %q, %v", said, err)
	}
}

// flood sends SYNs from many addresses of 127.0.0.0/8.
func flood(t *testing.T, to netip.AddrPort) (sent int) {
	t.Helper()
	for i := range floodSources {
		from := net.IPv4(127, 1, byte(i>>8), byte(i))
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: from})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WriteToUDPAddrPort(packet{kind: syn, connection: uint16(i), seq: 1}.bytes(), to); err == nil {
			sent++
		}
		c.Close()
	}
	return sent
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Packets of no connection are answered with resets, which must not make us a weapon against somebody else.
func TestStrayPacketsAreSeldomAnswered(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	var answers atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		peer.play(func(p packet) {
			if p.kind == reset {
				answers.Add(1)
			}
		})
	}()
	to := addressOf(us.Addr())
	began := time.Now()
	for i := range 5000 {
		peer.WriteToUDPAddrPort(packet{kind: data, connection: uint16(3 * i), seq: 1, payload: []byte("stray")}.bytes(), to)
	}
	connected(t, open(t, "127.0.0.1:0", false), us) // by then what came before is done
	peer.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	<-done
	if n, most := answers.Load(), int64(100+51*time.Since(began).Seconds()); n == 0 || n > most {
		t.Errorf("%d answers to 5000 stray packets, want at most %d", n, most)
	}
}

// What one peer makes us hold is bounded, however large its packets are and however far ahead of what is missing.
func TestWhatIsHeldIsBounded(t *testing.T) {
	us, peer := open(t, "127.0.0.1:0", true), listen(t)
	answer := peer.connect(t, us, packet{kind: syn, connection: 7, seq: 1, window: 1 << 20})
	conn, err := us.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	before := heap()
	for round := range 3 {
		for n := range uint16(400) {
			peer.send(packet{kind: data, connection: 8, seq: 3 + n, ack: answer.seq - 1, payload: make([]byte, 1400+5000*round)})
		}
	}
	connected(t, open(t, "127.0.0.1:0", false), us)
	grown := heap() - before
	t.Logf("the heap grew by %d KiB", grown>>10)
	if grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes, want at most 256 packets of 1500", grown)
	}
}
