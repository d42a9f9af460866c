package session

import (
	"net/netip"

	"btda/events"
	"btda/recorder/netfail"
)

// Roster knows which peers are in session, so that there is one session with each. Its methods are safe for use by many goroutines.
type Roster interface {
	// Enter takes in a peer. The error, which has its reason (package netfail), refuses one that has a session already, or is not to
	// have another. Enter may wait for the end of a session that is given up for this one.
	Enter(Presence) (Place, error)
}

// Presence is a peer whose handshake is done.
type Presence struct {
	Torrent   events.TorrentNumber
	Direction events.Direction
	Address   netip.AddrPort // of the connection
	PeerID    events.PeerID
	Progress  *Progress // of the session; nil where nobody looks
	Recall    *Recall   // ends the session; nil where nobody may
}

// Place is the place of a session in a Roster. Its methods are called by that session.
type Place interface {
	// Listens tells on which port an incoming peer takes connections, once. It reports false when the peer turns out to be one that
	// has a session already.
	Listens(port uint16) bool
	// Leave ends the place with the session. It is the last call.
	Leave(Outcome)
}

// ErrDuplicate refuses a peer that has a session, or ends a session that another one takes the place of.
var ErrDuplicate = netfail.New(events.ReasonDuplicate, "there is a session with this peer")

// enter takes the place of a session in the roster.
func (s *session) enter() error {
	if s.observer.Roster == nil {
		return nil
	}
	contact := s.link.contact
	place, err := s.observer.Roster.Enter(Presence{
		Torrent: contact.Torrent.Number, Direction: s.link.direction, Address: contact.Address, PeerID: s.theirs.PeerID,
		Progress: contact.Progress, Recall: contact.Recall,
	})
	if err != nil {
		return err
	}
	s.place = place
	return nil
}
