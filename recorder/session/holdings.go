package session

import (
	"bytes"

	"btda/events"
	"btda/events/pieces"
)

// holdings is what a peer has, as far as it told.
type holdings struct {
	set      pieces.Set
	complete uint32 // pieces from which on the peer is complete
	begin    Start
	reached  bool // it was complete at some time

	// base is the bitfield that differences are taken to. Its bits are kept apart only once they are needed: as long as the set
	// was not changed otherwise, they are those of the set.
	base      events.Seq // 0 while there is none
	baseBits  []byte     // nil while they are those of the set, or lost
	unchanged bool       // the set is still what base brought
}

// told reports that the peer told about its pieces.
func (h *holdings) told() bool { return h.begin != StartUnknown }

// sized reports that the number of pieces of the torrent is known. Where it is not, nothing is judged.
func (h *holdings) sized() bool { return h.set.Size() > 0 }

// have adds a piece. news is false when nothing changed by it.
func (h *holdings) have(i events.PieceIndex) (news bool) {
	added, valid := h.set.Add(i)
	return h.single(added, valid)
}

// dontHave removes a piece. news is false when nothing changed by it.
func (h *holdings) dontHave(i events.PieceIndex) (news bool) {
	removed, valid := h.set.Remove(i)
	return h.single(removed, valid)
}

func (h *holdings) single(changed, valid bool) (news bool) {
	if !valid && h.sized() {
		return false
	}
	news = changed || !h.told() || !h.sized()
	h.begin = max(h.begin, StartAssumed)
	h.note(changed)
	return news
}

// all and none take in a have-all and a have-none.
func (h *holdings) all() (news bool)  { return h.whole(h.set.Size(), h.set.Fill) }
func (h *holdings) none() (news bool) { return h.whole(0, h.set.Clear) }

func (h *holdings) whole(count uint32, set func()) (news bool) {
	changed := h.set.Count() != count
	news = changed || h.begin != StartKnown
	set()
	h.begin = StartKnown
	h.note(changed)
	return news
}

// note looks at the set after a message about it.
func (h *holdings) note(changed bool) {
	if changed {
		h.unchanged = false
	}
	if h.sized() && h.set.Count() >= h.complete {
		h.reached = true
	}
}

// bitfieldFact is how a bitfield is recorded.
type bitfieldFact struct {
	event  events.Event
	stored int    // bytes
	base   []byte // bits of the base, beside a BitfieldChanged
	news   bool
}

// judge tells how to record a bitfield, and changes nothing.
func (h *holdings) judge(session events.SessionNumber, bitfield []byte) bitfieldFact {
	fact := bitfieldFact{event: &events.BitfieldReceived{Session: session, Bitfield: bitfield}, stored: len(bitfield), news: !h.sized()}
	if !h.sized() || pieces.Check(bitfield, h.set.Size()) != nil {
		return fact
	}
	fact.news = h.begin != StartKnown
	if h.base == 0 && fact.news {
		return fact
	}
	current := h.set.Bitfield()
	fact.news = fact.news || !bytes.Equal(current, bitfield)
	base := h.baseBits
	if base == nil && h.unchanged {
		base = current
	}
	if h.base == 0 || base == nil {
		return fact
	}
	if toggled := pieces.AppendDifference(nil, base, bitfield); len(toggled) < len(bitfield) {
		fact.event = &events.BitfieldChanged{Session: session, Base: h.base, Toggled: toggled}
		fact.stored, fact.base = len(toggled), base
	}
	return fact
}

// apply takes in a bitfield that was recorded as the event with a number.
func (h *holdings) apply(bitfield []byte, fact bitfieldFact, seq events.Seq) {
	if !h.sized() {
		h.begin = StartKnown
		return
	}
	if h.set.Replace(bitfield) != nil {
		return
	}
	h.begin = StartKnown
	h.note(fact.news)
	if fact.base != nil {
		h.baseBits = fact.base
		return
	}
	h.base, h.baseBits, h.unchanged = seq, nil, true
}
