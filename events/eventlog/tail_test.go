package eventlog

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

// Beside the writer the definitions can be read up to what is durable, and a scanner tells how far it reaches without waiting.
func TestTailOfAGrowingLog(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond, BlockEvents: 4})
	appendDurable := func(all ...events.Event) {
		for _, e := range all {
			must(t, l, e)
		}
		if err := l.WaitDurable(t.Context(), l.Appended()); err != nil {
			t.Fatal(err)
		}
	}
	appendDurable(&events.TorrentAdded{Torrent: 1}, have(1), have(2), have(3), &events.MetadataReceived{Torrent: 1})
	s := l.Scan(t.Context(), 1)
	defer closed(t, s)
	for want := range events.Seq(6) {
		if !s.Next() || s.Record().Seq != want+1 || s.Reach() != 6 {
			t.Fatalf("record %+v, reach %d: %v", s.Record(), s.Reach(), s.Err())
		}
		if err := s.Rest(); err != nil { // only at its reach it does something
			t.Fatal(err)
		}
	}
	wantDefinitions(t, l, 6, 1, 2, 6)
	appendDurable(have(4), &events.TorrentAdded{Torrent: 2})
	wantDefinitions(t, l, 8, 1, 2, 6, 8)
	if l.Sealed() {
		t.Error("sealed while it is written")
	}
	closed(t, l)
	for want := events.Seq(7); want <= 8; want++ {
		if !s.Next() || s.Record().Seq != want || s.Reach() != 8 {
			t.Fatalf("after a rest: record %+v, reach %d: %v", s.Record(), s.Reach(), s.Err())
		}
	}
	if s.Next() || s.Err() != nil || !l.Sealed() {
		t.Errorf("after the end: %v, sealed %v", s.Err(), l.Sealed())
	}
	var whole [32]byte
	r := l.Scan(t.Context(), 1)
	for r.Next() {
	}
	whole = r.Digest()
	closed(t, r)
	if s.Digest() != whole {
		t.Error("rests changed the digest")
	}
}

func wantDefinitions(t *testing.T, l *Log, reach events.Seq, numbers ...events.Seq) {
	t.Helper()
	s := l.Definitions(t.Context())
	defer closed(t, s)
	for _, want := range numbers {
		if !s.Next() || s.Record().Seq != want {
			t.Fatalf("definition %d, want %d: %v", s.Record().Seq, want, s.Err())
		}
	}
	if s.Next() || s.Err() != nil || s.Reach() != reach {
		t.Fatalf("more definitions, %v, or reach %d instead of %d", s.Err(), s.Reach(), reach)
	}
}

func TestDefinitionsWaitForTheFirstRecord(t *testing.T) {
	l, err := Create("/log", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s := l.Definitions(ctx)
	if s.Next() || s.Err() == nil {
		t.Error("an empty log has a definition, or nothing waits for it")
	}
	closed(t, s)
	s = l.Definitions(t.Context())
	closed(t, l)
	if s.Next() || s.Err() != nil {
		t.Errorf("a log that was closed empty has a definition, or error %v", s.Err())
	}
	closed(t, s)
}
