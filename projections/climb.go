package projections

// milestone is what sessions with a peer prove for one threshold of the sweep: when the peer was first known, and first
// assumed, to be below it, and first known to be at or above it. 0 is never. A download is a time below before the first
// time above, so the first of each is all that counting takes, of one session as of many.
type milestone struct{ known, assumed, above Position }

func (m *milestone) merge(other milestone) {
	m.known = earlier(m.known, other.known)
	m.assumed = earlier(m.assumed, other.assumed)
	m.above = earlier(m.above, other.above)
}

func earlier(a, b Position) Position {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// confirmed and likely say what download would: known beats assumed.
func (m milestone) confirmed() bool { return m.known != 0 && m.known < m.above }
func (m milestone) likely() bool    { return !m.confirmed() && m.assumed != 0 && m.assumed < m.above }

// climb is how the set of one session passes the thresholds of the sweep, by the rules of availability. It costs a have two
// comparisons: the thresholds stand in ascending order, so that only the next ones above and below the set matter.
type climb struct {
	rungs []uint32 // pieces of the thresholds, ascending; shared by all sessions of a torrent
	level int      // rungs that the set is at or above
	// reached has for each rung when the set came to it: until it is settled last, then first. nil before the first.
	reached []Position
	settled bool
	known   Position // first judged on a known set: those rungs that were not reached by then are above it
	assumed Position // likewise on an assumed one
	silence Position // for a set that did not settle: see availability.silence
}

// move takes in the number of pieces after a message.
func (c *climb) move(at Position, pieces uint32) {
	for c.level < len(c.rungs) && pieces >= c.rungs[c.level] {
		c.reach(at)
	}
	for c.level > 0 && pieces < c.rungs[c.level-1] {
		c.fall()
	}
}

func (c *climb) fall() {
	if c.level--; !c.settled {
		c.reached[c.level] = 0
	}
}

func (c *climb) reach(at Position) {
	if c.reached == nil {
		c.reached = make([]Position, len(c.rungs))
	}
	if c.reached[c.level] == 0 {
		c.reached[c.level] = at
	}
	c.level++
}

// judge takes in a message to a settled set, or the settling itself. A rung that was reached by then is not harmed: what is below
// must come before.
func (c *climb) judge(at Position, basis evidence, silence Position) {
	c.settled = true
	switch {
	case basis.bounds():
		if c.known == 0 {
			c.known = at
		}
	case c.assumed == 0:
		c.assumed = earlier(silence, at)
	}
}

// milestone is what the session proves for a rung. A set that never settled proves above, and below only by silence before it.
func (c *climb) milestone(rung int) milestone {
	m := milestone{known: c.known, assumed: c.assumed}
	if c.reached != nil {
		m.above = c.reached[rung]
	}
	if !c.settled && m.above != 0 {
		m.assumed = c.silence
	}
	return m
}
