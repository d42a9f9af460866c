package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"btda/events"
)

// block is a block that is being filled: the header, then a frame for each record.
type block struct {
	buf    []byte
	first  events.Seq
	count  uint32
	base   events.Time // of the first record
	last   events.Time // of the last record
	began  time.Time   // when the first record was appended
	copies []definition
}

// definition is a record of a block that gets a copy of its own. The payload lies in the block.
type definition struct {
	seq        events.Seq
	time       events.Time
	kind       events.Kind
	version    events.Version
	start, end int
}

// defines reports whether records of a kind are needed before all others, to understand them.
func defines(k events.Kind) bool {
	switch k {
	case events.KindRunStarted, events.KindRunStopped, events.KindTorrentAdded, events.KindMetadataReceived:
		return true
	}
	return false
}

// reset empties the block. It keeps the space, unless that is much larger than a block of so many bytes needs.
func (b *block) reset(size int) {
	buf := b.buf
	if cap(buf) > 2*size+headerSize || buf == nil {
		buf = make([]byte, headerSize, size+size/4+headerSize)
	}
	*b = block{buf: buf[:headerSize], copies: b.copies[:0]}
}

// lastSeq is the sequence number of the last record.
func (b *block) lastSeq() events.Seq { return b.first + events.Seq(b.count) - 1 }

// append adds a record. On an error the block is as before.
func (b *block) append(enc *events.Encoder, seq events.Seq, at events.Time, e events.Event) error {
	kind := e.Kind()
	version := kind.Version()
	last := b.last
	if b.count == 0 {
		last = at
	}
	buf := appendFrameHead(b.buf, kind, version, at-last)
	buf = append(buf, 0) // the length of most payloads fits into this byte
	start := len(buf)
	buf, err := enc.Append(buf, e)
	if err == nil && len(buf)-start > maxPayload {
		err = fmt.Errorf("a payload of %d bytes, more than %d", len(buf)-start, maxPayload)
	}
	if err != nil {
		return fmt.Errorf("event %v: %w", kind, err)
	}
	buf, start = closeFrame(buf, start)
	if b.count == 0 {
		b.first, b.base = seq, at
	}
	b.buf, b.last = buf, at
	b.count++
	if defines(kind) {
		b.copies = append(b.copies, definition{seq, at, kind, version, start, len(buf)})
	}
	return nil
}

// appendFrameHead writes what comes before the length of the payload.
func appendFrameHead(buf []byte, kind events.Kind, version events.Version, sinceLast events.Time) []byte {
	buf = binary.AppendUvarint(buf, uint64(kind))
	buf = binary.AppendUvarint(buf, uint64(version))
	return binary.AppendVarint(buf, int64(sinceLast))
}

// closeFrame writes the length of the payload that begins at start into the byte before it, moving the payload when
// the length needs more. It returns the new start.
func closeFrame(buf []byte, start int) ([]byte, int) {
	n := len(buf) - start
	if n < 0x80 {
		buf[start-1] = byte(n)
		return buf, start
	}
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], uint64(n))
	buf = append(buf, length[:size-1]...) // any bytes, to make room
	copy(buf[start+size-1:], buf[start:start+n])
	copy(buf[start-1:], length[:size])
	return buf, start + size - 1
}

// value completes the header, with what is known of the log before the block, and returns what is stored unless it is
// compressed. It belongs to the block.
func (b *block) value(synced events.Seq, previous chainHash) []byte {
	putHeader(b.buf, header{first: b.first, count: b.count, base: b.base, synced: synced, previous: previous})
	return b.buf
}

// definitionValue appends the copy of a record to buf.
func (b *block) definitionValue(buf []byte, d definition) []byte {
	at := len(buf)
	buf = append(buf, make([]byte, headerSize)...)
	putHeader(buf[at:], header{flags: flagDefinition, first: d.seq, count: 1, base: d.time})
	buf = appendFrameHead(buf, d.kind, d.version, 0)
	buf = binary.AppendUvarint(buf, uint64(d.end-d.start))
	return append(buf, b.buf[d.start:d.end]...)
}

// header is the fixed part of a block.
type header struct {
	flags    byte
	first    events.Seq
	count    uint32
	base     events.Time // of the first record
	synced   events.Seq  // the last record that was durable before the block was written
	previous chainHash   // of the value before
}

func putHeader(buf []byte, h header) {
	buf[0] = FormatVersion
	buf[headerFlags] = h.flags
	binary.BigEndian.PutUint64(buf[headerFirst:], uint64(h.first))
	binary.BigEndian.PutUint32(buf[headerCount:], h.count)
	binary.BigEndian.PutUint64(buf[headerTime:], uint64(h.base))
	binary.BigEndian.PutUint64(buf[headerSynced:], uint64(h.synced))
	copy(buf[headerPrevious:headerSize], h.previous[:])
}

func hashOf(value []byte) chainHash { return sha256.Sum256(value) }
