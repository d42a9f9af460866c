package pieces

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// ErrDifference says that a difference does not fit the bitfield that it is applied to.
var ErrDifference = errors.New("difference that does not fit its bitfield")

// AppendDifference appends to to the bits in which two bitfields of one length differ, as events.BitfieldChanged
// stores them: the index of the first and then the distance to the one before, less one, each an unsigned varint.
// It panics when the lengths differ.
func AppendDifference(to, from, bitfield []byte) []byte {
	if len(from) != len(bitfield) {
		panic("pieces: difference of bitfields of different lengths")
	}
	next := uint64(0)
	for i := range from {
		for toggled := from[i] ^ bitfield[i]; toggled != 0; {
			bit := bits.LeadingZeros8(toggled)
			toggled &^= 0x80 >> bit
			index := uint64(i)*8 + uint64(bit)
			to = binary.AppendUvarint(to, index-next)
			next = index + 1
		}
	}
	return to
}

// ApplyDifference turns a bitfield into the one that a difference leads to, in place. The error is ErrDifference: then the
// bitfield may have changed in part.
func ApplyDifference(bitfield, difference []byte) error {
	next, limit := uint64(0), uint64(len(bitfield))*8
	for len(difference) > 0 {
		distance, n := binary.Uvarint(difference)
		if n <= 0 || distance >= limit-next {
			return ErrDifference
		}
		index := next + distance
		bitfield[index/8] ^= 0x80 >> (index % 8)
		next, difference = index+1, difference[n:]
	}
	return nil
}
