package eventlog

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"btda/events"
)

var testRun = events.RunID{1, 2, 3}

// start creates a log and appends the first event.
func start(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Create(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	must(t, l, &events.RunStarted{Run: testRun, Host: "here"})
	return l
}

func must(t testing.TB, l *Log, e events.Event) events.Seq {
	t.Helper()
	seq, err := l.Append(context.Background(), l.Now(), e)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func have(piece int) events.Event {
	return &events.HaveReceived{Session: 7, Piece: events.PieceIndex(piece)}
}

func closed(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func openLog(t testing.TB, dir string, o Options) *Reader {
	t.Helper()
	r, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRefusals(t *testing.T) {
	fs := vfs.NewMem()
	l, err := Create("/log", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	wantError := func(err error, text string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
	_, err = l.Append(t.Context(), 1, have(1))
	wantError(err, "must be RunStarted")
	must(t, l, &events.RunStarted{Run: testRun})
	_, err = l.Append(t.Context(), 1, &events.RunStarted{})
	wantError(err, "must be RunStarted")
	_, err = l.Append(t.Context(), 1, &events.Unknown{Of: 99})
	wantError(err, "kind 99")
	_, err = l.Append(t.Context(), 1, &events.BitfieldReceived{Bitfield: make([]byte, maxPayload)})
	wantError(err, "more than")
	if seq := must(t, l, have(0)); seq != 2 {
		t.Errorf("an event that was refused took a number: the next is %d", seq)
	}
	_, err = Open("/log", Options{FS: fs})
	wantError(err, "in use")
	_, err = Create("/log", Options{FS: fs})
	wantError(err, "not empty")
	closed(t, l)
	closed(t, l)
	if s := l.Scan(t.Context(), 1); s.Next() || !errors.Is(s.Err(), ErrClosed) || s.Close() != nil {
		t.Errorf("a scan after the end gives %v", s.Err())
	}
	_, err = l.Append(t.Context(), 1, have(1))
	if wantError(err, "closed"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := l.WaitDurable(t.Context(), 3); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	_, err = Create("/log", Options{FS: fs})
	wantError(err, "never continued")
	_, err = Open("/nothing", Options{FS: fs})
	wantError(err, "/nothing")
	if err := fs.MkdirAll("/empty", 0o777); err != nil {
		t.Fatal(err)
	}
	_, err = Open("/empty", Options{FS: fs})
	wantError(err, "not an event log")
	for _, o := range []Options{{BlockEvents: -1}, {Blocks: 1}, {SyncInterval: -1}} {
		_, err = Create("/other", o)
		wantError(err, "want")
	}
}

// gate is a disk that does not sync while it is shut.
type gate struct {
	mu     sync.Mutex
	opened chan struct{}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = make(chan struct{})
}

// MaybeError waits.
func (g *gate) MaybeError(op errorfs.Op) error {
	if op.Kind != errorfs.OpFileSyncData && op.Kind != errorfs.OpFileSync {
		return nil
	}
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened != nil {
		<-opened
	}
	return nil
}

// String names the injector.
func (g *gate) String() string { return "gate" }

// TestBackPressure shuts the disk: appending goes on until all blocks are full, then it waits, is counted, and goes on
// when the disk does; nothing is lost.
func TestBackPressure(t *testing.T) {
	g := new(gate)
	fs := vfs.NewMem()
	l := start(t, "/log", Options{FS: errorfs.Wrap(fs, g), BlockEvents: 10, Blocks: 3, SyncEvents: 1})
	if err := l.WaitDurable(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	g.shut()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	n := 0
	for ; ; n++ {
		if _, err := l.Append(ctx, l.Now(), have(n)); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			break
		}
	}
	if count, waited := l.Waits(); n < 30 || n > 60 || n%10 != 0 || count == 0 || waited <= 0 || l.Durable() != 1 {
		t.Errorf("%d events were taken in, %d waits of %v in all, durable are %d", n, count, waited, l.Durable())
	}
	waiting := make(chan error, 5)
	for i := range cap(waiting) {
		go func() {
			_, err := l.Append(t.Context(), l.Now(), have(n+i))
			waiting <- err
		}()
	}
	close(g.opened)
	for range cap(waiting) {
		if err := <-waiting; err != nil {
			t.Error(err)
		}
	}
	closed(t, l)
	if v, err := Verify("/log", Options{FS: fs}); err != nil || v.Records != uint64(n+6) {
		t.Error(v, err)
	}
}

// TestAppendAllocatesNothing measures the way into the log.
func TestAppendAllocatesNothing(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem(), BlockEvents: 1 << 20, BlockBytes: 1 << 26, SyncInterval: time.Hour})
	defer closed(t, l)
	all := newSwarm(6).events(1000)
	ctx := context.Background()
	i := 0
	allocations := testing.AllocsPerRun(20000, func() {
		if _, err := l.Append(ctx, 1, all[i%len(all)]); err != nil {
			t.Fatal(err)
		}
		i++
	})
	if allocations != 0 {
		t.Errorf("%v allocations for each event", allocations)
	}
}

// TestSyncInterval wants an event durable soon, though its block is not full.
func TestSyncInterval(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: 20 * time.Millisecond})
	defer closed(t, l)
	began := time.Now()
	if err := l.WaitDurable(t.Context(), must(t, l, have(0))); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestReaders opens a log twice, and from a folder that cannot be written.
func TestReaders(t *testing.T) {
	disk := vfs.NewMem()
	closed(t, start(t, "/log", Options{FS: disk}))
	readOnly := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose {
			return syscall.EROFS
		}
		return nil
	}))
	for _, fs := range []vfs.FS{disk, disk, readOnly} {
		r := openLog(t, "/log", Options{FS: fs})
		wantHaves(t, r.Scan(1), 1, 1)
		defer closed(t, r)
		defer closed(t, r) // as often as one likes
	}
}
