// Package pieces holds the piece set of one peer: which pieces it was seen to have, and how many.
package pieces

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"btda/events"
)

// Errors of a bitfield message (BEP 3): it changes nothing.
var (
	ErrLength    = errors.New("bitfield of a wrong length")
	ErrSpareBits = errors.New("bitfield with spare bits set")
)

// Set is a set of pieces of one torrent. Its zero value is the empty set of a torrent without pieces. A copy of a Set shares
// its bits: use one of the two only.
type Set struct {
	bitfield []byte // as in BEP 3: the high bit of the first byte is piece 0; nil while empty
	size     uint32
	count    uint32
}

// New returns the empty set for a torrent with a number of pieces. It takes memory, a bit a piece, with the first
// piece; a full set takes none.
func New(size uint32) Set { return Set{size: size} }

// BitfieldLength is the length in bytes of a bitfield of a torrent with a number of pieces.
func BitfieldLength(size uint32) int { return int((uint64(size) + 7) / 8) }

// Size is the number of pieces of the torrent.
func (s *Set) Size() uint32 { return s.size }

// Count is the number of pieces in the set.
func (s *Set) Count() uint32 { return s.count }

// Has reports whether a piece is in the set.
func (s *Set) Has(i events.PieceIndex) bool {
	switch {
	case uint32(i) >= s.size:
		return false
	case s.bitfield == nil:
		return s.count > 0
	}
	return s.bitfield[i/8]&(0x80>>(i%8)) != 0
}

// Add adds a piece. valid is false when the index is out of range: then nothing changes.
func (s *Set) Add(i events.PieceIndex) (added, valid bool) {
	if uint32(i) >= s.size {
		return false, false
	}
	if s.Has(i) {
		return false, true
	}
	s.allocate()
	s.bitfield[i/8] |= 0x80 >> (i % 8)
	s.count++
	return true, true
}

// Remove removes a piece. valid is false when the index is out of range: then nothing changes.
func (s *Set) Remove(i events.PieceIndex) (removed, valid bool) {
	if uint32(i) >= s.size {
		return false, false
	}
	if !s.Has(i) {
		return false, true
	}
	s.allocate()
	s.bitfield[i/8] &^= 0x80 >> (i % 8)
	s.count--
	return true, true
}

// Fill makes the set hold all pieces.
func (s *Set) Fill() { s.bitfield, s.count = nil, s.size }

// Clear makes the set empty.
func (s *Set) Clear() { s.bitfield, s.count = nil, 0 }

// Replace makes the set hold what a bitfield names. The bitfield is copied. The errors are ErrLength and ErrSpareBits:
// then nothing changes.
func (s *Set) Replace(bitfield []byte) error {
	if err := Check(bitfield, s.size); err != nil {
		return err
	}
	if s.bitfield == nil {
		s.bitfield = make([]byte, len(bitfield))
	}
	copy(s.bitfield, bitfield)
	s.count = countBits(bitfield)
	return nil
}

// Bitfield returns the set as a bitfield, in memory of its own.
func (s *Set) Bitfield() []byte {
	bitfield := make([]byte, BitfieldLength(s.size))
	if s.bitfield != nil {
		copy(bitfield, s.bitfield)
	} else if s.count > 0 {
		fill(bitfield, s.size)
	}
	return bitfield
}

// allocate gives an empty or full set its bits.
func (s *Set) allocate() {
	if s.bitfield != nil {
		return
	}
	s.bitfield = make([]byte, BitfieldLength(s.size))
	if s.count > 0 {
		fill(s.bitfield, s.size)
	}
}

func fill(bitfield []byte, size uint32) {
	for i := range bitfield {
		bitfield[i] = 0xff
	}
	if spare := uint(len(bitfield))*8 - uint(size); spare > 0 {
		bitfield[len(bitfield)-1] <<= spare
	}
}

// Check holds a bitfield against the number of pieces of its torrent. The errors wrap ErrLength and ErrSpareBits.
func Check(bitfield []byte, size uint32) error {
	if want := BitfieldLength(size); len(bitfield) != want {
		return fmt.Errorf("%w: %d bytes, want %d for %d pieces", ErrLength, len(bitfield), want, size)
	}
	if used := size % 8; used != 0 && bitfield[len(bitfield)-1]<<used != 0 {
		return ErrSpareBits
	}
	return nil
}

func countBits(b []byte) uint32 {
	n := 0
	for ; len(b) >= 8; b = b[8:] {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(b))
	}
	for _, v := range b {
		n += bits.OnesCount8(v)
	}
	return uint32(n)
}
