package events

import "time"

// ConnectionFailed is a connection that did not become a session, in either direction.
type ConnectionFailed struct {
	Contact    ContactNumber // 0 for incoming
	Torrent    TorrentNumber // 0 when not known, as for an incoming connection without a handshake
	Direction  Direction
	Transport  Transport
	Encryption Encryption // that was tried
	Phase      Phase
	Reason     Reason
	Address    Address // of the other side
	Duration   time.Duration
	InfoHash   []byte // as received, where it is not the one of the torrent: 20 bytes; else empty
	PeerID     []byte // as received: 20 bytes; else empty
	Text       string // of the error, beside ReasonOther
}

// Reach is how far a connection came that failed. The further, the more its failure tells about the peer.
type Reach uint8

// The reaches, the shortest first.
const (
	ReachedNobody Reach = iota // nothing was heard
	ReachedHost                // somebody said that nobody takes connections there: refused, reset or no route
	ReachedPort                // connected
	ReachedPeer                // the peer told who it is
)

// Reach tells how far the connection came.
func (e *ConnectionFailed) Reach() Reach {
	switch {
	case len(e.PeerID) > 0:
		return ReachedPeer
	case e.Phase != PhaseDial:
		return ReachedPort
	}
	switch e.Reason {
	case ReasonRefused, ReasonReset, ReasonHostUnreachable, ReasonNetworkUnreachable:
		return ReachedHost
	}
	return ReachedNobody
}

// AcceptFailed is a failure to take in connections at all.
type AcceptFailed struct {
	Transport Transport
	Listener  Address // of ours
	Reason    Reason
	Text      string // of the error, beside ReasonOther
}

// HolepunchTried is the outcome of asking a relay for a connection (BEP 55).
type HolepunchTried struct {
	Contact ContactNumber
	Torrent TorrentNumber
	Session SessionNumber // with the relay
	Address Address       // of the peer to reach
	Reason  Reason        // ReasonAnswered when the peer was reached
}

// ConnectionsSuppressed counts incoming connections of one IP address that failed alike, and came above the number that is stored one
// by one. They came between Since and the time of the event.
type ConnectionsSuppressed struct {
	Torrent   TorrentNumber // 0 when not known
	Direction Direction
	Transport Transport
	Phase     Phase
	Reason    Reason
	Address   Address // of the other side, with the port of the last connection
	Count     uint64
	Since     Time
	// Encryption is that of all of them; 0 in logs of versions that counted them together, however they were encrypted.
	Encryption Encryption
}

// Kind is KindConnectionFailed.
func (*ConnectionFailed) Kind() Kind { return KindConnectionFailed }

// Kind is KindAcceptFailed.
func (*AcceptFailed) Kind() Kind { return KindAcceptFailed }

// Kind is KindHolepunchTried.
func (*HolepunchTried) Kind() Kind { return KindHolepunchTried }

// Kind is KindConnectionsSuppressed.
func (*ConnectionsSuppressed) Kind() Kind { return KindConnectionsSuppressed }

func (e *ConnectionFailed) fields(c *codec) {
	unsigned(c, &e.Contact)
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Direction)
	unsigned(c, &e.Transport)
	unsigned(c, &e.Encryption)
	unsigned(c, &e.Phase)
	unsigned(c, &e.Reason)
	c.address(&e.Address)
	c.duration(&e.Duration)
	c.bytes(&e.InfoHash)
	c.bytes(&e.PeerID)
	c.text(&e.Text)
}

func (e *AcceptFailed) fields(c *codec) {
	unsigned(c, &e.Transport)
	c.address(&e.Listener)
	unsigned(c, &e.Reason)
	c.text(&e.Text)
}

func (e *HolepunchTried) fields(c *codec) {
	unsigned(c, &e.Contact)
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Session)
	c.address(&e.Address)
	unsigned(c, &e.Reason)
}

func (e *ConnectionsSuppressed) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Direction)
	unsigned(c, &e.Transport)
	unsigned(c, &e.Phase)
	unsigned(c, &e.Reason)
	c.address(&e.Address)
	unsigned(c, &e.Count)
	signed(c, &e.Since)
	unsigned(c, &e.Encryption)
}
