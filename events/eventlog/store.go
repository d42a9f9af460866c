package eventlog

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	sstable "github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// storeFormat pins the format of Pebble's files: 21 has a checksum in the footer of its tables, and sync chunks in its
// write-ahead log, by which damage is told from a torn end.
const storeFormat pebble.FormatMajorVersion = 21

// memTableSize is small, for a write-ahead log has the size of a memtable, and only once a log of that size is used again
// does a sync no longer change the size of a file, which takes as long as writing the data. Memory is bounded by the number.
const (
	memTableSize = 4 << 20
	memTables    = 16
)

// store is an open Pebble folder. It closes when the last of its users is done with it. A nil store is that of another process.
type store struct {
	db    *pebble.DB
	close func(*pebble.DB) error

	mu    sync.Mutex
	users int
}

// storeOptions are the settings of Pebble that both writers and readers use.
func storeOptions(fs vfs.FS, logger pebble.Logger) *pebble.Options {
	o := &pebble.Options{
		FS:                          fs,
		FormatMajorVersion:          storeFormat,
		Logger:                      logger,
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: memTables,
		// The tables of a log do not overlap but for a few definitions: there is nothing to gain from compaction.
		DisableAutomaticCompactions: true,
		L0StopWritesThreshold:       math.MaxInt32,
	}
	o.TargetFileSizes[0] = 2 * memTableSize // one table for each flush
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings {
		return pebble.UniformDBCompressionSettings(sstable.NoCompression) // blocks are compressed before they are committed
	})
	return o
}

// acquire begins a use; false when the folder is closed.
func (s *store) acquire() bool {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		return false
	}
	s.users++
	return true
}

// release ends one use, and closes the folder after the last one.
func (s *store) release() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	s.users--
	last := s.users == 0
	s.mu.Unlock()
	if !last {
		return nil
	}
	return s.close(s.db)
}

// iterate returns an iterator over the keys of bounds.
func (s *store) iterate(from, to []byte) (*pebble.Iterator, error) {
	return s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to, KeyTypes: pebble.IterKeyTypePointsOnly})
}

// get returns a copy of a value; nil when there is none.
func (s *store) get(key []byte) ([]byte, error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return append([]byte{}, value...), nil
}

// storeLogger hands Pebble's messages to slog.
type storeLogger struct {
	logger *slog.Logger
	fatal  func(error)
}

// Infof logs at debug level: the store is talkative.
func (l storeLogger) Infof(format string, args ...any) { l.logger.Debug(fmt.Sprintf(format, args...)) }

// Errorf logs at warning level: what ends the recording is told apart.
func (l storeLogger) Errorf(format string, args ...any) { l.logger.Warn(fmt.Sprintf(format, args...)) }

// Fatalf is called where Pebble would end the process.
func (l storeLogger) Fatalf(format string, args ...any) { l.fatal(fmt.Errorf(format, args...)) }

// firstError keeps the first of several errors.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// explain adds what to do about an error of the store.
func explain(err error) error {
	text := err.Error()
	if strings.Contains(text, "lock held by current process") || strings.Contains(text, "resource temporarily unavailable") {
		return fmt.Errorf("the log is in use, by this or another process: wait until that one ends: %w", err)
	}
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return fmt.Errorf("%w: %s: %w", errNotALog, wantLog, err)
	}
	return asDamage(err)
}

// asIncomplete marks as damage what the store finds missing when it opens a folder that is there.
func asIncomplete(err error) error {
	if errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "object size mismatch") {
		return fmt.Errorf("%w: a file of it is missing or not whole; if this is a copy, copy it again: %w", ErrDamaged, err)
	}
	return err
}

// wantLog is what to do where there is no log.
const wantLog = "name a folder that btda record wrote"

// asDamage marks what the store takes for damage.
func asDamage(err error) error {
	if err == nil || !pebble.IsCorruptionError(err) || errors.Is(err, ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, storeDamage{err})
}

// storeDamage is an error of the store without what the store adds to its text for its own use.
type storeDamage struct{ error }

func (d storeDamage) Error() string {
	text, _, _ := strings.Cut(d.error.Error(), "\n<corruption detail")
	return text
}

func (d storeDamage) Unwrap() error { return d.error }
