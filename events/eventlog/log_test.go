package eventlog_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"btda/events"
	"btda/events/eventlog"
)

func TestWhatIsAppendedIsScanned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	log, err := eventlog.Create(dir, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := log.Append(ctx, log.Now(), &events.RunStarted{Run: events.RunID{1}}); err != nil {
		t.Fatal(err)
	}
	var producers sync.WaitGroup
	for p := range 8 {
		producers.Go(func() {
			for i := range 20_000 {
				if _, err := log.Append(ctx, log.Now(), &events.HaveReceived{Session: events.SessionNumber(p + 1), Piece: events.PieceIndex(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	producers.Wait()
	if err := log.WaitDurable(ctx, 160_001); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := eventlog.Open(dir, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	seal, sealed := r.Sealed()
	if !sealed || seal.Count != 160_001 || r.Run() != (events.RunID{1}) {
		t.Errorf("seal %+v %v, run %v", seal, sealed, r.Run())
	}
	for _, from := range []events.Seq{1, 2, 999, 1000, 1001, 1002, 160_000, 160_001, 160_002} {
		s := r.Scan(from)
		next := from
		for s.Next() {
			if s.Record().Seq != next {
				t.Fatalf("record %d, want %d", s.Record().Seq, next)
			}
			next++
		}
		if s.Err() != nil || next != max(160_002, from) {
			t.Errorf("from %d: ended before %d: %v", from, next, s.Err())
		}
		s.Close()
	}
}
