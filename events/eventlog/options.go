package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

// Options of a log. The zero value is the disk with the defaults.
type Options struct {
	FS           vfs.FS        // nil is the disk
	BlockEvents  int           // records of a block, at the most; 0 is 1,000
	SyncInterval time.Duration // from a block's first event until it is synced, at the most; 0 is 100 ms
	Logger       *slog.Logger  // for what Pebble reports; nil discards it
}

const (
	defaultBlockEvents  = 1000
	defaultSyncInterval = 100 * time.Millisecond
	blockBytes          = 256 << 10 // a block is closed when it is larger
	blocksInFlight      = 64        // blocks that wait for the writer, at the most
	memTableSize        = 16 << 20
)

// formatMajorVersion pins Pebble's own format: the first whose write-ahead log tells damage from a torn end.
const formatMajorVersion = pebble.FormatWALSyncChunks

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.BlockEvents == 0 {
		o.BlockEvents = defaultBlockEvents
	}
	if o.SyncInterval == 0 {
		o.SyncInterval = defaultSyncInterval
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) pebble() *pebble.Options {
	options := &pebble.Options{
		FS: o.FS, FormatMajorVersion: formatMajorVersion, MemTableSize: memTableSize,
		MemTableStopWritesThreshold: 4, L0CompactionThreshold: 1 << 20, L0StopWritesThreshold: 1 << 30,
		DisableAutomaticCompactions: true, Logger: logger{o.Logger},
	}
	options.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	return options
}

// logger passes on what Pebble reports.
type logger struct{ to *slog.Logger }

func (l logger) Infof(format string, args ...any) {
	l.to.Debug("pebble", "message", fmt.Sprintf(format, args...))
}
func (l logger) Errorf(format string, args ...any) {
	l.to.Error("pebble", "message", fmt.Sprintf(format, args...))
}

// Fatalf is called by Pebble when it cannot go on, as after a failed fsync; the writer turns the panic into its error.
func (l logger) Fatalf(format string, args ...any) {
	panic(fatal{fmt.Errorf(format, args...)})
}

type fatal struct{ err error }

// The key spaces. A key is the byte of its space and, for blocks and definitions, a sequence number of eight bytes, big-endian.
const (
	formatSpace     = 'f' // the version of the layout
	blockSpace      = 'b'
	definitionSpace = 'd' // copies of run and torrent records
	sealSpace       = 's'
)

func keyOf(space byte, seq events.Seq) []byte {
	return binary.BigEndian.AppendUint64([]byte{space}, uint64(seq))
}

func boundsOf(space byte) *pebble.IterOptions {
	return &pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}}
}

// openError says what to do about a folder that Pebble does not open.
func openError(dir string, err error) error {
	switch {
	case errors.Is(err, pebble.ErrDBAlreadyExists):
		return fmt.Errorf("create log %s: there is a log already; choose another folder: %w", dir, err)
	case errors.Is(err, pebble.ErrDBDoesNotExist), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open log %s: no log is there; name a folder that btda record wrote: %w", dir, err)
	}
	return fmt.Errorf("open log %s: it is damaged, or another program has it open: %w", dir, err)
}
