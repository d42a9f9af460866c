package session

import (
	"context"
	"time"

	"btda/events"
)

// journal appends to the log for one session.
type journal struct {
	log    events.Appender
	ctx    context.Context // never done: what was observed is appended also while the recording stops
	waited time.Duration   // for the log
	err    error           // of the log, which is final

	// The log does not keep events, so that the frequent ones are written here, each over the one before.
	have  events.HaveReceived
	other events.MessageReceived
}

// append gives an event its place in the log; seq is 0 when the log failed.
func (j *journal) append(at events.Time, e events.Event) (seq events.Seq) {
	if j.err != nil {
		return 0
	}
	began := time.Now()
	seq, j.err = j.log.Append(j.ctx, at, e)
	j.waited += time.Since(began)
	return seq
}
