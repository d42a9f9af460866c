package eventlog

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestUnfinishedTable puts a table beside the log that the store does not list, cut off or with holes, as a crash leaves it
// while memory is written to tables: its records are in the write-ahead log, and verification passes over it.
func TestUnfinishedTable(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := smallLog(t, fs)
	left := readFolder(t, fs.CrashClone(vfs.CrashCloneCfg{}), "/log")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := left.verify(t)
	if err != nil || want.Sealed {
		t.Fatal(want, err)
	}
	whole := left[left.names(".sst")[0]]
	for _, name := range left.names(".sst") {
		if len(left[name]) > len(whole) {
			whole = left[name]
		}
	}
	check := func(what string, table []byte) {
		left["000999.sst"] = table
		if got, err := left.verify(t); err != nil || got != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	check("whole", whole)
	for at := 0; at < len(whole); at += 97 {
		check(fmt.Sprintf("cut to %d bytes", at), whole[:at])
		hole := slices.Clone(whole)
		clear(hole[at:min(at+128, len(hole))])
		check(fmt.Sprintf("a hole at %d of %d", at, len(whole)), hole)
	}
}
