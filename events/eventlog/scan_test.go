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

	"btda/events"
)

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
