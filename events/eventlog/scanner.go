package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	hashing "hash"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// Scanner reads records in their order. It is not safe for concurrent use.
type Scanner struct {
	dir     string
	space   byte
	run     events.RunID
	from    events.Seq
	iter    *pebble.Iterator
	started bool
	decoder events.Decoder
	record  events.Record
	rest    []byte // of the present block
	left    uint32 // records in it
	seq     events.Seq
	time    events.Time
	digest  hashing.Hash
	sums    []byte
	skipped map[events.Kind]uint64
	err     error
}

func newScanner(dir string, db *pebble.DB, space byte) *Scanner {
	s := &Scanner{dir: dir, space: space, digest: sha256.New(), skipped: make(map[events.Kind]uint64)}
	iter, err := db.NewIter(boundsOf(space))
	if err != nil {
		s.err = fmt.Errorf("scan log %s: %w", dir, err)
		return s
	}
	s.iter = iter
	return s
}

// Next goes to the next record; false at the end, or at an error.
func (s *Scanner) Next() bool {
	for s.err == nil {
		if s.left == 0 && !s.nextBlock() {
			return false
		}
		f, rest, err := nextFrame(s.rest, s.time)
		if err != nil {
			s.fail(err)
			return false
		}
		seq := s.seq
		s.rest, s.time = rest, f.time
		s.left--
		s.seq++
		if seq < s.from {
			continue
		}
		return s.decode(seq, f)
	}
	return false
}

func (s *Scanner) decode(seq events.Seq, f frame) bool {
	e, err := s.decoder.Decode(f.kind, f.version, f.payload)
	if err != nil {
		s.fail(fmt.Errorf("%w: record %d: %w", ErrCorrupt, seq, err))
		return false
	}
	if _, unknown := e.(*events.Unknown); unknown {
		s.skipped[f.kind]++
	}
	s.sums = appendDigested(s.sums, seq, f)
	if len(s.sums) > 64<<10 {
		s.digest.Write(s.sums)
		s.sums = s.sums[:0]
	}
	s.record = events.Record{Run: s.run, Seq: seq, Time: f.time, Event: e}
	return true
}

// appendDigested appends what the content digest covers of a record.
func appendDigested(b []byte, seq events.Seq, f frame) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(f.time))
	b = binary.BigEndian.AppendUint16(b, uint16(f.kind))
	b = binary.BigEndian.AppendUint16(b, uint16(f.version))
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload)))
	return append(b, f.payload...)
}

func (s *Scanner) nextBlock() bool {
	if !s.advance() {
		if err := s.iter.Error(); err != nil {
			s.fail(err)
		}
		return false
	}
	value, err := s.iter.ValueAndErr()
	if err != nil {
		s.fail(err)
		return false
	}
	h, err := parseHeader(value)
	if err == nil && (h.count == 0 || len(s.iter.Key()) != 9 || uint64(h.first) != binary.BigEndian.Uint64(s.iter.Key()[1:])) {
		err = fmt.Errorf("%w: block does not belong to its key", ErrCorrupt)
	}
	if err == nil && s.space == blockSpace && s.seq != 0 && h.first != s.seq {
		err = fmt.Errorf("%w: records %d to %d are missing", ErrCorrupt, s.seq, h.first-1)
	}
	if err != nil {
		s.fail(err)
		return false
	}
	s.rest, s.left, s.seq, s.time = value[headerSize:], h.count, h.first, h.base
	return true
}

func (s *Scanner) advance() bool {
	if s.started {
		return s.iter.Next()
	}
	s.started = true
	if s.space == blockSpace && s.from > 1 && s.iter.SeekLT(keyOf(blockSpace, s.from+1)) {
		return true
	}
	return s.iter.First()
}

func (s *Scanner) fail(err error) {
	s.err = fmt.Errorf("log %s, key %x: %w", s.dir, s.iter.Key(), err)
}

// Record is the present record. It is valid until the next call of Next.
func (s *Scanner) Record() *events.Record { return &s.record }

// Err is the error that ended the scan, or nil.
func (s *Scanner) Err() error { return s.err }

// Skipped counts the records of kinds or versions that this program does not know.
func (s *Scanner) Skipped() map[events.Kind]uint64 { return s.skipped }

// Digest is the content digest of the records scanned so far.
func (s *Scanner) Digest() [32]byte {
	s.digest.Write(s.sums)
	s.sums = s.sums[:0]
	return [32]byte(s.digest.Sum(nil))
}

// Close ends the scan.
func (s *Scanner) Close() error {
	if s.iter == nil {
		return nil
	}
	err := s.iter.Close()
	s.iter = nil
	return err
}
