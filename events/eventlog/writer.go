package eventlog

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// writer commits blocks, one after the other. It is the only one that writes to the store.
type writer struct {
	log      *Log
	db       *pebble.DB
	acks     *acknowledger
	chain    chainHash // of the last committed value
	blocks   uint64
	last     events.Seq // of the last committed record
	unsynced int        // committed records that are not synced yet
	syncBy   time.Time  // when they have to be; zero when there are none
	scratch  []byte
	packed   []byte // keeps the space of a compressed block
	timer    *time.Timer
}

func newWriter(l *Log) *writer {
	return &writer{log: l, db: l.store.db, acks: startAcknowledger(l), chain: hashOf(formatRecord())}
}

// run commits until the log is closed or fails.
func (w *writer) run() {
	defer close(w.log.done)
	if err := w.work(); err != nil {
		w.log.fail(err)
	}
}

// work does one task after the other.
func (w *writer) work() error {
	defer w.acks.finish()
	w.timer = time.NewTimer(time.Hour)
	defer w.timer.Stop()
	for {
		t := w.take()
		var err error
		switch {
		case t.block != nil:
			err = w.commit(t)
		case t.sync:
			err = w.sync()
		case t.end:
			return w.seal()
		default:
			w.rest(t.until)
		}
		if err != nil {
			return err
		}
	}
}

// task is what the writer does next.
type task struct {
	block *block    // to commit
	sync  bool      // what is committed, this block included
	end   bool      // there will be no more
	until time.Time // rest until then, or until woken; zero for no limit
}

// take looks for something to do.
func (w *writer) take() task {
	l := w.log
	l.mu.Lock()
	defer l.mu.Unlock()
	until := w.syncBy
	if until.IsZero() && len(l.full) > 0 {
		until = l.full[0].began.Add(l.options.SyncInterval)
	} else if until.IsZero() && l.open != nil && l.open.count > 0 {
		until = l.open.began.Add(l.options.SyncInterval)
	}
	due := l.closing || !until.IsZero() && !time.Now().Before(until)
	switch {
	case len(l.full) > 0:
		b := l.full[0]
		l.full = append(l.full[:0], l.full[1:]...)
		return task{block: b, sync: due || w.unsynced+int(b.count) >= l.options.SyncEvents}
	case due && l.open != nil && l.open.count > 0:
		b := l.open
		l.open = l.takeFree()
		return task{block: b, sync: true}
	case due && w.unsynced > 0:
		return task{sync: true}
	case l.closing:
		return task{end: true}
	}
	return task{until: until}
}

// rest waits for work.
func (w *writer) rest(until time.Time) {
	if until.IsZero() {
		<-w.log.wake
		return
	}
	w.timer.Reset(time.Until(until))
	select {
	case <-w.log.wake:
	case <-w.timer.C:
	}
}

// commit writes a block and gives it back.
func (w *writer) commit(t task) error {
	if err := w.write(t.block, t.sync); err != nil {
		return err
	}
	w.log.recycle(t.block)
	return nil
}

// write commits a block and the copies of its definitions, and makes it the last link of the chain.
func (w *writer) write(b *block, sync bool) error {
	value := b.value(w.log.Durable(), w.chain)
	var smaller bool
	if w.packed, smaller = pack(w.packed, value); smaller {
		value = w.packed
	}
	batch := w.db.NewBatchWithSize(len(value) + 64)
	if err := w.fill(batch, b, value); err != nil {
		return err
	}
	w.blocks++
	w.last = b.lastSeq()
	w.unsynced += int(b.count)
	if w.syncBy.IsZero() {
		w.syncBy = b.began.Add(w.log.options.SyncInterval)
	}
	if !sync {
		err := w.db.Apply(batch, pebble.NoSync)
		w.chain = hashOf(value)
		return errors.Join(err, batch.Close())
	}
	if err := w.db.ApplyNoSyncWait(batch, pebble.Sync); err != nil {
		return err
	}
	w.chain = hashOf(value) // while the disk is busy
	w.synced(batch)
	return nil
}

// fill puts a block and its copies into a batch, the block first: so it can be recognised in a damaged write-ahead log.
func (w *writer) fill(batch *pebble.Batch, b *block, value []byte) error {
	if err := batch.Set(blockKey(b.first), value, nil); err != nil {
		return err
	}
	for _, d := range b.copies {
		w.scratch = b.definitionValue(w.scratch[:0], d)
		if err := batch.Set(seqKey(spaceDefinition, d.seq), w.scratch, nil); err != nil {
			return err
		}
	}
	return nil
}

// sync asks for a sync of what is committed.
func (w *writer) sync() error {
	batch := w.db.NewBatch()
	if err := batch.LogData(nil, nil); err != nil {
		return err
	}
	if err := w.db.ApplyNoSyncWait(batch, pebble.Sync); err != nil {
		return err
	}
	w.synced(batch)
	return nil
}

// synced hands on a sync that was asked for, once the one before is done.
func (w *writer) synced(batch *pebble.Batch) {
	w.unsynced, w.syncBy = 0, time.Time{}
	w.acks.syncs <- pendingSync{batch, w.last}
}

// seal writes the seal, and all that is still in memory into tables.
func (w *writer) seal() error {
	s := Seal{Records: uint64(w.last), Last: w.last, Blocks: w.blocks, Head: w.chain}
	if err := w.db.Set(sealKey, s.encode(), pebble.Sync); err != nil {
		return err
	}
	return w.db.Flush()
}
