package eventlog

import (
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

// Reader reads a log that nobody is writing. It is safe for use by many goroutines, each with scanners of its own.
type Reader struct {
	dir    string
	fs     vfs.FS
	store  *store
	run    events.RunID
	seal   Seal
	sealed bool
	closed atomic.Bool
}

// Open opens a log for reading. It changes no byte of the folder. Close it.
func Open(dir string, o Options) (*Reader, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r, err := open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("eventlog: opening %s: %w", dir, explain(err))
	}
	return r, nil
}

func open(dir string, o Options) (*Reader, error) {
	if info, err := o.FS.Stat(dir); err != nil {
		return nil, fmt.Errorf("%s: %w", wantLog, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%w but a file: %s", errNotALog, wantLog)
	}
	var fatal firstError
	options := storeOptions(readFS{o.FS}, storeLogger{o.Logger, fatal.note})
	options.ReadOnly = true
	db, err := pebble.Open(dir, options)
	if err != nil {
		return nil, asIncomplete(err)
	}
	if err := fatal.get(); err != nil {
		return nil, closeAfter(err, db)
	}
	r := &Reader{dir: dir, fs: o.FS, store: &store{db: db, close: (*pebble.DB).Close, users: 1}}
	if err := r.load(); err != nil {
		return nil, closeAfter(err, db)
	}
	return r, nil
}

// load reads what stands apart from the blocks.
func (r *Reader) load() error {
	value, err := r.store.get(formatKey)
	if err != nil {
		return fmt.Errorf("format record: %w", err)
	}
	if err := checkFormatRecord(value); err != nil {
		return err
	}
	if value, err = r.store.get(sealKey); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if value != nil {
		if r.seal, err = decodeSeal(value); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		r.sealed = true
	}
	return r.loadRun()
}

// loadRun finds the id of the run in the first definition. A log without records has none.
func (r *Reader) loadRun() error {
	s := r.Definitions()
	defer s.Close()
	if !s.Next() {
		return s.Err()
	}
	started, ok := s.Record().Event.(*events.RunStarted)
	if !ok {
		return fmt.Errorf("%w: the first definition is not RunStarted", ErrDamaged)
	}
	r.run = started.Run
	return nil
}

// Run is the id of the run; zero when the log has no records.
func (r *Reader) Run() events.RunID { return r.run }

// Sealed returns the seal; false when the log has none, because the recorder did not end in order.
func (r *Reader) Sealed() (Seal, bool) { return r.seal, r.sealed }

// Last is the number of the last record; 0 for a log without records.
func (r *Reader) Last() (events.Seq, error) {
	if r.sealed {
		return r.seal.Last, nil
	}
	iter, err := r.store.iterate([]byte{spaceBlock}, []byte{spaceBlock + 1})
	if err != nil {
		return 0, err
	}
	defer iter.Close()
	if !iter.Last() {
		return 0, asDamage(iter.Error())
	}
	value, err := iter.ValueAndErr()
	if err != nil {
		return 0, asDamage(err)
	}
	var b blockReader
	if err := b.open(value); err != nil {
		return 0, fmt.Errorf("eventlog: key %x: %w", iter.Key(), err)
	}
	return b.header.first + events.Seq(b.header.count) - 1, nil
}

// CheckEnd looks for signs that a log without a seal held more than can be read of it: damage may look like the torn end that a crash
// leaves. The error wraps ErrDamaged. No error is no proof that nothing is missing.
func (r *Reader) CheckEnd() error {
	if r.sealed {
		return nil
	}
	last, err := r.Last()
	if err == nil {
		err = unread{r.fs, r.dir, last}.search()
	}
	if err != nil {
		return fmt.Errorf("eventlog: %s: %w", r.dir, err)
	}
	return nil
}

// Scan reads the records from a sequence number on. Close the scanner.
func (r *Reader) Scan(from events.Seq) *Scanner {
	return newScanner(r.store, r.Run, from, &stored{store: r.store, space: spaceBlock, from: from})
}

// Definitions reads the run and torrent records, in their order: the copies that are kept apart, so that they can be
// known before all others. Close the scanner.
func (r *Reader) Definitions() *Scanner {
	s := newScanner(r.store, r.Run, 1, &stored{store: r.store, space: spaceDefinition, from: 1})
	s.definitions = true
	return s
}

// Close closes the folder, once the last scanner is closed. It may be called more than once.
func (r *Reader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	if err := r.store.release(); err != nil {
		return fmt.Errorf("eventlog: closing %s: %w", r.dir, err)
	}
	return nil
}
