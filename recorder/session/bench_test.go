package session_test

import (
	"context"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/swarmtest"
)

// The peers of the benchmarks run in a process of their own, so that what is measured here is the observer alone: they leave after what they
// have to say, or hold the connection.
const (
	leavingPeers = "peers that leave"
	holdingPeers = "peers that hold"
)

const benchPieces = 4000

// benchSaid is all that a peer says, its handshake first and its extension handshake last.
func benchSaid() []byte {
	said := append(answer(modern), frame(events.Bitfield, make([]byte, benchPieces/8)...)...)
	for i := range uint32(20) {
		said = append(said, have(i)...)
	}
	return append(said, extended(0, offersMetadata)...)
}

// startPeers starts the process of the peers and gives the address of one.
func startPeers(b *testing.B, part string) netip.AddrPort {
	b.Helper()
	child, err := swarmtest.StartChild(part)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { child.Close() })
	port, err := child.Port()
	if err != nil {
		b.Fatal(err)
	}
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
}

// encoder is a log that encodes and forgets: what a session costs without what storage costs.
type encoder struct {
	said func() // called when a peer has said all

	mu     sync.Mutex
	enc    events.Encoder
	buffer []byte
	last   events.Seq
}

func (e *encoder) onSaid(do func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = do
}

func (e *encoder) Now() events.Time { return events.TimeOf(time.Now()) }

func (e *encoder) Append(_ context.Context, _ events.Time, event events.Event) (events.Seq, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	e.buffer, err = e.enc.Append(e.buffer[:0], event)
	e.last++
	if _, ok := event.(*events.ExtensionHandshakeReceived); ok && e.said != nil {
		e.said()
	}
	return e.last, err
}

func benchObserver(log events.Appender) *session.Observer {
	return &session.Observer{Log: log, Dialer: session.TCP{}, PeerID: ourID, Client: "btda test", Timeout: 30 * time.Second, Revisit: time.Hour}
}

func benchContact(to netip.AddrPort) *session.Contact {
	t := session.Torrent{Number: 1, InfoHash: infoHash, Pieces: benchPieces, Complete: benchPieces}
	return &session.Contact{Number: 1, Torrent: t, Address: to}
}

// BenchmarkContacts connects, shakes hands, takes in a bitfield, 20 haves and an extension handshake, and is hung up on, 64 peers at one time.
func BenchmarkContacts(b *testing.B) {
	to := startPeers(b, leavingPeers)
	o := benchObserver(new(encoder))
	began := processorTime(b)
	b.ReportAllocs()
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if outcome := o.Contact(b.Context(), benchContact(to)); outcome.Pieces != events.Some(20) {
				b.Errorf("outcome %+v", outcome)
			}
		}
	})
	b.ReportMetric(float64(b.N)/(processorTime(b)-began).Seconds(), "contacts/cpu-s")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkHeldSessions holds sessions after some traffic, and before that as many bare goroutines with a read buffer of 512 bytes on the
// same traffic. The memory of one is that of heap and stacks.
func BenchmarkHeldSessions(b *testing.B) {
	const count = 2000
	to := startPeers(b, holdingPeers)
	for b.Loop() {
		bare := hold(b, count, func(ctx context.Context, ready func()) { holdBare(ctx, b, to, ready) })
		log := new(encoder)
		o, contact := benchObserver(log), benchContact(to)
		held := hold(b, count, func(ctx context.Context, ready func()) {
			log.onSaid(ready)
			o.Contact(ctx, contact)
		})
		b.ReportMetric(bare, "B/bare")
		b.ReportMetric(held, "B/session")
		b.ReportMetric(held/(bare+benchPieces/8), "ratio")
	}
}

// hold runs a function many times at once and gives the memory of one of them after all are ready.
func hold(b *testing.B, count int, run func(ctx context.Context, ready func())) float64 {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var running, ready sync.WaitGroup
	before := memory()
	for range count {
		ready.Add(1)
		running.Go(func() { run(ctx, ready.Done) })
	}
	ready.Wait()
	after := memory()
	cancel()
	running.Wait()
	return (after - before) / float64(count)
}

// memory is that of heap and stacks. The stacks shrink by half with each collection.
func memory() float64 {
	for range 5 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// holdBare reads all that a peer says, and then waits for more.
func holdBare(ctx context.Context, b *testing.B, to netip.AddrPort, ready func()) {
	conn, err := session.TCP{}.Dial(ctx, to)
	if err != nil {
		b.Error(err)
		ready()
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.Write(answer(modern))
	buffer := make([]byte, 512)
	for left := len(benchSaid()); ; {
		n, err := conn.Read(buffer)
		if left -= n; n > 0 && left == 0 {
			ready()
		}
		if err != nil {
			return
		}
	}
}
