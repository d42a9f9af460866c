package eventlog

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
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

// wantHaves wants a RunStarted and then haves, from a number on, up to number last.
func wantHaves(t testing.TB, s *Scanner, from, last events.Seq) {
	t.Helper()
	next := from
	for ; s.Next(); next++ {
		r := s.Record()
		if r.Seq != next || r.Run != testRun || r.Time == 0 {
			t.Fatalf("record %+v, want number %d", r, next)
		}
		h, ok := r.Event.(*events.HaveReceived)
		if ok != (next > 1) || ok && h.Piece != events.PieceIndex(next-2) {
			t.Fatalf("record %d is %+v", next, r.Event)
		}
	}
	if s.Err() != nil || next != max(last+1, from) {
		t.Fatalf("the scan from %d ends before %d, want %d: %v", from, next, last+1, s.Err())
	}
	closed(t, s)
}

func TestScan(t *testing.T) {
	for name, o := range map[string]Options{
		"memory": {FS: vfs.NewMem()}, "disk": {}, "small blocks": {FS: vfs.NewMem(), BlockEvents: 3}, "small tables": {memTable: 32 << 10, BlockBytes: 99},
	} {
		t.Run(name, func(t *testing.T) {
			const last = 5001
			dir := filepath.Join(t.TempDir(), "a", "b.events")
			l := start(t, dir, o)
			for i := range last - 1 {
				must(t, l, have(i))
			}
			if err := l.WaitDurable(t.Context(), last); err != nil || l.Durable() != last || l.Appended() != last || l.Run() != testRun {
				t.Fatal(err, l.Durable(), l.Appended(), l.Run())
			}
			live := l.Scan(t.Context(), 1)
			closed(t, l)
			wantHaves(t, live, 1, last)
			r := openLog(t, dir, o)
			defer closed(t, r)
			for _, from := range []events.Seq{0, 1, 2, 3, 4, 5, 999, 1000, 1001, 1002, last - 1, last, last + 1, 1 << 40} {
				wantHaves(t, r.Scan(from), max(from, 1), last)
			}
			if s, ok := r.Sealed(); !ok || s.Records != last || s.Last != last || r.Run() != testRun {
				t.Errorf("seal %v %v, run %v", s, ok, r.Run())
			}
			if got, err := r.Last(); got != last || err != nil {
				t.Error(got, err)
			}
		})
	}
}

// TestFollow scans beside the writer, from several places, while events come one by one.
func TestFollow(t *testing.T) {
	const last = 3000
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond, BlockEvents: 64})
	var group sync.WaitGroup
	for _, from := range []events.Seq{1, 2, 63, 64, 65, 1000, last, last + 1, last + 100} {
		group.Go(func() { wantHaves(t, l.Scan(t.Context(), from), from, last) })
	}
	for i := range last - 1 {
		must(t, l, have(i))
		if i%500 == 0 {
			if err := l.WaitDurable(t.Context(), l.Appended()); err != nil {
				t.Fatal(err)
			}
		}
	}
	closed(t, l)
	group.Wait()
}

func TestFollowStopsWithContext(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem()})
	defer closed(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	s := l.Scan(ctx, 1)
	defer closed(t, s)
	if !s.Next() {
		t.Fatal(s.Err())
	}
	cancel()
	if s.Next() || !errors.Is(s.Err(), context.Canceled) {
		t.Error(s.Err())
	}
}

func TestEmptyLog(t *testing.T) {
	fs := vfs.NewMem()
	l, err := Create("/log", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, l)
	v, err := Verify("/log", Options{FS: fs})
	if err != nil || !v.Sealed || v.Records != 0 || v.Head != hashOf(formatRecord()) {
		t.Error(v, err)
	}
	r := openLog(t, "/log", Options{FS: fs})
	defer closed(t, r)
	wantHaves(t, r.Scan(1), 1, 0)
	if got, err := r.Last(); got != 0 || err != nil {
		t.Error(got, err)
	}
}

func TestDefinitions(t *testing.T) {
	fs := vfs.NewMem()
	l := start(t, "/log", Options{FS: fs, BlockEvents: 10})
	want := []events.Seq{1}
	for i := range 100 {
		must(t, l, have(i))
		if i%30 == 7 {
			want = append(want, must(t, l, &events.TorrentAdded{Torrent: 5, Path: strings.Repeat("x", i*i)}))
			want = append(want, must(t, l, &events.MetadataReceived{Torrent: 5}))
		}
	}
	want = append(want, must(t, l, &events.RunStopped{Reason: events.ReasonStopping}))
	closed(t, l)
	r := openLog(t, "/log", Options{FS: fs})
	defer closed(t, r)
	s, all := r.Definitions(), r.Scan(1)
	defer closed(t, s)
	defer closed(t, all)
	for _, seq := range want {
		if !s.Next() || s.Record().Seq != seq {
			t.Fatalf("got %+v, want number %d: %v", s.Record(), seq, s.Err())
		}
		for all.Next() && all.Record().Seq < seq {
		}
		if got, want := s.Record(), all.Record(); got.Time != want.Time || got.Run != want.Run || got.Event.Kind() != want.Event.Kind() {
			t.Errorf("the copy is %+v, the record %+v", got, want)
		}
	}
	if s.Next() || s.Err() != nil {
		t.Errorf("one more: %+v, %v", s.Record(), s.Err())
	}
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

// TestDigest wants a digest that does not depend on how the records are stored.
func TestDigest(t *testing.T) {
	var digests [][32]byte
	for _, o := range []Options{{BlockEvents: 7}, {BlockEvents: 100}, {BlockBytes: 500, memTable: 32 << 10}} {
		o.FS = vfs.NewMem()
		l, err := Create("/log", o)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range append([]events.Event{&events.RunStarted{Run: testRun}}, newSwarm(5).events(1000)...) {
			if _, err := l.Append(t.Context(), events.Time(i*i), e); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, l)
		v, err := Verify("/log", Options{FS: o.FS})
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, v.Digest)
	}
	if digests[0] != digests[1] || digests[0] != digests[2] || digests[0] == [32]byte{} {
		t.Errorf("digests %x", digests)
	}
}

// TestPayloads stores payloads around the lengths at which the length itself gets longer.
func TestPayloads(t *testing.T) {
	fs := vfs.NewMem()
	l := start(t, "/log", Options{FS: fs})
	lengths := []int{0, 1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 16370, 16380, 16384, 16390, 1 << 21, 12 << 20}
	rng := rand.NewChaCha8([32]byte{})
	var fields [][]byte
	for _, n := range lengths {
		b := make([]byte, n)
		rng.Read(b)
		fields = append(fields, b)
		must(t, l, &events.BitfieldReceived{Session: 1, Bitfield: b})
	}
	closed(t, l)
	r := openLog(t, "/log", Options{FS: fs})
	defer closed(t, r)
	s := r.Scan(2)
	defer closed(t, s)
	for _, want := range fields {
		if !s.Next() || !bytes.Equal(s.Record().Event.(*events.BitfieldReceived).Bitfield, want) {
			t.Fatalf("a bitfield of %d bytes: %v", len(want), s.Err())
		}
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

// TestUnknownKinds scans records of a newer program.
func TestUnknownKinds(t *testing.T) {
	l, w := newForeign(t)
	b := new(block)
	b.reset(1 << 10)
	b.first, b.count = 2, 2
	b.buf = append(b.buf, 100, 1, 0, 2, 'a', 'b') // kind 100, version 1
	b.buf = append(b.buf, byte(events.KindHaveReceived), 99, 0, 0)
	if err := w.write(b, true); err != nil {
		t.Fatal(err)
	}
	s := l.Scan(t.Context(), 2)
	for _, want := range []events.Kind{100, events.KindHaveReceived} {
		if !s.Next() {
			t.Fatal(s.Err())
		}
		if u, ok := s.Record().Event.(*events.Unknown); !ok || u.Of != want {
			t.Errorf("got %+v", s.Record().Event)
		}
	}
	if k := s.Skipped(); len(k) != 2 || k[100] != 1 || k[events.KindHaveReceived] != 1 {
		t.Error(k)
	}
	closed(t, s)
	w.acks.finish()
	closed(t, releaser{l.store})
}

// newForeign returns a log with a writer that the test runs.
func newForeign(t *testing.T) (*Log, *writer) {
	l, err := newLog("/log", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(l)
	b := l.open
	if err := b.append(new(events.Encoder), 1, 0, &events.RunStarted{Run: testRun}); err != nil {
		t.Fatal(err)
	}
	if err := w.write(b, true); err != nil {
		t.Fatal(err)
	}
	return l, w
}

type releaser struct{ *store }

// Close ends one use of the store.
func (r releaser) Close() error { return r.release() }
