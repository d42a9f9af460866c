package swarm

import (
	"fmt"
	"net/netip"

	"btda/events"
)

// meeting is the sessions with a peer that connected to us.
type meeting struct {
	sessions int
	began    events.Time
	aside    bool // the peer is in no queue and not in contact: the end of the meeting decides what becomes of it
}

// Meet tells that a peer connected to us. It is not contacted until Part has been called as often as Meet; a contact that is under
// way goes on. Meet reports false, and changes nothing, when the peer was never offered or not kept.
func (s *Schedule) Meet(number events.TorrentNumber, address netip.AddrPort, now events.Time) bool {
	s.advance(now)
	i, known := s.peers.find(keyOf(number, address))
	if !known {
		return false
	}
	m, again := s.met[i]
	if !again {
		m.began = s.now
	}
	m.sessions++
	s.met[i] = m
	return true
}

// Part tells that the session of a peer that was met ended, and how. It panics when the peer was not met, which is a mistake of the owner.
func (s *Schedule) Part(number events.TorrentNumber, address netip.AddrPort, ending Ending, now events.Time) {
	s.advance(now)
	i, known := s.peers.find(keyOf(number, address))
	m, met := s.met[i]
	if !known || !met {
		panic(fmt.Sprintf("swarm: parted with %v of torrent %d, which was not met", address, number))
	}
	if m.sessions--; m.sessions > 0 {
		s.met[i] = m
		return
	}
	delete(s.met, i)
	switch {
	case !m.aside:
		if ending == Finished {
			s.peers.at(i).mark(finished)
		}
	case ending == Finished:
		s.count(s.torrentOf(i), Counts{Met: -1, Finished: 1})
	default:
		s.count(s.torrentOf(i), Counts{Met: -1, Waiting: 1})
		s.wait(activeContact{peer: i, began: m.began}, ending)
	}
}

// keepMet reports whether a peer, which is in no queue, is met: then it stays in none.
func (s *Schedule) keepMet(i peerIndex) bool {
	m, met := s.met[i]
	if met {
		m.aside = true
		s.met[i] = m
	}
	return met
}

// setAside counts a peer that is at the head of a queue as met, finished or barred, if it is, and reports whether it has to leave the queue.
func (s *Schedule) setAside(i peerIndex) bool {
	p, change := s.peers.at(i), Counts{Waiting: -1}
	switch {
	case p.is(finished):
		change.Finished = 1
	case s.keepMet(i):
		change.Met = 1
	case s.bars(p):
		p.mark(barred)
		change.Finished = 1
	default:
		return false
	}
	if !p.is(contacted) {
		p.mark(contacted)
		change.New = -1
	}
	s.count(s.torrentOf(i), change)
	return true
}
