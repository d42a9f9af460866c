package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"btda/events"
)

// ErrClosed says that the log was closed.
var ErrClosed = errors.New("the log is closed")

// Log is a log that is being written. It is safe for use by many goroutines.
type Log struct {
	dir     string
	options Options
	store   *store
	wake    chan struct{} // tells the writer that there is work; holds one
	failed  chan struct{} // closed by the first error
	done    chan struct{} // closed when the writer has ended
	durable atomic.Uint64

	mu       sync.Mutex
	encoder  events.Encoder
	run      events.RunID
	next     events.Seq
	open     *block        // takes in events; nil when no block is free
	full     []*block      // waits for the writer, oldest first
	free     []*block      // empty
	blocks   int           // that exist
	room     chan struct{} // closed when a block becomes free; nil while nobody waits
	progress chan struct{} // closed when more is durable, or nothing more will be; nil while nobody waits
	waits    uint64
	waited   time.Duration
	closing  bool
	err      error // sticky
	reason   error // of err

	closeOnce sync.Once
	closeErr  error
}

var _ events.Appender = (*Log)(nil)

// Now is the run's clock.
func (l *Log) Now() events.Time { return l.options.Now() }

// Run is the id of the run; zero before the first event.
func (l *Log) Run() events.RunID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.run
}

// Append gives the event the next sequence number. The first event must be a RunStarted, and no other may. It returns
// before the event is durable and does not keep the event. It waits while all blocks are full, at most until ctx is done;
// where there is room, ctx does not matter. An error that does not come from ctx or from the event itself is final.
func (l *Log) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.awaitRoom(ctx); err != nil {
		return 0, err
	}
	seq := l.next
	if (e.Kind() == events.KindRunStarted) != (seq == 1) {
		return 0, fmt.Errorf("eventlog: event %d is %v: the first event, and no other, must be RunStarted", seq, e.Kind())
	}
	b := l.open
	if err := b.append(&l.encoder, seq, at, e); err != nil {
		return 0, fmt.Errorf("eventlog: %w", err)
	}
	l.next++
	if b.count == 1 {
		l.begin(b, e)
	}
	if int(b.count) >= l.options.BlockEvents || len(b.buf) >= l.options.BlockBytes {
		l.full = append(l.full, b)
		l.open = l.takeFree()
		l.signal()
	}
	return seq, nil
}

// begin notes when a block began, and tells the writer, who has to see to its being synced in time.
func (l *Log) begin(b *block, e events.Event) {
	b.began = time.Now()
	if started, ok := e.(*events.RunStarted); ok {
		l.run = started.Run
	}
	l.signal()
}

func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// awaitRoom returns when there is an open block. It needs l.mu, which it gives up while it waits.
func (l *Log) awaitRoom(ctx context.Context) error {
	for {
		if err := l.refusal(); err != nil || l.open != nil {
			return err
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		if err := l.wait(ctx, l.room); err != nil {
			return err
		}
	}
}

// wait counts a wait for ch. It needs l.mu, which it gives up while it waits.
func (l *Log) wait(ctx context.Context, ch <-chan struct{}) error {
	l.waits++
	began := time.Now()
	l.mu.Unlock()
	var err error
	select {
	case <-ch:
	case <-ctx.Done():
		err = fmt.Errorf("eventlog: waiting for the writer: %w", context.Cause(ctx))
	}
	l.mu.Lock()
	l.waited += time.Since(began)
	return err
}

// refusal says why the log takes no more events. It needs l.mu.
func (l *Log) refusal() error {
	if l.err != nil {
		return l.err
	}
	if l.closing {
		return fmt.Errorf("eventlog: %s: %w", l.dir, ErrClosed)
	}
	return nil
}

// takeFree takes an empty block; nil when all are full. It needs l.mu.
func (l *Log) takeFree() *block {
	if n := len(l.free); n > 0 {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b
	}
	if l.blocks == l.options.Blocks {
		return nil
	}
	l.blocks++
	b := new(block)
	b.reset(l.options.BlockBytes)
	return b
}

// recycle takes back a block that was committed. Those who wait for room are let go when there is some for all of them, or
// the writer has nothing more to do: waking them for every single block would cost more than the events.
func (l *Log) recycle(b *block) {
	b.reset(l.options.BlockBytes)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, b)
	if l.open == nil && (len(l.full) == 0 || 2*len(l.free) >= l.options.Blocks) {
		l.open = l.takeFree()
		release(&l.room)
	}
}

// advance makes all up to seq durable.
func (l *Log) advance(seq events.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable.Store(uint64(seq))
	release(&l.progress)
}

// fail ends the recording. The first error counts.
func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.reason = err
	l.err = fmt.Errorf("eventlog: recording to %s stopped, what is durable (up to event %d) is kept: %w",
		l.dir, l.durable.Load(), err)
	close(l.failed)
	release(&l.room)
	release(&l.progress)
}

// release lets those go who wait for a channel.
func release(ch *chan struct{}) {
	if *ch != nil {
		close(*ch)
		*ch = nil
	}
}

// Appended is the sequence number of the last event that has its place; 0 for none.
func (l *Log) Appended() events.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next - 1
}

// Durable is the sequence number up to which events are acknowledged: they survive a crash. 0 for none.
func (l *Log) Durable() events.Seq { return events.Seq(l.durable.Load()) }

// WaitDurable returns when all events up to seq are durable, and with an error when the log fails or is closed before,
// or ctx is done.
func (l *Log) WaitDurable(ctx context.Context, seq events.Seq) error {
	for l.Durable() < seq {
		progress, err := l.watch()
		if l.Durable() >= seq {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return fmt.Errorf("eventlog: waiting for event %d to be durable: %w", seq, context.Cause(ctx))
		}
	}
	return nil
}

// watch returns a channel that is closed when more becomes durable; or why nothing more will.
func (l *Log) watch() (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	select {
	case <-l.done:
		return nil, fmt.Errorf("eventlog: %s: %w", l.dir, ErrClosed)
	default:
	}
	if l.progress == nil {
		l.progress = make(chan struct{})
	}
	return l.progress, nil
}

// Waits tells how often Append had to wait for the writer, and how long in all.
func (l *Log) Waits() (count uint64, total time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waits, l.waited
}

// Sealed reports whether the log was closed in order, so that nothing more comes and its end is proven.
func (l *Log) Sealed() bool {
	select {
	case <-l.done:
		return l.Err() == nil
	default:
		return false
	}
}

// Failed is closed when writing has failed; Err then says why.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// Err is the error that ended the recording, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close commits what was appended, seals the log and closes the folder, once the last scanner is closed. After a
// failure it only returns the error. Later calls return what the first one did.
func (l *Log) Close() error {
	l.closeOnce.Do(func() { l.closeErr = l.close() })
	return l.closeErr
}

func (l *Log) close() error {
	l.mu.Lock()
	l.closing = true
	release(&l.room)
	l.mu.Unlock()
	l.signal()
	select {
	case <-l.failed:
		return l.Err()
	case <-l.done:
	}
	l.mu.Lock()
	release(&l.progress)
	l.mu.Unlock()
	if err := l.Err(); err != nil {
		return err
	}
	err := l.store.release()
	if failed := l.Err(); failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("eventlog: closing %s: %w", l.dir, err)
	}
	return nil
}
