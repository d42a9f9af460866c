package recorder

import (
	"context"
	"net/netip"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
	"btda/input"
	"btda/recorder/session"
	"btda/recorder/swarm"
	"btda/recorder/swarmtest"
	"btda/recorder/wire"
)

// heldPeers is the part of a child process that serves the peers of held sessions, so that what is measured is the recorder alone. Each
// peer shakes hands, sends a bitfield and an extension handshake that offers metadata, and stays.
const heldPeers = "held peers"

const heldPieces = 4000

// startChild starts a copy of the test program that plays a part until the end of the test.
func startChild(t testing.TB, part string) *swarmtest.Child {
	t.Helper()
	child, err := swarmtest.StartChild(part)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := child.Close(); err != nil {
			t.Error(err)
		}
	})
	return child
}

// startHeldPeers gives the port of a child process with peers.
func startHeldPeers(t testing.TB) uint16 {
	t.Helper()
	port, err := startChild(t, heldPeers).Port()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// memoryUse is bytes of heap and stacks in use.
type memoryUse struct{ heap, stacks float64 }

func (m memoryUse) less(o memoryUse) memoryUse {
	return memoryUse{m.heap - o.heap, m.stacks - o.stacks}
}

func (m memoryUse) each(of int) memoryUse {
	return memoryUse{m.heap / float64(of), m.stacks / float64(of)}
}

// heldAddress gives each peer an address of its own.
func heldAddress(n int, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}), port)
}

// heldSays is all that a peer says.
func heldSays() []byte {
	said := wire.Handshake{Reserved: wire.OurReserved(false), PeerID: events.PeerID{1}}.Append(nil)
	said = append(append(said, 0, 0, heldPieces/8>>8, heldPieces/8&0xff+1, byte(events.Bitfield)), make([]byte, heldPieces/8)...)
	return wire.AppendExtended(said, 0, []byte("d1:md11:ut_metadatai9eee"))
}

// measureMemory collects garbage first. The stacks shrink by half with each collection.
func measureMemory() memoryUse {
	for range 5 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memoryUse{float64(m.HeapAlloc), float64(m.StackInuse)}
}

// holdSessions records so many peers at one time, to disk, and gives what the process takes more than without them, for each.
func holdSessions(t testing.TB, count int) memoryUse {
	t.Helper()
	port := startHeldPeers(t)
	settings := DefaultSettings()
	settings.NoUTP = true // a socket would stop the time in bubbles
	settings.Events, settings.Sessions, settings.DialRate = filepath.Join(t.TempDir(), "run.events"), count, 10_000
	settings.Timeout = time.Minute // all connect at once
	r, err := New(settings, []input.Torrent{{MetadataKnown: true, Metadata: events.Metadata{PieceCount: heldPieces, TotalLength: 1}}}, Deps{
		CreateLog: func(dir string) (Log, error) { return eventlog.Create(dir, eventlog.Options{}) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- r.Run(ctx) }()
	defer func() {
		stop()
		if err := <-result; err != nil {
			t.Error(err)
		}
	}()
	awaitThat(t, func() bool { return r.live.Load() != nil })
	before := measureMemory()
	var list events.PeerList
	for n := range count {
		list.Append(heldAddress(n, port))
	}
	r.live.Load().intake.offer(named{torrent: 1, source: events.SourceTracker, from: events.ScopeLoopback, peers: list})
	awaitThat(t, func() bool { return told(r.live.Load()) == count })
	after := measureMemory()
	return after.less(before).each(count)
}

// awaitThat asks until something holds.
func awaitThat(t testing.TB, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(time.Minute); !holds(); <-ticker.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain for a minute")
		}
	}
}

// told counts the peers that have told about their pieces.
func told(r *run) (n int) {
	r.dispatcher.look(func(*swarm.Schedule) {
		for _, a := range r.dispatcher.attempts {
			if a.progress.Pieces().Known {
				n++
			}
		}
	})
	return n
}

// holdBare holds so many connections, each by a goroutine with a read buffer that made it, and gives what each takes.
func holdBare(t testing.TB, count int) memoryUse {
	t.Helper()
	port := startHeldPeers(t)
	ctx, stop := context.WithCancel(t.Context())
	var holding, ready sync.WaitGroup
	before := measureMemory()
	for n := range count {
		ready.Add(1)
		holding.Go(func() { holdConnection(ctx, t, heldAddress(n, port), ready.Done) })
	}
	ready.Wait()
	after := measureMemory()
	stop()
	holding.Wait()
	return after.less(before).each(count)
}

// holdConnection reads all that a peer says, and then waits for more until ctx is done.
func holdConnection(ctx context.Context, t testing.TB, to netip.AddrPort, ready func()) {
	conn, err := session.TCP{}.Dial(ctx, to)
	if err != nil {
		t.Error(err)
		ready()
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.Write(wire.Handshake{}.Append(nil))
	buffer := make([]byte, 512)
	for left := len(heldSays()); ; {
		n, err := conn.Read(buffer)
		if left -= n; n > 0 && left == 0 {
			ready()
		}
		if err != nil {
			return
		}
	}
}

// A session takes at most twice what a goroutine with a read buffer does, beside one bit a piece. Under the race detector, which takes more for
// both, that holds too.
func TestHeldSessionsTakeLittleMemory(t *testing.T) {
	const count = 1000
	bare, each := holdBare(t, count), holdSessions(t, count)
	if most := 2*(bare.heap+bare.stacks) + heldPieces/8; each.heap+each.stacks > most {
		t.Errorf("a session takes %.0f bytes of heap and %.0f of stacks, want at most %.0f in all: a bare one takes %.0f and %.0f",
			each.heap, each.stacks, most, bare.heap, bare.stacks)
	}
}

// BenchmarkHeldSessions holds sessions with peers in another process, recorded to disk.
func BenchmarkHeldSessions(b *testing.B) {
	for b.Loop() {
		each := holdSessions(b, 2000)
		b.ReportMetric(each.heap, "heap-B/session")
		b.ReportMetric(each.stacks, "stack-B/session")
		b.ReportMetric(each.heap+each.stacks, "B/session")
	}
}
