package session

import (
	"sync/atomic"

	"btda/events"
	"btda/events/pieces"
)

// maxEarly is how many pieces a torrent can have whose piece count is not known: a bitfield of 256 KiB.
const maxEarly = 1 << 21

// early is what a peer told about its pieces while nobody knew how many there are. A nil early keeps nothing.
type early struct {
	kept     *atomic.Int64 // bytes of all sessions
	bits     []byte        // of the pieces that differ from all the others
	all      bool          // those others are there
	bitfield int           // bytes of the last bitfield; 0 is none, or that all or none came later
	lost     bool          // more came than is kept
}

// have takes in one piece that is there, or is not.
func (e *early) have(i events.PieceIndex, there bool) {
	if e == nil || e.lost || i >= maxEarly || !e.grow(int(i/8)+1) {
		return
	}
	mask := byte(0x80) >> (i % 8)
	if there == e.all {
		mask = ^mask
		e.bits[i/8] &= mask
	} else {
		e.bits[i/8] |= mask
	}
}

// whole takes in that all pieces are there, or none.
func (e *early) whole(all bool) {
	if e != nil {
		e.forget()
		e.all = all
	}
}

// replace takes in a bitfield.
func (e *early) replace(bitfield []byte) {
	if e == nil {
		return
	}
	e.forget()
	if e.grow(len(bitfield)) {
		copy(e.bits, bitfield)
		e.bitfield = len(bitfield)
	}
}

// grow makes place for bytes, if there is memory left.
func (e *early) grow(size int) bool {
	more := size - len(e.bits)
	if more <= 0 {
		return true
	}
	if e.kept.Add(int64(more)) > earlyShare {
		e.kept.Add(-int64(more))
		e.forget()
		e.lost = true
		return false
	}
	e.bits = append(e.bits, make([]byte, more)...)
	return true
}

// forget keeps nothing, and gives the memory back.
func (e *early) forget() {
	e.kept.Add(-int64(len(e.bits)))
	*e = early{kept: e.kept}
}

// set gives the pieces, now that their number is known. ok is false where what came does not fit to it, or was too much to keep.
func (e *early) set(count uint32) (set pieces.Set, ok bool) {
	set = pieces.New(count)
	if e.lost || e.bitfield != 0 && e.bitfield != pieces.BitfieldLength(count) {
		return set, false
	}
	if e.all {
		set.Fill()
	}
	for i := range events.PieceIndex(min(count, uint32(8*len(e.bits)))) {
		switch different := e.bits[i/8]&(0x80>>(i%8)) != 0; {
		case different && e.all:
			set.Remove(i)
		case different:
			set.Add(i)
		}
	}
	return set, true
}
