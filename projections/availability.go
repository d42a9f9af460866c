package projections

import (
	"slices"
	"time"

	"btda/events"
	"btda/events/pieces"
)

// evidence is what a knowledge of a peer's pieces rests on.
type evidence uint8

const (
	evidenceNone     evidence = 0
	evidenceBitfield evidence = 1
	evidenceHaveNone evidence = 2
	evidenceHaveAll  evidence = 3
	evidenceHave     evidence = 4 // a have; of a whole set: bare haves, so that it may lack what was there before
	evidenceAssumed  evidence = 5
	evidenceDontHave evidence = 6 // never of a row: it takes pieces away
)

// bounds reports whether a set that rests on it was known whole: only then a peer is known, and not assumed, to be below a threshold.
func (e evidence) bounds() bool { return e == evidenceBitfield || e == evidenceHaveNone }

var evidenceNames = [...]string{"", "bitfield", "have_none", "have_all", "have", "assumed", "dont_have"}

// point is one thing that a peer said about its pieces, or that follows from its silence.
type point struct {
	position Position // of the record; 0 is no point
	time     events.Time
	pieces   uint32
	evidence evidence
	role     role // where stored: see transitions
}

// span is from the first to the last point of one kind.
type span struct{ first, last point }

func (s *span) extend(p point) {
	if s.first.position == 0 {
		s.first = p
	}
	s.last = p
}

// transitions are what counts of a session: when it was below, and when it was first at or above the threshold. What comes
// after the first above is left out: it can change no count.
type transitions struct {
	assumed span // below, by a set that began with bare haves, or by silence before them
	known   span // below, by a set that began with a bitfield or have-none
	above   point
}

// availability is the piece set of one session and what it proves (DESIGN section 6). Until the set is settled, all that the
// peer says is one statement: its first availability.
type availability struct {
	set      pieces.Set
	base     base
	complete uint32   // pieces from which the set is above
	basis    evidence // of the whole set: what replaced it last; bare haves; none before the first message
	settled  bool
	above    bool // the set is at or above the threshold
	silent   bool // nothing was said for the whole timeout
	opened   point
	settleAt events.Time
	last     point // the last message
	reached  point // when the set last came to the threshold
	proved   transitions
	samples  sampler
	climb    climb
}

// rules are the durations that an availability is judged by.
type rules struct {
	settle  time.Duration
	timeout time.Duration // 0: silence means nothing
	revisit time.Duration // 0: no samples between the first and the last
}

// base is the latest valid bitfield that was stored whole, which later ones may be differences to (events.BitfieldChanged).
type base struct {
	seq      events.Seq // 0 while there is none
	bitfield []byte
}

func newAvailability(at moment, g goal) availability {
	return availability{
		set: pieces.New(g.pieces), complete: g.complete, climb: climb{rungs: g.rungs},
		opened: point{position: at.position, time: at.time, evidence: evidenceAssumed},
	}
}

func (a *availability) bitfield(at moment, r rules, bitfield []byte) {
	a.advance(at.time)
	if a.set.Replace(bitfield) == nil {
		a.base = base{at.seq, append(a.base.bitfield[:0], bitfield...)}
		a.stated(at, r, evidenceBitfield)
	}
}

// bitfieldChanged takes in a bitfield that was stored as a difference. One to another bitfield than the base, or that does not
// fit it, is as invalid as a bitfield of a wrong length.
func (a *availability) bitfieldChanged(at moment, r rules, e *events.BitfieldChanged) {
	a.advance(at.time)
	if a.base.seq == 0 || a.base.seq != e.Base {
		return
	}
	bitfield := slices.Clone(a.base.bitfield)
	if pieces.ApplyDifference(bitfield, e.Toggled) == nil && a.set.Replace(bitfield) == nil {
		a.stated(at, r, evidenceBitfield)
	}
}

func (a *availability) haveAll(at moment, r rules) {
	a.advance(at.time)
	a.set.Fill()
	a.stated(at, r, evidenceHaveAll)
}

func (a *availability) haveNone(at moment, r rules) {
	a.advance(at.time)
	a.set.Clear()
	a.stated(at, r, evidenceHaveNone)
}

func (a *availability) have(at moment, r rules, piece events.PieceIndex) {
	a.advance(at.time)
	if _, valid := a.set.Add(piece); valid {
		a.stated(at, r, evidenceHave)
	}
}

// dontHave takes in a dont-have. As a first message it says nothing of what is there, and begins no set.
func (a *availability) dontHave(at moment, r rules, piece events.PieceIndex) {
	a.advance(at.time)
	if _, valid := a.set.Remove(piece); valid && a.basis != evidenceNone {
		a.stated(at, r, evidenceDontHave)
	}
}

// advance does what is due by a time: the set settles, samples are taken.
func (a *availability) advance(now events.Time) {
	if a.basis == evidenceNone {
		return
	}
	if !a.settled && now >= a.settleAt {
		a.settle()
	}
	if a.settled && a.counts() {
		a.samples.advance(now, a.set.Count())
	}
}

// stated judges the set after a valid message.
func (a *availability) stated(at moment, r rules, by evidence) {
	if a.basis == evidenceNone {
		a.begin(at, r)
	}
	counted := a.samples.count > 0 && a.counts()
	switch by {
	case evidenceBitfield, evidenceHaveAll, evidenceHaveNone:
		a.basis = by
	}
	a.last = point{position: at.position, time: at.time, pieces: a.set.Count(), evidence: by}
	was := a.above
	if a.above = a.last.pieces >= a.complete; a.above && !was {
		a.reached = a.last
	}
	a.climb.move(at.position, a.last.pieces)
	if a.settled {
		if a.climb.known == 0 { // all that comes after is too late to matter
			a.climb.judge(at.position, a.basis, a.silence())
		}
		a.judge(a.above && !was, a.counts() && !counted)
	}
}

func (a *availability) begin(at moment, r rules) {
	a.basis = evidenceHave
	a.settleAt = at.time.Add(r.settle)
	a.silent = r.timeout > 0 && at.time.Sub(a.opened.time) >= r.timeout
	a.settled = r.settle == 0
	if r.revisit > 0 {
		a.samples.interval = max(r.revisit, minSpeedTime)
	}
}

// settle judges the first availability: one statement, whose evidence is what the set rests on.
func (a *availability) settle() {
	a.settled = true
	a.climb.judge(a.last.position, a.basis, a.silence())
	if a.above {
		a.proveFirst()
	} else {
		a.below()
	}
	a.sample(a.settleAt)
}

// judge takes in a message to a settled set. A sample is taken when it brings the set to the threshold, and when the number of
// pieces is known from now on.
func (a *availability) judge(crossed, known bool) {
	switch {
	case crossed:
		a.prove(a.reached)
	case !a.above:
		a.below()
	}
	if crossed || known {
		a.sample(a.last.time)
	}
}

// proveFirst proves by the first availability: its evidence is what the set rests on, not the message that completed it.
func (a *availability) proveFirst() {
	a.reached.evidence = a.basis
	if a.basis == evidenceHaveNone {
		a.reached.evidence = evidenceHave
	}
	a.prove(a.reached)
}

// prove keeps the first time that the set is known to be at or above the threshold.
func (a *availability) prove(p point) {
	if a.proved.above.position != 0 {
		return
	}
	a.assumeSilence()
	a.proved.above = p
}

// below keeps the last time that the set is known, or assumed, to be below the threshold.
func (a *availability) below() {
	if a.proved.above.position != 0 {
		return
	}
	p := a.last
	if a.basis.bounds() {
		p.evidence = a.basis
		a.proved.known.extend(p)
		return
	}
	p.evidence = evidenceAssumed
	a.assumeSilence()
	a.proved.assumed.extend(p)
}

// assumeSilence takes silence before the set for a time below.
func (a *availability) assumeSilence() {
	if a.silence() != 0 && a.proved.assumed.first.position == 0 {
		a.proved.assumed.extend(a.opened)
	}
}

// silence is the position of the handshake where silence for the whole timeout, followed by bare haves, is taken for "no pieces"
// (BEP 3 lets a peer without pieces send no bitfield); else 0.
func (a *availability) silence() Position {
	if a.silent && a.basis == evidenceHave {
		return a.opened.position
	}
	return 0
}

// close judges what is left at the end of the session. A set that is not settled may prove above, never below.
func (a *availability) close(now events.Time) {
	now = max(now, a.last.time)
	a.advance(now)
	a.climb.silence = a.silence()
	if a.basis != evidenceNone && !a.settled && a.above {
		a.proveFirst()
		a.sample(a.reached.time)
	}
	if a.samples.count > 0 {
		a.sample(now)
	}
}

// counts reports whether the number of pieces is known, and not only a lower bound below the threshold.
func (a *availability) counts() bool { return a.basis != evidenceHave || a.above }

func (a *availability) sample(at events.Time) {
	if a.counts() {
		a.samples.add(sample{at, a.set.Count(), a.basis == evidenceHave})
	}
}
