package projections

// role is what a stored point stands for.
type role uint8

const (
	roleAssumedFirst role = iota
	roleAssumedLast
	roleKnownFirst
	roleKnownLast
	roleAbove
	roleSampleFirst
	roleSampleLast
	roleLimit
)

// history is what a closed session leaves behind, when it said anything: who it was with, and a few points. It holds no
// pointers.
type history struct {
	opened Position
	top    speed
	party  partyIndex
	points uint32 // index of the first; they follow each other
	count  uint8
}

// histories are those of all closed sessions, in the order of their ends.
type histories struct {
	sessions list[history]
	points   list[point]
}

// recollection is a history unpacked: what identities are folded over.
type recollection struct {
	transitions
	opened      Position
	samples     uint32 // 0, 1, or 2 for more
	first, last sample
	top         speed
}

func recollect(a *availability) recollection {
	return recollection{
		transitions: a.proved, opened: a.opened.position, samples: min(a.samples.count, 2),
		first: a.samples.first, last: a.samples.last, top: a.samples.top,
	}
}

// keep packs what a session leaves behind. Where the last point of a span is also the first, one is stored.
func (h *histories) keep(of partyIndex, r recollection) {
	packed := history{opened: r.opened, top: r.top, party: of, points: uint32(h.points.len())}
	for i, p := range r.byRole() {
		if p.position == 0 {
			continue
		}
		p.role = role(i)
		h.points.add(p)
		packed.count++
	}
	if packed.count > 0 {
		h.sessions.add(packed)
	}
}

func (r *recollection) byRole() [roleLimit]point {
	return [roleLimit]point{
		roleAssumedFirst: r.assumed.first, roleAssumedLast: unlessSame(r.assumed),
		roleKnownFirst: r.known.first, roleKnownLast: unlessSame(r.known),
		roleAbove:       r.above,
		roleSampleFirst: pointOf(r.first, r.samples >= 1),
		roleSampleLast:  pointOf(r.last, r.samples >= 2),
	}
}

func unlessSame(s span) point {
	if s.first.position == s.last.position {
		return point{}
	}
	return s.last
}

// pointOf packs a sample. Samples need no position: it only marks that there is one.
func pointOf(s sample, taken bool) point {
	if !taken {
		return point{}
	}
	p := point{position: 1, time: s.time, pieces: s.pieces}
	if s.assumed {
		p.evidence = evidenceAssumed
	}
	return p
}

func sampleOf(p point) sample {
	return sample{time: p.time, pieces: p.pieces, assumed: p.evidence == evidenceAssumed}
}

// recall unpacks a history.
func (h *histories) recall(session *history) recollection {
	r := recollection{opened: session.opened, top: session.top}
	for i := range int(session.count) {
		switch p := *h.points.at(int(session.points) + i); p.role {
		case roleAssumedFirst:
			r.assumed = span{p, p}
		case roleAssumedLast:
			r.assumed.last = p
		case roleKnownFirst:
			r.known = span{p, p}
		case roleKnownLast:
			r.known.last = p
		case roleAbove:
			r.above = p
		case roleSampleFirst:
			r.first, r.last, r.samples = sampleOf(p), sampleOf(p), 1
		case roleSampleLast:
			r.last, r.samples = sampleOf(p), 2
		}
	}
	return r
}
