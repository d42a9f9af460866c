package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"

	"btda/events"
)

// Scanner reads records in their order. It is not safe for concurrent use.
//
//	for s.Next() {
//		use(s.Record())
//	}
//	if err := s.Err(); err != nil {
type Scanner struct {
	store       *store
	source      source
	run         func() events.RunID
	definitions bool       // of copies, whose numbers have gaps
	want        events.Seq // the least number of the next record
	begun       bool       // a block was read: the next one must follow without a gap
	block       blockReader
	key         []byte
	frame       frame
	inspect     inspector // sees all before it is decoded; may be nil
	decoder     events.Decoder
	record      events.Record
	digest      hash.Hash
	envelope    [24]byte
	skipped     map[events.Kind]uint64
	err         error
	closed      bool
}

// inspector looks at what a scanner reads.
type inspector interface {
	block(value []byte) error
	record(*frame) error
}

// growing is a source of a log that is being written.
type growing interface {
	reach() events.Seq
	rest() error
}

// source gives stored values, in the order of their keys.
type source interface {
	// next returns the next value, which is good until the call after; false at the end.
	next() (key, value []byte, ok bool, err error)
	close() error
}

func newScanner(st *store, run func() events.RunID, from events.Seq, src source) *Scanner {
	s := &Scanner{
		store:  st,
		source: src,
		run:    run,
		want:   max(from, 1),
		digest: sha256.New(),
	}
	if !st.acquire() {
		s.closed, s.err = true, fmt.Errorf("eventlog: scanning: %w", ErrClosed)
	}
	return s
}

// WithoutDigest switches the content digest off, which makes scanning faster. Call it before Next.
func (s *Scanner) WithoutDigest() *Scanner {
	s.digest = nil
	return s
}

// Next goes to the next record. It returns false at the end, and on an error. A record of a kind that this
// program does not know, or not in this version, has an *events.Unknown and is counted.
func (s *Scanner) Next() bool {
	for s.err == nil && !s.closed {
		ok, err := s.block.next(&s.frame)
		if err != nil {
			s.fail(err)
			return false
		}
		if !ok {
			if !s.nextBlock() {
				return false
			}
			continue
		}
		if s.frame.seq >= s.want && s.take() {
			return true
		}
	}
	return false
}

// nextBlock goes to the next stored value.
func (s *Scanner) nextBlock() bool {
	key, value, ok, err := s.source.next()
	if err != nil || !ok {
		s.err = asDamage(err)
		return false
	}
	s.key = append(s.key[:0], key...)
	if err := s.enter(value); err != nil {
		s.fail(err)
		return false
	}
	return true
}

// enter begins a value, and checks that it stands where it belongs.
func (s *Scanner) enter(value []byte) error {
	first, err := keySeq(s.key)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := s.block.open(value); err != nil {
		return err
	}
	h := &s.block.header
	if h.first != first {
		return damagedf(headerFirst, "the block of record %d under the key of record %d", h.first, first)
	}
	if s.definitions != (h.flags&flagDefinition != 0) {
		return damagedf(headerFlags, "a definition in place of a block, or a block in place of a definition")
	}
	if s.record.Run = s.run(); s.definitions {
		return nil
	}
	if first > s.want {
		return damagedf(headerFirst, "records %d to %d are missing", s.want, first-1)
	}
	if s.begun && first < s.want {
		return damagedf(headerFirst, "record %d again, after record %d", first, s.want-1)
	}
	s.begun = true
	if s.inspect != nil {
		return s.inspect.block(value)
	}
	return nil
}

// take decodes the frame. It returns false on an error.
func (s *Scanner) take() bool {
	f := &s.frame
	s.want = f.seq + 1
	s.sum(f)
	if s.inspect != nil {
		if err := s.inspect.record(f); err != nil {
			s.fail(err)
			return false
		}
	}
	e, err := s.decoder.Decode(f.kind, f.version, f.payload)
	if err != nil {
		s.fail(fmt.Errorf("record %d: %w: %w", f.seq, ErrDamaged, err))
		return false
	}
	if _, ok := e.(*events.Unknown); ok {
		if s.skipped == nil {
			s.skipped = make(map[events.Kind]uint64)
		}
		s.skipped[f.kind]++
	}
	s.record.Seq, s.record.Time, s.record.Event = f.seq, f.time, e
	return true
}

// sum adds a record to the content digest: its envelope, big-endian, and the payload as it is stored.
func (s *Scanner) sum(f *frame) {
	if s.digest == nil {
		return
	}
	b := s.envelope[:]
	binary.BigEndian.PutUint64(b[0:], uint64(f.seq))
	binary.BigEndian.PutUint64(b[8:], uint64(f.time))
	binary.BigEndian.PutUint16(b[16:], uint16(f.kind))
	binary.BigEndian.PutUint16(b[18:], uint16(f.version))
	binary.BigEndian.PutUint32(b[20:], uint32(len(f.payload)))
	s.digest.Write(b)
	s.digest.Write(f.payload)
}

func (s *Scanner) fail(err error) { s.err = fmt.Errorf("eventlog: key %x: %w", s.key, err) }

// Record is the record that Next went to. It and its event are good until the next call of Next; do not change them.
func (s *Scanner) Record() *events.Record { return &s.record }

// Err is the error that ended the scan; nil at the end of the log.
func (s *Scanner) Err() error { return s.err }

// Digest is the content digest of the records scanned so far, those of unknown kinds included: SHA-256 over their
// numbers, times, kinds, versions and stored payloads. It does not depend on how they are stored. Zero when switched off.
func (s *Scanner) Digest() (sum [sha256.Size]byte) {
	if s.digest != nil {
		s.digest.Sum(sum[:0])
	}
	return sum
}

// Reach is the number of the last record that Next gives without waiting for the writer, as far as the scanner knows yet; of a log
// that nobody is writing it is beyond every record. Definitions are those of the records up to there, once Next has said false.
func (s *Scanner) Reach() events.Seq {
	if g, ok := s.source.(growing); ok {
		return g.reach()
	}
	return math.MaxUint64
}

// Rest lets go of what the scan keeps the store from freeing, for a caller that stands at Reach and will be busy with other things. The
// record is no longer good afterwards; Next goes on where it was.
func (s *Scanner) Rest() error {
	g, ok := s.source.(growing)
	if !ok || s.closed || s.err != nil || s.want != g.reach()+1 {
		return nil
	}
	return asDamage(g.rest())
}

// Skipped counts the records of each kind that this program does not know, or not in their version. It belongs to the scanner.
func (s *Scanner) Skipped() map[events.Kind]uint64 { return s.skipped }

// Close ends the scan. It may be called more than once.
func (s *Scanner) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.source.close()
	if e := s.store.release(); err == nil {
		err = e
	}
	return err
}
