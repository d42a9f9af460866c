package projections

import (
	"cmp"
	"slices"

	"btda/events"
)

// judgement is what all sessions with one peer say together.
type judgement struct {
	firstPieces events.Optional
	lastPieces  events.Optional
	top         speed
	downloaded  bool
	below       point // only when downloaded
	above       point // only when downloaded
}

// judge folds the sessions of one identity. It may reorder them.
func judge(sessions []recollection) judgement {
	var j judgement
	j.downloaded = j.findDownload(sessions)
	j.readSamples(sessions)
	return j
}

// findDownload looks for the first time at or above the threshold, and for the last time below before that. Without a time
// below, the peer is a seed, and nothing that it says later makes it a download.
func (j *judgement) findDownload(sessions []recollection) bool {
	for i := range sessions {
		if p := sessions[i].above; p.position != 0 && (j.above.position == 0 || p.position < j.above.position) {
			j.above = p
		}
	}
	var known, assumed point
	for i := range sessions {
		known = later(known, sessions[i].known.before(j.above.position))
		assumed = later(assumed, sessions[i].assumed.before(j.above.position))
	}
	if j.below = known; known.position == 0 {
		j.below = assumed
	}
	return j.below.position != 0
}

// before is the last point of the span that is known to be before a position: where the position is within the span, the
// first one. The interval of a download may so be wider than need be, when a peer says in one session that it is complete
// while it still says in another one that it is not.
func (s *span) before(limit Position) point {
	switch {
	case s.last.position < limit:
		return s.last
	case s.first.position < limit:
		return s.first
	}
	return point{}
}

func later(a, b point) point {
	if b.position > a.position {
		return b
	}
	return a
}

// readSamples puts the samples of the sessions one after the other. Between sessions the speed is that from the last sample
// of one to the first of the next, unless they overlap.
func (j *judgement) readSamples(sessions []recollection) {
	slices.SortFunc(sessions, func(a, b recollection) int {
		return cmp.Or(cmp.Compare(a.first.time, b.first.time), cmp.Compare(a.opened, b.opened))
	})
	var last sample
	taken := uint32(0)
	for i := range sessions {
		s := &sessions[i]
		if s.samples == 0 {
			continue
		}
		if !s.first.assumed && !j.firstPieces.Known {
			j.firstPieces = events.Some(uint64(s.first.pieces))
		}
		if taken > 0 {
			j.raise(last, s.first)
		}
		if s.top.faster(j.top) {
			j.top = s.top
		}
		if taken == 0 || s.last.time >= last.time {
			last = s.last
		}
		taken += s.samples
	}
	if taken >= 2 {
		j.lastPieces = events.Some(uint64(last.pieces))
	}
}

func (j *judgement) raise(from, to sample) {
	if v, measured := between(from, to); measured && v.faster(j.top) {
		j.top = v
	}
}
