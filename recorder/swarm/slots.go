package swarm

import (
	"cmp"
	"slices"

	"btda/events"
)

// ShareOfNew is the part of all sessions that is kept for peers that are not connected: one in so many.
const ShareOfNew = 8

// Standing is how far a contact has come.
type Standing struct {
	Opened events.Time // when its session began; 0 while there is none
	// Pieces is what the peer has. One that has told nothing for its minimum stay most likely has none, for then BEP 3 lets it be silent.
	Pieces uint32
	Goal   uint32 // pieces from which on the peer is complete; 0 where that is not known
}

// Compare orders standings by the share of the goal that is reached, exactly: below 0 where s is less advanced.
func (s Standing) Compare(than Standing) int {
	if s.Goal == 0 || than.Goal == 0 { // there, nobody has a share that is known
		return cmp.Compare(min(s.Goal, s.Pieces), min(than.Goal, than.Pieces))
	}
	return cmp.Compare(uint64(s.Pieces)*uint64(than.Goal), uint64(than.Pieces)*uint64(s.Goal))
}

// heldContact is one that has had its minimum stay.
type heldContact struct {
	Standing
	number events.ContactNumber
}

// GiveWay chooses contacts that are to end, so that peers that wait can have their sessions: the least advanced first, of
// equally advanced ones the one that has stayed longest. standing tells how far a contact has come. The owner ends those that are chosen, and calls
// GiveWay again from time to time. It chooses none while there are enough sessions, or Options.Stay is 0.
func (s *Schedule) GiveWay(now events.Time, standing func(events.ContactNumber) Standing) []events.ContactNumber {
	s.advance(now)
	wanted := s.ready(s.share) - (s.options.Sessions - len(s.active)) - s.leaving
	if s.options.Stay <= 0 || wanted <= 0 {
		return nil
	}
	held := s.held(standing)
	number := min(wanted, len(held)-(s.options.Sessions-s.share))
	if number <= 0 {
		return nil
	}
	slices.SortFunc(held, func(a, b heldContact) int {
		return cmp.Or(a.Compare(b.Standing), cmp.Compare(a.Opened, b.Opened), cmp.Compare(a.number, b.number))
	})
	chosen := make([]events.ContactNumber, number)
	for i := range chosen {
		chosen[i] = held[i].number
		s.leave(chosen[i])
	}
	return chosen
}

// held lists the contacts that have had their minimum stay and were not told to go.
func (s *Schedule) held(standing func(events.ContactNumber) Standing) []heldContact {
	held := make([]heldContact, 0, len(s.active))
	for number, c := range s.active {
		if c.leaving || s.now.Sub(c.began) < s.options.Stay {
			continue
		}
		if of := standing(number); of.Opened != 0 && s.now.Sub(of.Opened) >= s.options.Stay {
			held = append(held, heldContact{of, number})
		}
	}
	return held
}

func (s *Schedule) leave(number events.ContactNumber) {
	c := s.active[number]
	c.leaving = true
	s.active[number] = c
	s.leaving++
}

// ready counts the peers that are due, up to a limit. It is 0 only where none may be contacted now, apart from the limits of sessions and
// of the dial rate.
func (s *Schedule) ready(limit int) int {
	s.park()
	n := s.urgent.length + s.fresh + len(s.networks.ready)
	if n < limit {
		n += s.due.countUntil(s.now, limit-n)
	}
	return min(n, limit)
}

// Crowded reports whether a peer had to wait for a session since the last call.
func (s *Schedule) Crowded() bool {
	crowded := s.crowded
	s.crowded = false
	return crowded
}
