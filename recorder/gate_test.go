package recorder

import (
	"context"
	"runtime"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

// slowLog holds every append until it is released, or the context of the append is done.
type slowLog struct {
	events.Appender
	entered, release chan struct{}
}

func newSlowLog(log events.Appender) slowLog {
	return slowLog{Appender: log, entered: make(chan struct{}), release: make(chan struct{})}
}

func (l slowLog) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	l.entered <- struct{}{}
	select {
	case <-l.release:
		return l.Appender.Append(ctx, at, e)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func TestAShutGateTakesNothingAndLosesNothing(t *testing.T) {
	log := eventstest.NewLog()
	slow := newSlowLog(log)
	g := newGate(t.Context(), slow)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	appended, closed := make(chan error), make(chan struct{})
	go func() {
		_, err := g.Append(stopped, 1, &events.PortReceived{})
		appended <- err
	}()
	<-slow.entered
	go func() { g.close(); close(closed) }()
	for g.passing.TryRLock() { // until close waits for the append
		g.passing.RUnlock()
		runtime.Gosched()
	}
	close(slow.release)
	<-closed
	if got := len(log.Records()); got != 1 {
		t.Errorf("%d records when the gate was shut, want the one that was under way", got)
	}
	if err := <-appended; err != nil {
		t.Errorf("append with a context that is done: %v, want it kept", err)
	}
	if _, err := g.Append(t.Context(), 2, &events.PortReceived{}); err != errShut {
		t.Errorf("append after the gate was shut: %v, want %v", err, errShut)
	}
}

func TestAGateInAHurryDoesNotWaitForTheLog(t *testing.T) {
	hard, giveUp := context.WithCancel(t.Context())
	slow := newSlowLog(eventstest.NewLog())
	g := newGate(hard, slow)
	failed := make(chan error)
	go func() {
		_, err := g.Append(t.Context(), 1, &events.PortReceived{})
		failed <- err
	}()
	<-slow.entered
	giveUp()
	if err := <-failed; err != context.Canceled {
		t.Errorf("append that waited: %v, want %v", err, context.Canceled)
	}
	g.close()
}
