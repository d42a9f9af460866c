package eventstest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"btda/events"
)

// Log is an events.Appender in memory. It keeps a copy of each event, made by encoding and decoding it, so that a test
// sees what a log on disk would give. It is safe for use by many goroutines.
type Log struct {
	now func() events.Time

	mu      sync.Mutex
	run     events.RunID
	records []events.Record
	encoder events.Encoder
	failure error
	changed chan struct{} // closed by the next append
}

var _ events.Appender = (*Log)(nil)

// NewLog returns an empty log with the real clock, which in a testing/synctest bubble is that of the bubble.
func NewLog() *Log {
	return NewLogAt(func() events.Time { return events.TimeOf(time.Now()) })
}

// NewLogAt returns an empty log with a clock, such as that of a Clock.
func NewLogAt(now func() events.Time) *Log {
	return &Log{now: now, changed: make(chan struct{})}
}

// Now is the log's clock.
func (l *Log) Now() events.Time { return l.now() }

// Append keeps a copy of an event. It fails when ctx is done, after Fail, and for an event that cannot be encoded.
// A RunStarted sets the run of the records from it on.
func (l *Log) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure != nil {
		return 0, l.failure
	}
	event, err := l.copy(e)
	if err != nil {
		return 0, err
	}
	if started, ok := event.(*events.RunStarted); ok {
		l.run = started.Run
	}
	seq := events.Seq(len(l.records) + 1)
	l.records = append(l.records, events.Record{Run: l.run, Seq: seq, Time: at, Event: event})
	close(l.changed)
	l.changed = make(chan struct{})
	return seq, nil
}

func (l *Log) copy(e events.Event) (events.Event, error) {
	payload, err := l.encoder.Append(nil, e)
	if err != nil {
		return nil, err
	}
	return new(events.Decoder).Decode(e.Kind(), e.Kind().Version(), payload)
}

// Fail makes every later Append fail with an error.
func (l *Log) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = err
}

// Records returns the records so far. The slice belongs to the caller; the events are shared and must not be changed.
func (l *Log) Records() []events.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

// Wait returns as soon as a condition holds for the records so far. When ctx is done before, the error shows the records.
func (l *Log) Wait(ctx context.Context, holds func([]events.Record) bool) error {
	for {
		records, changed := l.state()
		if holds(records) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w while waiting for a condition on the log, which holds:\n%s", ctx.Err(), Format(records))
		}
	}
}

func (l *Log) state() (records []events.Record, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records), l.changed
}

// Has returns a condition for Log.Wait: that there are at least n events of a kind.
func Has(kind events.Kind, n int) func([]events.Record) bool {
	return func(records []events.Record) bool {
		count := 0
		for _, r := range records {
			if r.Event.Kind() == kind {
				count++
			}
		}
		return count >= n
	}
}

// Clock is a clock that stands until it is told to go. It is safe for use by many goroutines.
type Clock struct {
	mu  sync.Mutex
	now events.Time
}

// NewClock returns a clock that stands at Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now is the time of the clock.
func (c *Clock) Now() events.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to a time.
func (c *Clock) Set(t events.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
