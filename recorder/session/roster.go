package session

import (
	"net/netip"

	"btda/events"
	"btda/recorder/netfail"
)

// Roster knows which peers are in session, so that there is one session with each. Its methods are safe for use by many goroutines.
type Roster interface {
	// Enter takes in a peer. It gives no place to one that has a session already.
	Enter(Presence) (Place, bool)
}

// Presence is a peer whose handshake is done.
type Presence struct {
	Torrent   events.TorrentNumber
	Direction events.Direction
	Address   netip.AddrPort // of the connection
	PeerID    events.PeerID
}

// Place is the place of a session in a Roster. Its methods are called by that session.
type Place interface {
	// Listens tells on which port an incoming peer takes connections, once. It reports false when the peer turns out to be one that
	// has a session already.
	Listens(port uint16) bool
	// Leave ends the place with the session. It is the last call.
	Leave(Outcome)
}

var errDuplicate = netfail.New(events.ReasonDuplicate, "there is a session with this peer")

// enter takes the place of a session in the roster.
func (s *session) enter() error {
	if s.observer.Roster == nil {
		return nil
	}
	place, ok := s.observer.Roster.Enter(Presence{
		Torrent: s.torrent().Number, Direction: s.link.direction, Address: s.link.contact.Address, PeerID: s.theirs.PeerID,
	})
	if !ok {
		return errDuplicate
	}
	s.place = place
	return nil
}
