package swarm

import (
	"math"
	"time"
)

// maxDoublings bounds the delay of a failing peer: 64 times the revisit delay.
const maxDoublings = 6

// delay is the time until the peer of an ended contact is contacted again; 0 is at once. It keeps the peer's tallies of
// failures and of brief sessions.
func (s *Schedule) delay(c activeContact, ending Ending) time.Duration {
	p := s.peers.at(c.peer)
	switch ending {
	case Failed, Mute:
		p.failures = increment(p.failures)
		return double(s.options.Revisit, int(p.failures)-1)
	case HungUp:
		p.failures = 0
		return s.delayOfHangUp(p, s.now.Sub(c.began))
	case Reopened:
		p.failures, p.brief = 0, 0
		return 0
	default:
		p.failures = 0
		return s.options.Revisit
	}
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
