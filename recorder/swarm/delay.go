package swarm

import (
	"math"
	"time"
)

const (
	// maxDoublings bounds the delay of a failing peer: 64 times the revisit delay.
	maxDoublings = 6
	// maxDoublingsBelow bounds it for a peer that was seen below the threshold, which may be busy and finish unseen: 4 times the revisit delay.
	maxDoublingsBelow = 2
	// patienceBelow is how many failures in a row that holds for: after more, 12 at the longest of these delays, the peer is most likely gone,
	// and is spared as any other.
	patienceBelow = maxDoublingsBelow + 12
)

// delay is the time until the peer of an ended contact is contacted again; 0 is at once. It keeps the peer's tallies of
// failures and of brief sessions.
func (s *Schedule) delay(c activeContact, ending Ending) time.Duration {
	p := s.peers.at(c.peer)
	switch ending {
	case Failed, Mute:
		p.failures = increment(p.failures)
		return double(s.options.Revisit, p.doublings())
	case HungUp:
		p.failures = 0
		p.mark(seenBelow)
		return s.delayOfHangUp(p, s.now.Sub(c.began))
	case Reopened:
		p.failures, p.brief = 0, 0
		p.mark(seenBelow)
		return 0
	case Left:
		p.failures = 0
		p.mark(seenBelow)
	}
	return s.options.Revisit
}

// doublings is how often the delay of a peer has doubled that failed.
func (p *peer) doublings() int {
	failures := int(p.failures)
	switch {
	case !p.is(seenBelow):
		return failures - 1
	case failures <= patienceBelow:
		return min(failures-1, maxDoublingsBelow)
	}
	return maxDoublingsBelow + failures - patienceBelow
}

// delayOfHangUp lets a peer that hangs up come back at once, unless it hung up soon, and did so the last time as well.
func (s *Schedule) delayOfHangUp(p *peer, lasted time.Duration) time.Duration {
	if lasted >= s.options.Brief {
		p.brief = 0
		return 0
	}
	p.brief = increment(p.brief)
	if p.brief == 1 {
		return 0
	}
	return min(double(s.options.Brief, int(p.brief)-2), s.options.Revisit)
}

func increment(tally uint8) uint8 { return min(tally, math.MaxUint8-1) + 1 }

func double(d time.Duration, times int) time.Duration { return d << min(times, maxDoublings) }
