package recorder

import (
	"context"
	"errors"
	"sync"

	"btda/events"
)

var errShut = errors.New("the recording has ended: the log takes no more events")

// gate stands before the log until the recording ends, so that RunStopped is the last event even if something that was waited
// for in vain goes on.
type gate struct {
	events.Appender
	hard context.Context // done when appends are no longer to wait for the log

	passing sync.RWMutex // held for reading by every append; those do not hinder each other
	shut    bool
}

func newGate(hard context.Context, log events.Appender) *gate {
	return &gate{Appender: log, hard: hard}
}

// Append appends to the log. A fact that was observed is worth writing down, also when its source has been told to stop: the
// context of the caller is not asked, but the recording's own.
func (g *gate) Append(_ context.Context, at events.Time, e events.Event) (events.Seq, error) {
	g.passing.RLock()
	defer g.passing.RUnlock()
	if g.shut {
		return 0, errShut
	}
	return g.Appender.Append(g.hard, at, e)
}

// close waits for the appends that have begun and refuses all others.
func (g *gate) close() {
	g.passing.Lock()
	defer g.passing.Unlock()
	g.shut = true
}
