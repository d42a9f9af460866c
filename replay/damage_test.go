package replay

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
	"btda/events/eventlog"
)

func TestBadLogsAndOptionsGiveAnErrorAndNoFile(t *testing.T) {
	empty, good := t.TempDir(), recordLogWith(t, eventlog.Options{BlockEvents: 1}, fromText(t, oneDownload))
	file := filepath.Join(empty, "file")
	if err := os.WriteFile(file, []byte("no log"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		logs []string
		want string
	}{
		"no log":           {nil, "no log to replay"},
		"nothing there":    {[]string{filepath.Join(empty, "missing")}, "missing"},
		"a file":           {[]string{file}, file},
		"a foreign folder": {[]string{empty}, empty},
		"a newer format":   {[]string{newerFormat(t, good)}, "newer"},
		"a damaged log":    {[]string{damaged(t, good)}, "copy.events"},
		"a cut log":        {[]string{cut(t, good)}, "it ends with record 6, its seal says 7"},
		"one of two":       {[]string{good, empty}, empty},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := optionsFor(test.logs...)
			folder := t.TempDir()
			o.Output = filepath.Join(folder, "result.sqlite")
			_, err := Run(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
				t.Errorf("the output folder holds %v, %v; want nothing", entries, err)
			}
		})
	}
}

// edited copies a log and changes what it holds: change gives the new value of each key, or nil to delete it.
func edited(t *testing.T, folder string, change func(key, value []byte) []byte) string {
	t.Helper()
	copied := copyLog(t, folder)
	db, err := pebble.Open(copied, &pebble.Options{Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	iter, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := db.NewBatch()
	for iter.First(); iter.Valid(); iter.Next() {
		key := bytes.Clone(iter.Key())
		if value := change(key, bytes.Clone(iter.Value())); value != nil {
			err = errors.Join(err, batch.Set(key, value, nil))
		} else {
			err = errors.Join(err, batch.Delete(key, nil))
		}
	}
	if err := errors.Join(err, iter.Close(), batch.Commit(pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
	return copied
}

// The spaces of keys, as the page of the format has them, and where the kind of its first record stands in a block.
const (
	formatSpace = 1
	blockSpace  = 3
	kindOffset  = 62
)

// isBlockOf reports whether a key and its value are those of a block that begins with a record of a kind; never of a compressed one.
func isBlockOf(kind events.Kind, key, value []byte) bool {
	const flags, compressed = 1, 2
	return key[0] == blockSpace && value[flags]&compressed == 0 && value[kindOffset] == byte(kind)
}

// newerFormat copies a log and raises the version in its format record.
func newerFormat(t *testing.T, folder string) string {
	t.Helper()
	return edited(t, folder, func(key, value []byte) []byte {
		if key[0] == formatSpace {
			value[len(value)-1]++
		}
		return value
	})
}

// cut copies a log and takes its last record, number 7, away.
func cut(t *testing.T, folder string) string {
	t.Helper()
	return edited(t, folder, func(key, value []byte) []byte {
		if key[0] == blockSpace && key[8] == 7 {
			return nil
		}
		return value
	})
}

// silent is a logger of Pebble that says nothing.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}

// damaged copies a log and flips a bit in the middle of its largest table.
func damaged(t *testing.T, folder string) string {
	t.Helper()
	copied := copyLog(t, folder)
	tables, err := filepath.Glob(filepath.Join(copied, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v, %v: want some", tables, err)
	}
	for _, table := range tables {
		content, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/4] ^= 1
		if err := os.WriteFile(table, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// A record of a kind that this program does not know is passed over and counted, and changes nothing else.
func TestUnknownKindsAreCounted(t *testing.T) {
	log := recordLogWith(t, eventlog.Options{BlockEvents: 1}, fromText(t, oneDownload+"\n12 AcceptFailed reason=timeout"))
	found := 0
	newer := edited(t, log, func(key, value []byte) []byte {
		if isBlockOf(events.KindAcceptFailed, key, value) {
			value[kindOffset] = 99
			found++
		}
		return value
	})
	if found != 1 {
		t.Fatalf("%d records have kind %v at byte %d of their block, want 1: see the page of the format", found, events.KindAcceptFailed, kindOffset)
	}
	o := optionsFor(newer)
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	result, _ := replayLogs(t, o)
	if got := result.Skipped(); !slices.Equal(got, []Skipped{{Kind: 99, Count: 1}}) || result.Events() != 8 {
		t.Errorf("%d events, skipped %v; want 8, and one of kind 99", result.Events(), got)
	}
	if got := queryColumn(t, o.Output, "SELECT value FROM provenance WHERE name = 'log.1.skipped.kind.99'"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("provenance says %v of kind 99, want 1", got)
	}
	if got := queryColumn(t, o.Output, "SELECT count(*) FROM download"); got[0] != "1" {
		t.Errorf("%s downloads, want 1", got[0])
	}
}

// Damage in the journal of a log without a seal looks to the store like the torn end after a crash. Where a later block says that
// there was more, the log is not replayed, unless told to stop before.
func TestADamagedEndIsNotTakenForACrash(t *testing.T) {
	killed := recordKilledWith(t, eventlog.Options{BlockEvents: 1, SyncEvents: 1}, fromText(t, oneDownload))
	journals, err := filepath.Glob(filepath.Join(killed, "*.log"))
	if err != nil || len(journals) == 0 {
		t.Fatal(journals, err)
	}
	for _, journal := range journals {
		content, err := os.ReadFile(journal)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) > 0 {
			content[len(content)/2] ^= 1
		}
		if err := os.WriteFile(journal, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := optionsFor(killed)
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	if _, err := Run(t.Context(), o); !errors.Is(err, eventlog.ErrDamaged) || !strings.Contains(err.Error(), "--until") {
		t.Errorf("error %v, want damage, and the way to go on", err)
	}
	o.Until.Stops = []Stop{{Last: 2}}
	if result, _ := replayLogs(t, o); result.Events() != 2 || result.Runs[0].Ending != Open {
		t.Errorf("%d events, %s; want 2, with nothing that proves the end", result.Events(), result.Runs[0].Ending)
	}
}
