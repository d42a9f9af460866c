package eventlog

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

// Options are the settings of a log. The zero value is what a recorder wants.
type Options struct {
	// FS is the file system; nil is the disk.
	FS vfs.FS
	// BlockEvents is the number of events after which a block is complete; 0 is 1,000.
	BlockEvents int
	// BlockBytes is the size after which a block is complete, in bytes; 0 is 256 KiB. One event may be larger.
	BlockBytes int
	// Blocks is the number of blocks in memory, at least 2: appending waits when all are full; 0 is 64.
	Blocks int
	// SyncInterval is the longest time from an event being appended to its being on its way to the disk; 0 is 100 ms.
	SyncInterval time.Duration
	// SyncEvents is the number of events after which a sync does not wait for SyncInterval; 0 is 10,000.
	SyncEvents int
	// Now is the run's clock; nil is the wall clock at creation plus the monotonic time since.
	Now func() events.Time
	// memTable is the size of a memtable, in bytes; 0 is 4 MiB. Tests make it small to see the store flush.
	memTable uint64
	// Logger takes what the store has to say; nil discards it.
	Logger *slog.Logger
}

// withDefaults fills in what is zero, and refuses what makes no sense.
func (o Options) withDefaults() (Options, error) {
	for _, v := range []struct {
		name     string
		value    *int
		standard int
		least    int
	}{
		{"BlockEvents", &o.BlockEvents, 1000, 1},
		{"BlockBytes", &o.BlockBytes, 256 << 10, 1},
		{"Blocks", &o.Blocks, 64, 2},
		{"SyncEvents", &o.SyncEvents, 10000, 1},
	} {
		if *v.value == 0 {
			*v.value = v.standard
		}
		if *v.value < v.least {
			return o, fmt.Errorf("eventlog: option %s is %d, want at least %d", v.name, *v.value, v.least)
		}
	}
	if o.SyncInterval < 0 {
		return o, fmt.Errorf("eventlog: option SyncInterval is %v, want more than 0", o.SyncInterval)
	}
	if o.SyncInterval == 0 {
		o.SyncInterval = 100 * time.Millisecond
	}
	if o.memTable == 0 {
		o.memTable = memTableSize
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = runClock()
	}
	return o, nil
}

// runClock returns the wall clock of now plus the monotonic time since.
func runClock() func() events.Time {
	start := time.Now()
	base := events.TimeOf(start)
	return func() events.Time { return base.Add(time.Since(start)) }
}
