package recorder

import (
	"net/netip"
	"sync"
	"time"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/session"
	"btda/recorder/swarm"
)

// roster knows the peers in session, of both directions. Where both sides dial, it keeps the first connection: that whose handshakes
// were done first. A first one from which nothing has come for silentTime, though, most likely is dead on the other side, which dials
// anew: then the newcomer takes its place.
//
// Two connections for one torrent are with the same peer when they come from one IP address and
//
//   - name the same peer id, and at least one of them is incoming. Two outgoing ones are to two ports, and so are two peers; or
//   - the port that we dialled for one is the one on which the other says to listen, and both peer ids name the same client. Some
//     clients draw a new peer id for every connection.
//
// A peer that was complete and connects again soon is turned away: see alumni. While an incoming session lasts, the schedule does not
// contact its peer: see swarm.Schedule.Meet.
type roster struct {
	intake  *intake
	observe Observe

	mu     sync.Mutex
	places map[trace]*place
	alumni alumni
}

// silentTime is how long nothing may have come from a peer until another connection takes the place of its session. Peers send keep-alives
// every two minutes (BEP 3).
const silentTime = 2 * time.Minute

// trace is by which a peer is found again: its IP address with its peer id or, where that is zero, with the port that it listens on.
type trace struct {
	torrent events.TorrentNumber
	address netip.Addr
	peerID  events.PeerID
	port    uint16
}

// place is a peer in session.
type place struct {
	*roster
	session.Presence
	traces []trace       // that lead here
	gone   chan struct{} // closed when it has left; nil while nobody waits for that

	meeting sync.Mutex // held while the schedule is told
	met     []netip.AddrPort
	left    bool
}

var _ session.Roster = (*roster)(nil)

func newRoster(intake *intake, settings *Settings) *roster {
	return &roster{intake: intake, observe: settings.Observe, places: make(map[trace]*place), alumni: alumni{keep: settings.Revisit}}
}

func byPeerID(p session.Presence) trace {
	return trace{torrent: p.Torrent, address: p.Address.Addr().WithZone(""), peerID: p.PeerID}
}

func byPort(p session.Presence, port uint16) trace {
	return trace{torrent: p.Torrent, address: p.Address.Addr().WithZone(""), port: port}
}

var errComplete = netfail.New(events.ReasonComplete, "the peer was complete, and comes back soon")

// Enter takes in a peer. A peer that we dialled though it is in session, because it came to us, is not dialled again while that lasts.
func (r *roster) Enter(p session.Presence) (session.Place, error) {
	entering := &place{roster: r, Presence: p}
	if p.Direction == events.Incoming && r.graduated(p) {
		return nil, errComplete
	}
	for {
		other, left := r.enter(entering)
		switch {
		case other == nil:
			return entering, nil
		case left != nil:
			<-left // soon: it was told to
		case p.Direction == events.Outgoing:
			other.meet(p.Address) // there is a schedule, since we dialled
			return nil, session.ErrDuplicate
		default:
			return nil, session.ErrDuplicate
		}
	}
}

// graduated reports whether a peer was complete at the end of a session not long ago.
func (r *roster) graduated(p session.Presence) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alumni.have(byPeerID(p), r.intake.log.Now())
}

// enter gives the peer's other place, if it has one; where that is silent, it is told to leave, and left is closed when it has.
// Else it keeps the new one.
func (r *roster) enter(entering *place) (other *place, left <-chan struct{}) {
	traces := []trace{byPeerID(entering.Presence)}
	if entering.Direction == events.Outgoing {
		traces = append(traces, byPort(entering.Presence, entering.Address.Port()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range traces {
		if other := r.places[t]; other != nil && other.isSame(entering) {
			return other, other.yield()
		}
	}
	for _, t := range traces {
		r.keep(entering, t)
	}
	return nil, nil
}

// yield tells a place to leave if it is silent. Then left is closed when it has; else it is nil. The caller holds mu.
func (p *place) yield() (left <-chan struct{}) {
	if !p.silent() {
		return nil
	}
	if p.gone == nil {
		p.gone = make(chan struct{})
		p.Recall.End(session.ErrDuplicate)
	}
	return p.gone
}

// silent reports that a session may be dead on the other side.
func (p *place) silent() bool {
	if p.gone != nil { // it was, and is leaving
		return true
	}
	if p.Recall == nil || p.Progress == nil || p.Progress.Heard() == 0 {
		return false
	}
	return p.intake.log.Now().Sub(p.Progress.Heard()) >= silentTime
}

// keep lets a trace lead to a place, unless it leads to another. The caller holds mu.
func (r *roster) keep(p *place, t trace) {
	if r.places[t] == nil {
		r.places[t] = p
		p.traces = append(p.traces, t)
	}
}

// isSame tells of two places to which one trace leads whether they are with the same peer.
func (p *place) isSame(o *place) bool {
	if p.Direction == events.Outgoing && o.Direction == events.Outgoing {
		return false
	}
	const client = 8 // bytes of a peer id that name the client
	return [client]byte(p.PeerID[:]) == [client]byte(o.PeerID[:])
}

// Listens offers the address to the schedule, and reports false when we have a session with the peer, because we dialled it there.
func (p *place) Listens(port uint16) bool {
	at := netip.AddrPortFrom(p.Address.Addr(), port)
	other := p.listens(port)
	if other != nil && other.Direction == events.Outgoing {
		return !other.isSame(p) // another peer that says the same port is not where it says
	}
	p.introduce(at)
	return true
}

// introduce offers an address of the peer to the schedule, which does not contact it while the session lasts.
func (p *place) introduce(at netip.AddrPort) {
	said := named{torrent: p.Torrent, source: events.SourceIncoming, from: events.ScopeOf(at.Addr())}
	said.peers.Append(at)
	if len(p.intake.sift(said)) == 0 || p.intake.schedule == nil {
		return
	}
	p.intake.offered(said, p.meet(at))
}

// listens gives the place of the peer that is known to listen on the port. Where there is none, or it yields, it is this one.
func (p *place) listens(port uint16) (other *place) {
	t := byPort(p.Presence, port)
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.places[t]; other != nil && (!other.isSame(p) || other.yield() == nil) {
		return other
	}
	delete(p.places, t)
	p.keep(p, t)
	return nil
}

// meet tells the schedule not to contact an address of the peer while its session lasts. One that it does not know is offered to it.
func (p *place) meet(at netip.AddrPort) (offered swarm.Offered) {
	p.meeting.Lock()
	defer p.meeting.Unlock()
	if p.left {
		return offered
	}
	offered, known := p.intake.schedule.meet(p.Torrent, at)
	if known {
		p.met = append(p.met, at)
	}
	return offered
}

// Leave forgets the peer. The schedule contacts it when the outcome of its session demands.
func (p *place) Leave(o session.Outcome) {
	p.forget(&o)
	p.meeting.Lock()
	defer p.meeting.Unlock()
	p.left = true
	for _, at := range p.met {
		p.intake.schedule.part(p.Torrent, at, endingOf(&o, p.observe))
	}
}

// forget lets no trace lead to a place any more, and tells who waits for that.
func (p *place) forget(o *session.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.traces {
		if p.places[t] == p {
			delete(p.places, t)
		}
	}
	if p.gone != nil {
		close(p.gone)
	}
	if o.Complete {
		p.alumni.add(byPeerID(p.Presence), p.intake.log.Now())
	}
}

// meet offers a peer that connected to us to the schedule and tells that it is met, and reports whether the schedule keeps it.
func (d *dispatcher) meet(torrent events.TorrentNumber, at netip.AddrPort) (offered swarm.Offered, known bool) {
	d.tell(func(s *swarm.Schedule) {
		offered = s.Offer(torrent, at)
		known = s.Meet(torrent, at, d.now())
	})
	return offered, known
}

// part tells the schedule that a session of a peer that was met has ended.
func (d *dispatcher) part(torrent events.TorrentNumber, at netip.AddrPort, ending swarm.Ending) {
	d.tell(func(s *swarm.Schedule) { s.Part(torrent, at, ending, d.now()) })
}

// tell changes the schedule. After the end of the dispatcher it does nothing.
func (d *dispatcher) tell(change func(*swarm.Schedule)) {
	answered := make(chan struct{})
	select {
	case d.questions <- question{change, answered}:
		<-answered
	case <-d.done:
	}
}
