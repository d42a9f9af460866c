package projections

import (
	"math"
	"math/bits"
	"time"

	"btda/events"
)

// sample is the number of pieces of a peer at a time.
type sample struct {
	time    events.Time
	pieces  uint32
	assumed bool // of a set that began with bare haves
}

// speed is pieces over a time. The zero value is no speed.
type speed struct {
	pieces uint32
	over   time.Duration
}

// minSpeedTime is the least time that a speed is measured over. Peers send haves in bursts: two samples that part one burst
// would give a speed that no line has. A sample less than this after the one before is measured from the same one.
const minSpeedTime = time.Second

// between is the speed from one sample to a later one; not measured when they are too near.
func between(from, to sample) (s speed, measured bool) {
	over := to.time.Sub(from.time)
	if over < minSpeedTime {
		return speed{}, false
	}
	if to.pieces <= from.pieces {
		return speed{0, over}, true
	}
	return speed{to.pieces - from.pieces, over}, true
}

// faster compares exactly, in integers.
func (s speed) faster(than speed) bool {
	if s.over <= 0 || than.over <= 0 {
		return s.over > 0 && than.over <= 0
	}
	high, low := bits.Mul64(uint64(s.pieces), uint64(than.over))
	thanHigh, thanLow := bits.Mul64(uint64(than.pieces), uint64(s.over))
	return high > thanHigh || high == thanHigh && low > thanLow
}

// perSecond is the one rounding step: two integers, each below 2^63, divided as floats.
func (s speed) perSecond() float64 {
	return float64(uint64(s.pieces)*uint64(time.Second)) / float64(s.over)
}

// sampler keeps of the samples of a session the first, the last, and the greatest speed between two.
type sampler struct {
	interval    time.Duration // 0: none but the first, the crossing and the last; else at least minSpeedTime
	next        events.Time   // when the next is due
	count       uint32
	first, last sample
	from        sample // that the next speed is measured from
	top         speed
}

// add takes a sample. Its time counts as that of the one before where it is earlier.
func (s *sampler) add(p sample) {
	if s.count == 0 {
		s.first, s.from = p, p
		s.next = p.time.Add(s.interval)
	} else {
		p.time = max(p.time, s.last.time)
	}
	s.count++
	s.last = p
	if v, measured := between(s.from, p); measured {
		s.from = p
		if v.faster(s.top) {
			s.top = v
		}
	}
}

// advance takes the samples that are due by now, of a number of pieces that has not changed since the last call or add. It does
// nothing before the first sample.
func (s *sampler) advance(now events.Time, pieces uint32) {
	if s.interval <= 0 || s.count == 0 {
		return
	}
	s.skipTo(s.last.time)
	for moved := false; s.due(now) && !moved; s.next = s.next.Add(s.interval) {
		s.add(sample{time: s.next, pieces: pieces})
		moved = s.from.time == s.last.time
	}
	if !s.due(now) {
		return
	}
	s.skipTo(now) // those between have the same number of pieces and no speed
	s.add(sample{time: s.next.Add(-s.interval), pieces: pieces})
}

// due reports whether the next sample is due by now. At the end of time none is, for that is where times beyond it are held.
func (s *sampler) due(now events.Time) bool { return s.next <= now && s.next != math.MaxInt64 }

// skipTo makes the next sample the first one due after a time.
func (s *sampler) skipTo(t events.Time) {
	if t >= s.next {
		whole := t.Sub(s.next) / s.interval * s.interval
		s.next = s.next.Add(whole).Add(s.interval)
	}
}
