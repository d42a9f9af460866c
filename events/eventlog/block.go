package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"btda/events"
)

// blockVersion is the version of the layout of a block: see FORMAT.md.
const blockVersion = 1

// headerSize is the length of the fixed part of a block: version, flags, reserved (2), count (4), first seq (8), base
// time (8), and the SHA-256 of the block before (32).
const headerSize = 56

// ErrCorrupt is wrapped by every error that says that a log is damaged.
var ErrCorrupt = errors.New("damaged log")

type hash = [32]byte

// block is a block under construction.
type block struct {
	buf   []byte
	first events.Seq
	count uint32
	last  events.Time // of the newest record
}

func (b *block) begin(first events.Seq, at events.Time) {
	b.buf = append(b.buf[:0], make([]byte, headerSize)...)
	b.first, b.count, b.last = first, 0, at
	binary.BigEndian.PutUint64(b.buf[16:], uint64(at))
}

// add appends the frame of one record.
func (b *block) add(at events.Time, e events.Event, payload []byte) {
	b.buf = binary.AppendUvarint(b.buf, uint64(e.Kind()))
	b.buf = binary.AppendUvarint(b.buf, uint64(e.Kind().Version()))
	b.buf = binary.AppendVarint(b.buf, int64(at-b.last))
	b.buf = binary.AppendUvarint(b.buf, uint64(len(payload)))
	b.buf = append(b.buf, payload...)
	b.last = at
	b.count++
}

// close completes the header.
func (b *block) close(previous hash) []byte {
	b.buf[0] = blockVersion
	binary.BigEndian.PutUint32(b.buf[4:], b.count)
	binary.BigEndian.PutUint64(b.buf[8:], uint64(b.first))
	copy(b.buf[24:], previous[:])
	return b.buf
}

// header is the fixed part of a stored block.
type header struct {
	count    uint32
	first    events.Seq
	base     events.Time
	previous hash
}

func parseHeader(value []byte) (header, error) {
	if len(value) < headerSize {
		return header{}, fmt.Errorf("%w: block of %d bytes, want at least %d", ErrCorrupt, len(value), headerSize)
	}
	if value[0] != blockVersion {
		return header{}, fmt.Errorf("%w: block of version %d, want %d; a newer btda may read it", ErrCorrupt, value[0], blockVersion)
	}
	return header{
		count: binary.BigEndian.Uint32(value[4:]), first: events.Seq(binary.BigEndian.Uint64(value[8:])),
		base: events.Time(binary.BigEndian.Uint64(value[16:])), previous: hash(value[24:]),
	}, nil
}

// frame is one record as stored.
type frame struct {
	kind    events.Kind
	version events.Version
	time    events.Time
	payload []byte // part of the block
}

// nextFrame reads the frame at the front of b.
func nextFrame(b []byte, before events.Time) (f frame, rest []byte, err error) {
	kind, n := binary.Uvarint(b)
	if n <= 0 || kind > 0xffff {
		return f, nil, fmt.Errorf("%w: bad kind", ErrCorrupt)
	}
	b = b[n:]
	version, n := binary.Uvarint(b)
	if n <= 0 || version > 0xffff {
		return f, nil, fmt.Errorf("%w: bad version", ErrCorrupt)
	}
	b = b[n:]
	elapsed, n := binary.Varint(b)
	if n <= 0 {
		return f, nil, fmt.Errorf("%w: bad time", ErrCorrupt)
	}
	b = b[n:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return f, nil, fmt.Errorf("%w: bad length", ErrCorrupt)
	}
	b = b[n:]
	return frame{events.Kind(kind), events.Version(version), before + events.Time(elapsed), b[:length:length]}, b[length:], nil
}
