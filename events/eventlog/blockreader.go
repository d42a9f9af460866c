package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"btda/events"
)

// ErrDamaged is wrapped by errors that say that a stored value is not as it was written.
var ErrDamaged = errors.New("the log is damaged")

// frame is a record as it is stored.
type frame struct {
	seq     events.Seq
	time    events.Time
	kind    events.Kind
	version events.Version
	payload []byte // part of the value
}

// blockReader reads the frames of a block. It trusts nothing: every number is held against what is left.
type blockReader struct {
	header   header
	value    []byte
	at       int    // offset of the next frame
	left     uint32 // frames that are left
	last     events.Time
	unpacked []byte // keeps the space of a block that was compressed
}

// open begins a value. A compressed one is copied; the frames of another are part of it.
func (r *blockReader) open(value []byte) error {
	*r = blockReader{unpacked: r.unpacked}
	if len(value) < headerSize {
		return damagedf(0, "a block of %d bytes, shorter than its header of %d", len(value), headerSize)
	}
	if value[0] != FormatVersion {
		return damagedf(0, "block version %d is not known", value[0])
	}
	h := getHeader(value)
	if h.flags&^(flagDefinition|flagPacked) != 0 {
		return damagedf(headerFlags, "unknown flags %#x", h.flags)
	}
	if h.flags&flagPacked != 0 {
		plain, err := unpack(r.unpacked, value)
		if err != nil {
			return err
		}
		r.unpacked, value = plain, plain
	}
	switch {
	case h.first == 0 || uint64(h.first) > math.MaxUint64-uint64(h.count):
		return damagedf(headerFirst, "sequence number %d", h.first)
	case h.synced >= h.first:
		return damagedf(headerSynced, "record %d was durable before record %d was written", h.synced, h.first)
	case h.count == 0 || uint64(h.count) > uint64(len(value)-headerSize)/minFrameSize:
		return damagedf(headerCount, "%d records in %d bytes", h.count, len(value)-headerSize)
	}
	r.header, r.value, r.at, r.left, r.last = h, value, headerSize, h.count, h.base
	return nil
}

// getHeader reads the header of a value that is long enough.
func getHeader(value []byte) header {
	h := header{
		flags:  value[headerFlags],
		first:  events.Seq(binary.BigEndian.Uint64(value[headerFirst:])),
		count:  binary.BigEndian.Uint32(value[headerCount:]),
		base:   events.Time(binary.BigEndian.Uint64(value[headerTime:])),
		synced: events.Seq(binary.BigEndian.Uint64(value[headerSynced:])),
	}
	copy(h.previous[:], value[headerPrevious:])
	return h
}

// next reads a frame into f. It returns false at the end of the block.
func (r *blockReader) next(f *frame) (bool, error) {
	if r.left == 0 {
		if r.at < len(r.value) {
			return false, damagedf(r.at, "%d bytes after the last record", len(r.value)-r.at)
		}
		return false, nil
	}
	at := r.at
	kind, at := r.uvarint(at, math.MaxUint16)
	version, at := r.uvarint(at, math.MaxUint16)
	elapsed, at := r.uvarint(at, math.MaxUint64)
	length, at := r.uvarint(at, maxPayload)
	if at < 0 || length > uint64(len(r.value)-at) {
		return false, damagedf(r.at, "record %d cannot be read", r.header.first+events.Seq(r.header.count-r.left))
	}
	end := at + int(length)
	r.last += unzigzag(elapsed)
	*f = frame{
		seq:     r.header.first + events.Seq(r.header.count-r.left),
		time:    r.last,
		kind:    events.Kind(kind),
		version: events.Version(version),
		payload: r.value[at:end:end],
	}
	r.at = end
	r.left--
	return true, nil
}

// uvarint reads a number and returns the offset behind it: -1 when it is cut off or larger than limit, or when at is -1.
func (r *blockReader) uvarint(at int, limit uint64) (uint64, int) {
	if at < 0 || at >= len(r.value) {
		return 0, -1
	}
	if b := r.value[at]; b < 0x80 && uint64(b) <= limit {
		return uint64(b), at + 1
	}
	v, n := binary.Uvarint(r.value[at:])
	if n <= 0 || v > limit {
		return 0, -1
	}
	return v, at + n
}

func unzigzag(v uint64) events.Time { return events.Time(v>>1) ^ -events.Time(v&1) }

// damage is where a value is not as it was written.
type damage struct {
	offset int // within the value
	what   string
}

func damagedf(offset int, format string, args ...any) error {
	return &damage{offset, fmt.Sprintf(format, args...)}
}

// Error says what is wrong and at which offset of the value.
func (d *damage) Error() string { return fmt.Sprintf("offset %d: %s", d.offset, d.what) }

// Unwrap is ErrDamaged.
func (d *damage) Unwrap() error { return ErrDamaged }
