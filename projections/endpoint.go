package projections

import (
	"iter"
	"net/netip"
	"strings"

	"btda/events"
)

var endpointColumns = []Column{
	{"id", Integer}, {"torrent", Integer}, {"address", Text}, {"family", Integer}, {"first_source", Text}, {"tracker", Text},
	{"first_named", Integer}, {"sources", Text}, {"outcome", Text}, {"reason", Text}, {"attempts", Integer}, {"peer", Integer},
}

// endpointKey is an address that takes connections, or is said to, for a torrent.
type endpointKey struct {
	torrent torrentIndex
	port    uint16
	address address
}

func endpointKeyOf(torrent torrentIndex, a netip.AddrPort) endpointKey {
	return endpointKey{torrent: torrent, port: a.Port(), address: addressOf(a.Addr())}
}

func (k *endpointKey) addrPort() netip.AddrPort { return netip.AddrPortFrom(k.address.addr(), k.port) }

// outcome is what came of an endpoint.
type outcome uint8

const (
	outcomeNeverTried outcome = iota
	outcomeRejected
	outcomeFailed
	outcomeRefused
	outcomeHandshake
)

var outcomeNames = [...]string{"never tried", "rejected", "failed", "refused", "handshake"}

// endpoint is one address heard of. It holds no pointers.
type endpoint struct {
	key      endpointKey
	named    events.Time // first; 0 when it was only tried
	namedAt  Position
	revision Position
	tracker  trackerIndex // of the first naming
	attempts uint32
	sources  uint16 // bit n stands for source n, bit 0 for all others
	first    events.Source
	outcome  outcome
	reason   events.Reason
	last     lastContact
}

// lastContact is the contact in which an endpoint was tried last, and how far it came.
type lastContact struct {
	number events.ContactNumber
	run    runIndex
	reach  events.Reach
}

// goesOn reports that a try is of the same contact as another one.
func (c *lastContact) goesOn(by lastContact) bool {
	return c.number != 0 && c.number == by.number && c.run == by.run
}

// endpoints remembers every address that was heard of.
type endpoints struct {
	definitions *definitions
	trackers    *trackers
	all         list[endpoint]
	byKey       endpointIndex
	later       map[mentionKey]mention // by all sources but the first
}

func newEndpoints(d *definitions, t *trackers) *endpoints {
	return &endpoints{definitions: d, trackers: t, byKey: newEndpointIndex(), later: map[mentionKey]mention{}}
}

// naming is who names addresses for a torrent.
type naming struct {
	torrent torrentIndex
	source  events.Source
	tracker trackerIndex // noTracker unless source is a tracker
}

// name takes in an address. It reports whether the address was named before.
func (s *endpoints) name(at moment, by naming, a netip.AddrPort) (before bool) {
	i := s.index(endpointKeyOf(by.torrent, a))
	e := s.all.at(int(i))
	bit := sourceBit(by.source)
	if before = e.sources != 0; !before {
		e.named, e.namedAt, e.first, e.tracker = at.time, at.position, by.source, by.tracker
	}
	if e.sources&bit == 0 {
		e.sources |= bit
		e.revision = at.position
		if before {
			s.later[mentionKey{i, sourceOf(by.source)}] = mention{at.position, at.time, by.tracker}
		}
	}
	return before
}

// nameAll takes in a list and counts those of it that were named before, also in the list itself.
func (s *endpoints) nameAll(at moment, by naming, peers *events.PeerList) (before uint32) {
	for i := range peers.Len() {
		if s.name(at, by, peers.At(i).AddrPort) {
			before++
		}
	}
	return before
}

func (s *endpoints) get(key endpointKey) *endpoint { return s.all.at(int(s.index(key))) }

// index gives the number of an endpoint, which may be new.
func (s *endpoints) index(key endpointKey) uint32 {
	i, ok := s.byKey.find(&key, &s.all)
	if !ok {
		i = uint32(s.all.add(endpoint{key: key, tracker: noTracker}))
		s.byKey.add(i, &s.all)
	}
	return i
}

// try takes in what came of an attempt to reach an endpoint, and gives how many there were before. The last contact counts, and of its
// tries the first that came furthest; a handshake is never forgotten.
func (s *endpoints) try(at moment, key endpointKey, failed *events.ConnectionFailed) tries {
	e := s.get(key)
	e.attempts++
	e.revision = at.position
	by := lastContact{number: failed.Contact, run: at.run, reach: failed.Reach()}
	if e.outcome != outcomeHandshake && !(e.last.goesOn(by) && by.reach <= e.last.reach) {
		e.outcome, e.reason, e.last = outcomeFailed, failed.Reason, by
		if failed.Reason == events.ReasonRefused {
			e.outcome = outcomeRefused
		}
	}
	return tries(e.attempts - 1)
}

// greet takes in a handshake with whoever takes connections at an endpoint.
func (s *endpoints) greet(at moment, key endpointKey) *endpoint {
	e := s.get(key)
	e.outcome, e.reason, e.revision = outcomeHandshake, 0, at.position
	return e
}

// reach is greet for a connection of ours. It gives how many there were before.
func (s *endpoints) reach(at moment, key endpointKey) tries {
	e := s.greet(at, key)
	e.attempts++
	return tries(e.attempts - 1)
}

func (s *endpoints) reject(at moment, by naming, e *events.AddressRejected) {
	s.name(at, by, e.Address.AddrPort)
	if found := s.get(endpointKeyOf(by.torrent, e.Address.AddrPort)); found.outcome == outcomeNeverTried {
		found.outcome, found.reason, found.revision = outcomeRejected, e.Reason, at.position
	}
}

// firstSource tells who named an endpoint first, when that was before a position: what is named later was known already.
func (s *endpoints) firstSource(key endpointKey, before Position) Value {
	i, ok := s.byKey.find(&key, &s.all)
	if !ok {
		return Value{}
	}
	e := s.all.at(int(i))
	return known(sourceName(e.first), e.namedAt < before)
}

func sourceName(s events.Source) Value { return known(text(s.String()), s != 0) }

func (s *endpoints) table(p *peers) Table {
	return newTable("endpoint", endpointColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			space := make(Row, len(endpointColumns))
			for i := range s.all.len() {
				e := s.all.at(i)
				party, met := p.view.sessions.identities.at(e.key.torrent, e.key.addrPort())
				if e.revision <= since && !(met && p.view.changed(party, since)) {
					continue
				}
				if id := int64(i) + 1; !yield(Change{id, s.row(id, e, p, space[:0])}) {
					return
				}
			}
		}
	})
}

func (s *endpoints) row(id int64, e *endpoint, p *peers, to Row) Row {
	a := e.key.addrPort()
	reason := known(text(e.reason.String()), e.outcome == outcomeRejected || e.outcome == outcomeFailed)
	return append(to,
		integer(id), p.torrents.id(e.key.torrent), known(text(a.String()), p.options.WithAddresses), family(a.Addr()),
		sourceName(e.first), s.trackers.name(e.tracker), known(seconds(e.named), e.sources != 0),
		textOrNull(sourceList(e.sources)), text(outcomeNames[e.outcome]), reason, integer(e.attempts), p.at(e),
	)
}

// at gives the id of the peer row of an endpoint.
func (p *peers) at(e *endpoint) Value {
	leader, ok := p.leaderAt(e)
	return known(integer(leader.id()), ok)
}

// leaderAt gives the leader of the peer with which a handshake was completed at an endpoint.
func (p *peers) leaderAt(e *endpoint) (leader partyIndex, ok bool) {
	if e.outcome != outcomeHandshake {
		return 0, false
	}
	party, ok := p.view.sessions.identities.at(e.key.torrent, e.key.addrPort())
	if !ok {
		return 0, false
	}
	leader = p.view.leaders[party]
	return leader, p.view.met(leader)
}

const (
	sourceLimit  = 16      // sources from here on have no bit of their own
	otherSources = "other" // is what they are called together
)

func sourceBit(s events.Source) uint16 {
	if s >= sourceLimit {
		return 1
	}
	return 1 << s
}

func sourceList(bits uint16) string {
	var names []string
	for s := events.Source(1); s < sourceLimit; s++ {
		if bits&sourceBit(s) != 0 {
			names = append(names, s.String())
		}
	}
	if bits&1 != 0 {
		names = append(names, otherSources)
	}
	return strings.Join(names, ",")
}
