package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"btda/events"
	"btda/recorder"
)

// stopper turns interrupts into the two steps of a shutdown.
type stopper struct {
	out     io.Writer
	signals chan os.Signal
	cancel  context.CancelCauseFunc
	hurry   chan struct{} // closed at the second interrupt

	closing  sync.Once
	closed   chan struct{}
	watching sync.WaitGroup
}

func newStopper(out io.Writer) *stopper {
	return &stopper{out: out, signals: make(chan os.Signal, 2), hurry: make(chan struct{}), closed: make(chan struct{})}
}

// start gives a context that the first SIGINT or SIGTERM from here on cancels; the second one closes hurry, and a third ends the
// process as each does before. It is called once, and the stopper must be closed afterwards.
//
// A closed standard output or error is no longer deadly from here on: an interrupt also ends the program that our output is piped
// to, and the log is to be sealed nevertheless.
func (s *stopper) start(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	s.cancel = cancel
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(s.signals, os.Interrupt, syscall.SIGTERM)
	s.watching.Go(s.watch)
	return ctx
}

func (s *stopper) watch() {
	defer signal.Stop(s.signals)
	select {
	case sent := <-s.signals:
		fmt.Fprintln(s.out, "stopping; interrupt again to end at once")
		s.cancel(recorder.Stop{Reason: reasonOf(sent)})
	case <-s.closed:
		return
	}
	select {
	case <-s.signals:
		fmt.Fprintln(s.out, "ending at once")
		close(s.hurry)
	case <-s.closed:
	}
}

func reasonOf(sent os.Signal) events.Reason {
	if sent == syscall.SIGTERM {
		return events.ReasonTerminated
	}
	return events.ReasonInterrupted
}

// Close stops watching and cancels the context. It may be called again.
func (s *stopper) Close() {
	s.closing.Do(func() { close(s.closed) })
	s.watching.Wait()
	s.cancel(nil)
}

// untilInterrupted gives a context that the first SIGINT or SIGTERM cancels, for work that leaves nothing behind. The second one ends the
// process as it would without us.
func untilInterrupted(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
