package eventlog

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// write is the one goroutine that commits. It ends after Close, or at the first error.
func (l *Log) write() {
	defer close(l.done)
	timer := time.NewTimer(l.options.SyncInterval)
	defer timer.Stop()
	for {
		blocks, defs, ended := l.takeReady(false)
		if len(blocks) == 0 && !ended {
			timer.Reset(l.options.SyncInterval)
			l.await(timer)
			blocks, defs, ended = l.takeReady(true)
		}
		if len(blocks) > 0 {
			if err := l.guard(func() error { return l.commit(blocks, defs) }); err != nil {
				l.fail(err)
				return
			}
			l.committed(blocks)
		}
		if ended {
			return
		}
	}
}

// await waits for the open block to become full, to become old enough, or for Close.
func (l *Log) await(timer *time.Timer) {
	armed := false
	for {
		l.mu.Lock()
		began := l.open != nil && l.open.count > 0
		now := len(l.ready) > 0 || l.closing || l.open != nil && began && l.full()
		l.mu.Unlock()
		if now {
			return
		}
		if began && !armed {
			timer.Reset(l.options.SyncInterval)
			armed = true
		}
		if !armed {
			<-l.wake
			continue
		}
		select {
		case <-l.wake:
		case <-timer.C:
			return
		}
	}
}

// takeReady takes the blocks to commit now; with due, also the open one.
func (l *Log) takeReady(due bool) (blocks []*block, defs []definition, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != nil && l.open.count > 0 && (due || l.closing || l.full()) {
		l.ready = append(l.ready, l.open)
		l.open = nil
	}
	blocks, l.ready = l.ready, nil
	if len(blocks) > 0 {
		defs, l.defs = l.defs, nil
	}
	return blocks, defs, l.closing
}

func (l *Log) commit(blocks []*block, defs []definition) error {
	size := 64
	for _, b := range blocks {
		size += len(b.buf) + 32
	}
	batch := l.db.NewBatchWithSize(size)
	defer batch.Close()
	chain := l.chain
	for _, b := range blocks {
		value := b.close(chain)
		chain = blockHash(value)
		if err := batch.Set(keyOf(blockSpace, b.first), value, nil); err != nil {
			return err
		}
	}
	for _, d := range defs {
		if err := batch.Set(keyOf(definitionSpace, d.seq), d.value, nil); err != nil {
			return err
		}
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return err
	}
	l.chain = chain
	return nil
}

func (l *Log) committed(blocks []*block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := blocks[len(blocks)-1]
	l.durable = newest.first + events.Seq(newest.count) - 1
	l.free = append(l.free, blocks...)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = fmt.Errorf("write log %s: %w; free space or mend the disk, then record anew: what was written up to record %d can be replayed", l.dir, err, l.durable)
	close(l.failed)
	close(l.changed)
	l.changed = make(chan struct{})
}
