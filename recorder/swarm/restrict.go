package swarm

import (
	"net/netip"

	"btda/events"
)

// Restrict lets a torrent have no peers from now on but those that its own trackers name (OfferTracked), as a private one demands (BEP 27).
// Contacts under way go on, since they were begun before that was known. Whom only others had named is not contacted again, unless a tracker
// names it.
func (s *Schedule) Restrict(number events.TorrentNumber) { s.torrent(number).restricted = true }

// OfferTracked adds peers as Offer does, which a tracker of the torrent named. A restricted torrent has no others.
func (s *Schedule) OfferTracked(number events.TorrentNumber, addresses ...netip.AddrPort) Offered {
	t := s.torrent(number)
	for _, a := range addresses {
		if i, known := s.peers.find(keyOf(number, a)); known {
			s.readmit(t, i)
		}
	}
	return s.add(number, addresses, func(i peerIndex) {
		s.peers.at(i).mark(tracked)
		s.queueFresh(t, i)
	})
}

// readmit lets a peer wait for a contact that was left because no tracker had named it.
func (s *Schedule) readmit(t *torrent, i peerIndex) {
	p := s.peers.at(i)
	p.mark(tracked)
	if p.is(barred) {
		p.unmark(barred)
		s.due.push(entry{due: s.now, peer: i})
		s.count(t, Counts{Waiting: 1, Finished: -1})
	}
}

// bars tells of a peer that may not be contacted, since its torrent is restricted and no tracker has named it.
func (s *Schedule) bars(p *peer) bool {
	return s.torrents[p.key.torrent].restricted && !p.is(tracked)
}
