package eventlog

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// stored gives the values of one key space, beginning with that of a record.
type stored struct {
	store *store
	space byte
	from  events.Seq
	until events.Seq // the last record that counts; 0 for no bound
	iter  *pebble.Iterator
}

func (s *stored) next() (key, value []byte, ok bool, err error) {
	if s.iter != nil {
		ok = s.iter.Next()
	} else if ok, err = s.seek(); err != nil {
		return nil, nil, false, err
	}
	if !ok {
		return nil, nil, false, s.iter.Error()
	}
	value, err = s.iter.ValueAndErr()
	return s.iter.Key(), value, err == nil, err
}

// seek goes to the value that holds the record from, or else to the first one after.
func (s *stored) seek() (bool, error) {
	to := []byte{s.space + 1}
	if s.until > 0 {
		to = seqKey(s.space, s.until+1)
	}
	iter, err := s.store.iterate([]byte{s.space}, to)
	if err != nil {
		return false, err
	}
	s.iter = iter
	return iter.SeekLT(seqKey(s.space, s.from+1)) || iter.First(), nil
}

func (s *stored) close() error {
	if s.iter == nil {
		return nil
	}
	iter := s.iter
	s.iter = nil
	return iter.Close()
}

// followed gives the blocks of a log that is being written, as they become durable.
type followed struct {
	log    *Log
	ctx    context.Context
	from   events.Seq // the next record
	blocks stored     // up to what was durable when it began
}

// Scan reads the records from a sequence number on, beside the writer. It waits for those that are not durable yet, until
// the log is closed, when it ends without an error after the last record, or ctx is done or the log fails. Close the
// scanner, else the folder stays open.
func (l *Log) Scan(ctx context.Context, from events.Seq) *Scanner {
	return newScanner(l.store, l.Run, from, &followed{log: l, ctx: ctx, from: max(from, 1)})
}

func (f *followed) next() (key, value []byte, ok bool, err error) {
	if f.blocks.iter != nil {
		key, value, ok, err = f.blocks.next()
		if ok || err != nil {
			return key, value, ok, err
		}
		f.from = f.blocks.until + 1
		if err := f.blocks.close(); err != nil { // not held while waiting: it keeps memory
			return nil, nil, false, err
		}
	}
	if err := f.log.WaitDurable(f.ctx, f.from); err != nil {
		return nil, nil, false, unlessClosed(err)
	}
	f.blocks = stored{store: f.log.store, space: spaceBlock, from: f.from, until: f.log.Durable()}
	return f.blocks.next()
}

// unlessClosed passes over the end of the log, which is no error of who reads it.
func unlessClosed(err error) error {
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

func (f *followed) close() error { return f.blocks.close() }

func (f *followed) reach() events.Seq { return f.blocks.until }

// rest closes the iterator at its end. Else it would keep what the store could free, for as long as nobody asks for more.
func (f *followed) rest() error {
	if f.blocks.iter == nil {
		return nil
	}
	f.from = f.blocks.until + 1
	return f.blocks.close()
}

// announced gives the definitions of a log that is being written, up to what is durable when the first is asked for.
type announced struct {
	log    *Log
	ctx    context.Context
	copies stored
}

// Definitions reads the run and torrent records that are durable, beside the writer, as Reader.Definitions does of a whole log. It waits
// for the first record. Close the scanner.
func (l *Log) Definitions(ctx context.Context) *Scanner {
	s := newScanner(l.store, l.Run, 1, &announced{log: l, ctx: ctx})
	s.definitions = true
	return s
}

func (a *announced) next() (key, value []byte, ok bool, err error) {
	if a.copies.until == 0 {
		if err := a.log.WaitDurable(a.ctx, 1); err != nil {
			return nil, nil, false, unlessClosed(err)
		}
		a.copies = stored{store: a.log.store, space: spaceDefinition, from: 1, until: a.log.Durable()}
	}
	return a.copies.next()
}

func (a *announced) reach() events.Seq { return a.copies.until }

func (a *announced) rest() error { return nil }

func (a *announced) close() error { return a.copies.close() }
