package recorder

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
	"btda/input"
	"btda/recorder/swarm"
	"btda/recorder/wire"
)

// heldPeers tells a child process of the tests that it is to serve the peers of held sessions, so that what is measured is the recorder alone.
const heldPeers = "BTDA_TEST_HELD_PEERS"

const heldPieces = 4000

// serveHeldPeers serves one port of all loopback addresses until standard input ends. Its first line of output is where. Each peer shakes
// hands, sends a bitfield and an extension handshake that offers metadata, and stays.
func serveHeldPeers() {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	said := wire.Handshake{Reserved: wire.OurReserved(false), PeerID: events.PeerID{1}}.Append(nil)
	said = append(append(said, 0, 0, heldPieces/8>>8, heldPieces/8&0xff+1, byte(events.Bitfield)), make([]byte, heldPieces/8)...)
	said = wire.AppendExtended(said, 0, []byte("d1:md11:ut_metadatai9eee"))
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			defer conn.Close()
			io.ReadFull(conn, make([]byte, wire.HandshakeSize))
			conn.Write(said)
			io.Copy(io.Discard, conn)
		}()
	}
}

// startHeldPeers gives the port of a child process with peers.
func startHeldPeers(t testing.TB) (port uint16) {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run", "^$") // no test, if it were not to serve
	command.Env = append(os.Environ(), heldPeers+"=1")
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { input.Close(); command.Wait() })
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(strings.TrimSpace(line), &port); err != nil {
		t.Fatal(err)
	}
	return port
}

// memoryUse is bytes of heap and stacks in use.
type memoryUse struct{ heap, stacks float64 }

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
		list.Append(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}), port))
	}
	r.live.Load().intake.offer(named{torrent: 1, source: events.SourceTracker, from: events.ScopeLoopback, peers: list})
	awaitThat(t, func() bool { return told(r.live.Load()) == count })
	after := measureMemory()
	return memoryUse{(after.heap - before.heap) / float64(count), (after.stacks - before.stacks) / float64(count)}
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

// A session is a goroutine whose stack is 4 KiB as long as the frames below a waiting one are small.
func TestHeldSessionsTakeLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs the short tests, takes memory of its own")
	}
	const goal = 10 << 10
	if each := holdSessions(t, 500); each.heap+each.stacks > goal {
		t.Errorf("a session takes %.0f bytes of heap and %.0f of stacks, want at most %d in all", each.heap, each.stacks, goal)
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
