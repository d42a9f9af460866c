package eventlog

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// Reader reads a log that nobody writes.
type Reader struct {
	dir    string
	db     *pebble.DB
	run    events.RunID
	seal   Seal
	sealed bool
}

// Open opens a log for reading only. The caller must Close it.
func Open(dir string, o Options) (*Reader, error) {
	o = o.withDefaults()
	options := o.pebble()
	options.ReadOnly, options.ErrorIfNotExists = true, true
	db, err := pebble.Open(dir, options)
	if err != nil {
		return nil, openError(dir, err)
	}
	r := &Reader{dir: dir, db: db}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *Reader) load() error {
	format, err := get(r.db, []byte{formatSpace})
	if err != nil {
		return fmt.Errorf("log %s: %w", r.dir, err)
	}
	if len(format) != 1 || format[0] != blockVersion {
		return fmt.Errorf("log %s is of format %x, this program reads format %d: use a newer btda", r.dir, format, blockVersion)
	}
	if seal, err := get(r.db, []byte{sealSpace}); err == nil {
		if r.seal, err = parseSeal(seal); err != nil {
			return fmt.Errorf("log %s: %w", r.dir, err)
		}
		r.sealed = true
	} else if !errors.Is(err, pebble.ErrNotFound) {
		return fmt.Errorf("log %s: %w", r.dir, err)
	}
	s := r.Definitions()
	defer s.Close()
	if s.Next() {
		if started, ok := s.Record().Event.(*events.RunStarted); ok {
			r.run = started.Run
		}
	}
	return s.Err()
}

func get(db *pebble.DB, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return append([]byte(nil), value...), nil
}

// Run is the run that the log is of.
func (r *Reader) Run() events.RunID { return r.run }

// Sealed gives the seal; false when the recorder was killed.
func (r *Reader) Sealed() (Seal, bool) { return r.seal, r.sealed }

// Close releases the log.
func (r *Reader) Close() error { return r.db.Close() }

// Scan reads the records from a sequence number on.
func (r *Reader) Scan(from events.Seq) *Scanner {
	s := newScanner(r.dir, r.db, blockSpace)
	s.run, s.from = r.run, max(from, 1)
	return s
}

// Definitions reads the run and torrent records only.
func (r *Reader) Definitions() *Scanner {
	s := newScanner(r.dir, r.db, definitionSpace)
	s.run, s.from = r.run, 1
	return s
}
