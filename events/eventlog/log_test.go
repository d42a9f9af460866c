package eventlog

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

var testRun = events.RunID{1, 2, 3}

func start(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Create(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(context.Background(), l.Now(), &events.RunStarted{Run: testRun, Host: "here"}); err != nil {
		t.Fatal(err)
	}
	return l
}

func have(t testing.TB, l *Log, piece int) events.Seq {
	t.Helper()
	seq, err := l.Append(context.Background(), l.Now(), &events.HaveReceived{Session: 7, Piece: events.PieceIndex(piece)})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestWrittenIsRead(t *testing.T) {
	for _, fs := range []vfs.FS{vfs.NewMem(), vfs.Default} {
		dir := t.TempDir() + "/x.events"
		l := start(t, dir, Options{FS: fs})
		for i := range 12345 {
			have(t, l, i)
		}
		if err := l.WaitDurable(context.Background(), 12346); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		live := l.Scan(ctx, 1)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		check(t, live, 12346)
		r, err := Open(dir, Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		check(t, r.Scan(1), 12346)
		if r.Run() != testRun {
			t.Errorf("run %v", r.Run())
		}
		if s, ok := r.Sealed(); !ok || s.Records != 12346 {
			t.Error(s, ok)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func check(t *testing.T, s *Scanner, n int) {
	t.Helper()
	defer s.Close()
	count := 0
	for s.Next() {
		count++
		r := s.Record()
		if r.Seq != events.Seq(count) || r.Run != testRun {
			t.Fatal(r.Seq, count, r.Run)
		}
		if h, ok := r.Event.(*events.HaveReceived); ok && h.Piece != events.PieceIndex(count-2) {
			t.Fatal(h, count)
		}
	}
	if s.Err() != nil || count != n {
		t.Fatal(s.Err(), count)
	}
}

func TestVerifySealed(t *testing.T) {
	fs := vfs.NewMem()
	l := start(t, "/x", Options{FS: fs})
	for i := range 5000 {
		have(t, l, i)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := Verify("/x", Options{FS: fs})
	if err != nil || !v.Sealed || v.Records != 5001 {
		t.Fatal(v, err)
	}
}
