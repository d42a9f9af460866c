package eventlog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestTablePace writes a table beside a write-ahead log that rests, and beside one that grows fast.
func TestTablePace(t *testing.T) {
	for _, c := range []struct {
		name    string
		journal int // bytes in the write-ahead log for each KiB of the table
		want    time.Duration
	}{
		{"journal rests", 0, time.Second / 64},
		{"journal grows slowly", 255, time.Second / 64},
		{"journal grows fast", 256, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wantPace(t, c.journal, c.want) })
		})
	}
}

// wantPace wants a table of 1 MiB to take so long.
func wantPace(t *testing.T, journal int, want time.Duration) {
	g := &guard{FS: vfs.NewMem(), report: func(err error) { t.Error(err) }}
	create := func(name string) vfs.File {
		f, err := g.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	log, table := create("000001.log"), create("000002.sst")
	defer closed(t, log)
	defer closed(t, table)
	began := time.Now()
	for range 1024 {
		for _, write := range []struct {
			to vfs.File
			n  int
		}{{log, journal}, {table, 1024}} {
			if _, err := write.to.Write(make([]byte, write.n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if took := time.Since(began).Round(time.Millisecond); took != want.Round(time.Millisecond) {
		t.Errorf("it took %v, want %v", took, want)
	}
}
