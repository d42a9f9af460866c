package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"btda/events"
	"btda/events/eventlog"
	"btda/events/eventstest"
)

// recordLog writes a real log of some events into a new folder and gives its path.
func recordLog(t testing.TB, all iter.Seq2[events.Time, events.Event]) string {
	t.Helper()
	return recordLogWith(t, eventlog.Options{}, all)
}

func recordLogWith(t testing.TB, o eventlog.Options, all iter.Seq2[events.Time, events.Event]) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "run.events")
	log := openForWriting(t, folder, o, all)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return folder
}

// recordKilled writes a log as a recorder leaves it that was killed: copied while it is open, all its events durable.
func recordKilled(t testing.TB, all iter.Seq2[events.Time, events.Event]) string {
	t.Helper()
	return recordKilledWith(t, eventlog.Options{}, all)
}

func recordKilledWith(t testing.TB, o eventlog.Options, all iter.Seq2[events.Time, events.Event]) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "run.events")
	log := openForWriting(t, folder, o, all)
	if err := log.WaitDurable(t.Context(), log.Appended()); err != nil {
		t.Fatal(err)
	}
	copied := copyLog(t, folder)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return copied
}

func openForWriting(t testing.TB, folder string, o eventlog.Options, all iter.Seq2[events.Time, events.Event]) *eventlog.Log {
	t.Helper()
	log, err := eventlog.Create(folder, o)
	if err != nil {
		t.Fatal(err)
	}
	for at, e := range all {
		if _, err := log.Append(t.Context(), at, e); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

// fromText gives the events of a text in the form of eventstest.
func fromText(t testing.TB, text string) iter.Seq2[events.Time, events.Event] {
	t.Helper()
	records, err := eventstest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(events.Time, events.Event) bool) {
		for _, r := range records {
			if !yield(r.Time, r.Event) {
				return
			}
		}
	}
}

// copyLog copies the folder of a log.
func copyLog(t testing.TB, folder string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.events")
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return copied
}

// replayLogs replays logs into a new file and gives what Run says and the bytes of the file.
func replayLogs(t testing.TB, o Options) (Result, []byte) {
	t.Helper()
	if o.Output == "" {
		o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	}
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(o.Output)
	if err != nil {
		t.Fatal(err)
	}
	return result, file
}

// optionsFor are the default options with some logs.
func optionsFor(logs ...string) Options {
	o := DefaultOptions()
	o.Logs = logs
	return o
}

// rounds is how often something random is tried: once in short mode.
func rounds(otherwise int) int {
	if testing.Short() {
		return 1
	}
	return otherwise
}

// sized is how large something random is: a tenth in short mode, where the race detector makes all of it slow.
func sized(otherwise int) int {
	if testing.Short() {
		return otherwise / 10
	}
	return otherwise
}

// sumOf names the content of a file.
func sumOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:8])
}

// firstOf cuts a run short.
func firstOf(n int, all iter.Seq2[events.Time, events.Event]) iter.Seq2[events.Time, events.Event] {
	return func(yield func(events.Time, events.Event) bool) {
		left := n
		for at, e := range all {
			if left--; left < 0 || !yield(at, e) {
				return
			}
		}
	}
}
