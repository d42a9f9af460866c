package session

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"btda/events"
	"btda/recorder/mse"
)

// Dialer opens connections. An error says why, for netfail.Classify.
type Dialer interface {
	Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error)
}

// Pace holds the rate of connections.
type Pace interface {
	// Wait waits until a contact may make one more connection, or until ctx is done.
	Wait(context.Context, events.ContactNumber)
}

// Observer observes peers: it holds what the sessions of a run have in common. Its fields must not change once it is in use; its methods
// are safe for use by many goroutines.
type Observer struct {
	Log     events.Appender
	Dialer  Dialer
	PeerID  events.PeerID // our own
	Client  string        // our name and version, as told to peers
	Port    uint16        // that we listen on; 0 when not listening
	DHTPort uint16        // of our DHT node (BEP 5); 0 without one
	Timeout time.Duration // to connect, for handshakes, to send, and for content in a visit
	Revisit time.Duration // after which a session whose start is not known is reopened; 0 is never
	Visit   bool          // leave when nothing new comes, instead of staying
	Roster  Roster        // of the peers in session; nil where each peer may have many sessions

	// OfferNode takes in the DHT node of a peer; it must not wait. It may be nil when there is no node of ours.
	OfferNode func(netip.AddrPort)
	// Failures takes in what connections that peers made failed of, and may keep it in number; nil is Log.
	Failures events.Appender
	Hearsay  Hearsay // of the peers and trackers that peers name; nil where nobody listens to it

	Encryption Encryption    // of the connections that we make, and whether plain ones are taken in
	Encrypted  *mse.Receiver // takes in encrypted connections; nil takes none
	UTP        Dialer        // opens connections by uTP, where TCP opens none; nil leaves it
	Pace       Pace          // of connections after the first of a contact; nil lets them be made at once

	numbers  atomic.Uint64
	worked   worked
	sleepers sleepers
}

// failureLog takes in the failures of connections in a direction.
func (o *Observer) failureLog(d events.Direction) events.Appender {
	if d == events.Incoming && o.Failures != nil {
		return o.Failures
	}
	return o.Log
}

// Torrent is what a session needs to know of a torrent.
type Torrent struct {
	Number      events.TorrentNumber
	InfoHash    events.InfoHash
	Pieces      uint32 // 0 when not known: then what peers have is recorded and not judged
	Complete    uint32 // pieces from which on a peer is complete
	MaxMessages uint32 // taken from one peer in a visit; 0 is no limit
	Private     bool   // offers no exchange of peers (BEP 27)
	// Metadata is fetched from the peers (BEP 9), and tells more once it is known. It is nil where nothing is to be fetched.
	Metadata *Metadata
}

// Contact is one attempt to reach one peer, or the one peer that reached us.
type Contact struct {
	Number   events.ContactNumber // 0 for incoming
	Torrent  Torrent
	Address  netip.AddrPort
	Progress *Progress // updated while the session runs; nil where nobody looks
	Recall   *Recall   // ends the contact before its time; nil where nobody does
}

// Progress is how far the peer of a contact has come. It is safe for use by many goroutines.
type Progress struct {
	opened atomic.Int64  // an events.Time
	pieces atomic.Uint64 // one more than the number; 0 is unknown
	heard  atomic.Int64  // an events.Time
	goal   atomic.Uint32
}

// Opened is when the session began; 0 while there is none.
func (p *Progress) Opened() events.Time { return events.Time(p.opened.Load()) }

func (p *Progress) open(at events.Time) {
	if p != nil {
		p.opened.Store(int64(at))
	}
}

// Heard is when the last bytes of the session came, or it began; 0 while there is none.
func (p *Progress) Heard() events.Time { return events.Time(max(p.heard.Load(), p.opened.Load())) }

func (p *Progress) hear(at events.Time) {
	if p != nil {
		p.heard.Store(int64(at))
	}
}

// Pieces is the number of pieces that the peer has; unknown until it has told.
func (p *Progress) Pieces() events.Optional {
	if n := p.pieces.Load(); n > 0 {
		return events.Some(n - 1)
	}
	return events.Optional{}
}

func (p *Progress) set(count uint32) {
	if p != nil {
		p.pieces.Store(uint64(count) + 1)
	}
}

// Goal is the number of pieces from which on the peer is complete, where that became known during the session; else 0.
func (p *Progress) Goal() uint32 { return p.goal.Load() }

func (p *Progress) aim(goal uint32) {
	if p != nil {
		p.goal.Store(goal)
	}
}

// Start is what is known of the pieces that a peer began its session with.
type Start uint8

// The starts.
const (
	// StartUnknown is a peer that told nothing, and had less than the timeout to tell.
	StartUnknown Start = iota
	// StartAssumed is a peer that told nothing for the timeout or longer, which may mean that it has nothing (BEP 3), or that
	// began with single haves.
	StartAssumed
	// StartKnown is a peer that told its whole set: by a bitfield, have-all or have-none.
	StartKnown
)

// dht tells whether the DHT is spoken of for a torrent: never for a private one (BEP 27).
func (o *Observer) dht(t *Torrent) bool { return o.DHTPort > 0 && !t.Private }

// Outcome is how a contact ended.
type Outcome struct {
	Opened     bool            // there was a session
	Failure    events.Reason   // why there was none
	Reach      events.Reach    // how far it came then
	By         events.Side     // who ended the session
	Closed     events.Reason   // why it ended
	Pieces     events.Optional // that the peer had at its end; unknown when it never told, or the torrent's piece count is not known
	Start      Start
	Complete   bool // the peer reached the threshold
	PeerID     events.PeerID
	ListenPort events.Optional // of the peer, as its extension handshake says
	Err        error           // only when the log failed: nothing more can be recorded
}

// Dropped reports that the peer hung up while it was not complete: it may be worth to reconnect at once.
func (o Outcome) Dropped() bool { return o.Opened && o.By == events.Peer && !o.Complete }
