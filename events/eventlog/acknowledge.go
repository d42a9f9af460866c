package eventlog

import (
	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// acknowledger waits for syncs, in their order, so that the writer can prepare the next block while the disk is busy.
type acknowledger struct {
	log   *Log
	syncs chan pendingSync // not buffered: one sync is under way, and at most one more is asked for
	done  chan struct{}
}

// pendingSync is a sync that was asked for with a batch, after which all up to last is durable.
type pendingSync struct {
	batch *pebble.Batch
	last  events.Seq
}

func startAcknowledger(l *Log) *acknowledger {
	a := &acknowledger{log: l, syncs: make(chan pendingSync), done: make(chan struct{})}
	go a.run()
	return a
}

func (a *acknowledger) run() {
	defer close(a.done)
	var err error
	for s := range a.syncs {
		if err != nil {
			continue // what follows an error is not durable
		}
		if err = s.batch.SyncWait(); err == nil {
			a.log.advance(s.last)
			err = s.batch.Close()
		}
		if err != nil {
			a.log.fail(err)
		}
	}
}

// finish returns when all syncs that were asked for are done.
func (a *acknowledger) finish() {
	close(a.syncs)
	<-a.done
}
