package recorder

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/input"
)

// recordOnDisk records on a disk for ten seconds, in a bubble. The folder of the log is made by nobody.
func recordOnDisk(t *testing.T, minFree ByteSize, free func(elapsed time.Duration) (uint64, error)) (records []events.Record, asked string, err error) {
	synctest.Test(t, func(t *testing.T) {
		settings := DefaultSettings()
		settings.NoUTP = true // a socket would stop the time of the bubble
		home := t.TempDir()
		settings.Events, settings.Duration, settings.MinFree = filepath.Join(home, "output", "run.events"), 10*time.Second, minFree
		log, began := bubbleLog{eventstest.NewLog()}, time.Now()
		r, failed := New(settings, []input.Torrent{{MetadataKnown: true}}, Deps{
			CreateLog: func(string) (Log, error) { return log, nil },
			FreeSpace: func(dir string) (uint64, error) {
				asked = strings.Replace(dir, home, "home", 1)
				return free(time.Since(began))
			},
		})
		if failed != nil {
			t.Fatal(failed)
		}
		err = r.Run(t.Context())
		records = log.Records()
	})
	return records, asked, err
}

func lastReason(t *testing.T, records []events.Record) events.Reason {
	t.Helper()
	if len(records) == 0 {
		t.Fatal("nothing was recorded")
	}
	stopped, ok := records[len(records)-1].Event.(*events.RunStopped)
	if !ok {
		t.Fatalf("the last event is %v, want RunStopped", records[len(records)-1].Event.Kind())
	}
	return stopped.Reason
}

func TestARecordingStopsInOrderBeforeTheDiskIsFull(t *testing.T) {
	records, asked, err := recordOnDisk(t, 100<<20, func(elapsed time.Duration) (uint64, error) {
		return 150<<20 - uint64(elapsed.Seconds()*(10<<20)), nil // until 5 s
	})
	if !errors.Is(err, ErrDiskFull) || !strings.Contains(err.Error(), "run.events") || !strings.Contains(err.Error(), "--min-free is 100M") {
		t.Errorf("error %v, want one that says what is full, and why that matters", err)
	}
	if reason := lastReason(t, records); reason != events.ReasonDiskFull {
		t.Errorf("stopped because of %v, want disk full", reason)
	}
	if lasted := records[len(records)-1].Time.Sub(records[0].Time); lasted < 5*time.Second || lasted > 8*time.Second {
		t.Errorf("it lasted %v, want it to end within some seconds after 5", lasted)
	}
	if asked != "home" {
		t.Errorf("%s was looked at, want the folder that exists", asked)
	}
}

func TestNothingIsRecordedOnADiskThatIsFull(t *testing.T) {
	records, _, err := recordOnDisk(t, 1<<30, func(time.Duration) (uint64, error) { return 1<<30 - 1, nil })
	if err == nil || errors.Is(err, ErrDiskFull) || !strings.Contains(err.Error(), "nothing was recorded") || len(records) > 0 {
		t.Errorf("%d events, error %v, want none and to be told", len(records), err)
	}
}

func TestADiskThatCannotBeReadIsNotWatched(t *testing.T) {
	for minFree, read := range map[ByteSize]func(time.Duration) (uint64, error){
		0:   func(time.Duration) (uint64, error) { return 0, nil },
		100: func(time.Duration) (uint64, error) { return 0, errors.ErrUnsupported },
	} {
		records, _, err := recordOnDisk(t, minFree, read)
		if reason := lastReason(t, records); err != nil || reason != events.ReasonDurationOver {
			t.Errorf("with --min-free %v: error %v, stopped because of %v; want the whole duration", minFree, err, reason)
		}
	}
}
