package eventlog

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// Errors of appending.
var (
	ErrClosed     = errors.New("the log is closed")
	ErrFirstEvent = errors.New("the first event of a log must be RunStarted, and no other may be")
)

// Log is the log of a run that is being recorded. It is safe for use by many goroutines.
type Log struct {
	dir     string
	options Options
	db      *pebble.DB
	started time.Time // with the monotonic clock

	mu       sync.Mutex
	encoder  events.Encoder
	payload  []byte
	open     *block
	ready    []*block // full, in order, for the writer
	free     []*block
	appended events.Seq
	durable  events.Seq
	run      events.RunID
	err      error
	closing  bool
	changed  chan struct{} // closed and replaced at every commit
	waits    uint64
	waited   time.Duration

	wake   chan struct{} // tells the writer that a block is ready or began
	failed chan struct{} // closed with the first error
	done   chan struct{} // closed when the writer has ended
	chain  hash          // of the newest block; the writer's
	defs   []definition  // of the blocks that wait; guarded by mu
}

// definition is a copy of a run or torrent record.
type definition struct {
	seq   events.Seq
	value []byte
}

// Create makes a new log in a folder that does not exist or is empty. The caller must Close it.
func Create(dir string, o Options) (*Log, error) {
	o = o.withDefaults()
	if err := o.FS.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create log %s: %w", dir, err)
	}
	options := o.pebble()
	options.ErrorIfExists = true
	db, err := pebble.Open(dir, options)
	if err != nil {
		return nil, openError(dir, err)
	}
	if err := db.Set([]byte{formatSpace}, []byte{blockVersion}, pebble.Sync); err != nil {
		return nil, errors.Join(fmt.Errorf("create log %s: %w", dir, err), db.Close())
	}
	l := &Log{
		dir: dir, options: o, db: db, started: time.Now(),
		changed: make(chan struct{}), wake: make(chan struct{}, 1), failed: make(chan struct{}), done: make(chan struct{}),
	}
	for range blocksInFlight {
		l.free = append(l.free, &block{})
	}
	go l.write()
	return l, nil
}

// Now is the run's clock: the wall clock when the log was created, plus the monotonic time since.
func (l *Log) Now() events.Time {
	return events.TimeOf(l.started).Add(time.Since(l.started))
}

// Append implements events.Appender.
func (l *Log) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil || l.full() {
		if err := l.nextBlock(ctx); err != nil {
			return 0, err
		}
	}
	if l.err != nil {
		return 0, l.err
	}
	if l.closing {
		return 0, ErrClosed
	}
	var err error
	if l.payload, err = l.encoder.Append(l.payload[:0], e); err != nil {
		return 0, err
	}
	return l.add(at, e)
}

func (l *Log) full() bool {
	return l.open.count >= uint32(l.options.BlockEvents) || len(l.open.buf) >= blockBytes
}

func (l *Log) add(at events.Time, e events.Event) (events.Seq, error) {
	switch e := e.(type) {
	case *events.RunStarted:
		if l.appended != 0 {
			return 0, ErrFirstEvent
		}
		l.run = e.Run
	default:
		if l.appended == 0 {
			return 0, ErrFirstEvent
		}
	}
	l.appended++
	if l.open.count == 0 {
		l.open.begin(l.appended, at)
		l.signal()
	}
	l.open.add(at, e, l.payload)
	if isDefinition(e.Kind()) {
		var alone block
		alone.begin(l.appended, at)
		alone.add(at, e, l.payload)
		l.defs = append(l.defs, definition{l.appended, alone.close(hash{})})
	}
	if l.full() {
		l.signal()
	}
	return l.appended, nil
}

func isDefinition(k events.Kind) bool {
	switch k {
	case events.KindRunStarted, events.KindRunStopped, events.KindTorrentAdded, events.KindMetadataReceived:
		return true
	}
	return false
}

// nextBlock puts an empty block in the place of the full one, waiting for the writer to give one back.
func (l *Log) nextBlock(ctx context.Context) error {
	if l.open != nil {
		l.ready = append(l.ready, l.open)
		l.open = nil
		l.signal()
	}
	if len(l.free) == 0 {
		if err := l.waitForBlock(ctx); err != nil {
			return err
		}
	}
	if l.open == nil && len(l.free) > 0 {
		l.open = l.free[len(l.free)-1]
		l.free = l.free[:len(l.free)-1]
		l.open.count = 0
	}
	return nil
}

// waitForBlock waits, without the lock, until there is a free block.
func (l *Log) waitForBlock(ctx context.Context) error {
	began := time.Now()
	l.waits++
	defer func() { l.waited += time.Since(began) }()
	for l.err == nil && !l.closing && len(l.free) == 0 && (l.open == nil || l.full()) {
		changed := l.changed
		l.mu.Unlock()
		var err error
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		l.mu.Lock()
		if err != nil {
			return fmt.Errorf("append to log %s: gave up waiting: %w", l.dir, err)
		}
	}
	if l.err != nil {
		return l.err
	}
	if l.closing {
		return ErrClosed
	}
	return nil
}

func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Durable is the highest sequence number that is on disk: every record up to it survives a crash.
func (l *Log) Durable() events.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable
}

// Appended is the highest sequence number given so far.
func (l *Log) Appended() events.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.appended
}

// Waits counts the appends that had to wait for the writer, and adds up their waits.
func (l *Log) Waits() (count uint64, total time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waits, l.waited
}

// Err is the error that ended the log, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Failed is closed when the log cannot be written any more: see Err.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// WaitDurable waits until a sequence number is durable.
func (l *Log) WaitDurable(ctx context.Context, seq events.Seq) error {
	for {
		l.mu.Lock()
		durable, err, changed := l.durable, l.err, l.changed
		l.mu.Unlock()
		switch {
		case durable >= seq:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-l.done:
			if l.Durable() < seq {
				return ErrClosed
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close commits what was appended, seals the log and closes it. No Append may follow. It gives the error of the log, if it had one.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return ErrClosed
	}
	l.closing = true
	l.mu.Unlock()
	l.signal()
	<-l.done
	err := l.Err()
	if err == nil {
		err = l.seal()
	}
	return errors.Join(err, l.closeStore())
}

// seal writes the seal and flushes everything into tables.
func (l *Log) seal() error {
	if l.appended == 0 {
		return nil
	}
	s := Seal{Last: l.appended, Count: uint64(l.appended), Head: l.chain}
	err := l.guard(func() error {
		if err := l.db.Set([]byte{sealSpace}, s.encode(), pebble.Sync); err != nil {
			return err
		}
		return l.db.Flush()
	})
	if err != nil {
		return fmt.Errorf("seal log %s: %w", l.dir, err)
	}
	return nil
}

func (l *Log) closeStore() error {
	return l.guard(func() error {
		if err := l.db.Close(); err != nil {
			return fmt.Errorf("close log %s: %w", l.dir, err)
		}
		return nil
	})
}

// guard turns Pebble's fatal errors into errors.
func (l *Log) guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			died, ok := r.(fatal)
			if !ok {
				panic(r)
			}
			err = died.err
		}
	}()
	return f()
}

func blockHash(value []byte) hash { return sha256.Sum256(value) }
