package projections

import (
	"net/netip"

	"btda/events"
)

// address is an IP address as 16 bytes, IPv4 mapped: it holds no pointer, which netip.Addr does.
type address [16]byte

func addressOf(a netip.Addr) address { return a.As16() }

func (a address) addr() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// partyKind tells which fields of a partyKey count.
type partyKind uint8

const (
	byEndpoint partyKind = 1 // address and listening port
	byGuest    partyKind = 2 // address and peer id, of incoming peers that do not say where they listen
	byAddress  partyKind = 3
	byPeerID   partyKind = 4
)

// partyKey is what the sessions of one party share. Fields that its kind does not need are zero.
type partyKey struct {
	torrent torrentIndex
	kind    partyKind
	port    uint16
	address address
	peerID  events.PeerID
}

// partyIndex numbers the parties from 0, in the order of their first appearance. The id of a row is one more.
type partyIndex uint32

const noParty = ^partyIndex(0)

// party is those sessions that the policy takes for one peer at once, without what comes later. Parties that turn out to
// be one peer are joined when rows are made. It holds no pointers.
type party struct {
	key        partyKey
	first      meeting
	came       arrival
	lastSeen   events.Time
	visits     uint32
	uploadOnly uploadOnly
	revision   Position
}

// arrival is the first time that a peer came to us. Its position is 0 until it did.
type arrival struct {
	position Position
	time     events.Time
}

// meeting is how a peer was met for the first time.
type meeting struct {
	position   Position // 0 until there was one
	time       events.Time
	address    address
	port       uint16 // of the connection; the listening port only where we dialled it
	direction  events.Direction
	transport  events.Transport
	encryption events.Encryption
	peerID     events.PeerID
}

// uploadOnly is what a peer said of being upload-only (BEP 21). The greater of two values counts.
type uploadOnly uint8

const (
	uploadOnlyUnsaid uploadOnly = 0
	uploadOnlyNo     uploadOnly = 1
	uploadOnlyYes    uploadOnly = 2
)

// visit is one session, as a party takes it in.
type visit struct {
	meeting
	closed     events.Time
	uploadOnly uploadOnly
	revision   Position
}

func (p *party) takeIn(v visit) {
	p.merge(&party{first: v.meeting, came: v.arrival(), lastSeen: v.closed, visits: 1, uploadOnly: v.uploadOnly, revision: v.revision})
}

func (v *visit) arrival() arrival {
	if v.direction != events.Incoming {
		return arrival{}
	}
	return arrival{v.position, v.time}
}

func (p *party) merge(other *party) {
	if p.first.position == 0 || other.first.position != 0 && other.first.position < p.first.position {
		p.first = other.first
	}
	if p.came.position == 0 || other.came.position != 0 && other.came.position < p.came.position {
		p.came = other.came
	}
	p.lastSeen = max(p.lastSeen, other.lastSeen)
	p.visits += other.visits
	p.uploadOnly = max(p.uploadOnly, other.uploadOnly)
	p.revision = max(p.revision, other.revision)
}

// caller is what is known of the other side of a session.
type caller struct {
	torrent   torrentIndex
	direction events.Direction
	address   netip.AddrPort // of the connection
	listening uint16         // port that an incoming peer says it listens on; 0 while not said
	peerID    events.PeerID
}

// endpoint is the address at which the peer takes connections, where it is known.
func (c *caller) endpoint() (netip.AddrPort, bool) {
	switch {
	case c.direction == events.Outgoing:
		return c.address, true
	case c.listening != 0:
		return netip.AddrPortFrom(c.address.Addr(), c.listening), true
	}
	return netip.AddrPort{}, false
}

func (c *caller) endpointKey(at netip.AddrPort) partyKey {
	return partyKey{torrent: c.torrent, kind: byEndpoint, port: at.Port(), address: addressOf(at.Addr())}
}

func (c *caller) guestKey() partyKey {
	return partyKey{torrent: c.torrent, kind: byGuest, address: addressOf(c.address.Addr()), peerID: c.peerID}
}

func (c *caller) addressKey() partyKey {
	return partyKey{torrent: c.torrent, kind: byAddress, address: addressOf(c.address.Addr())}
}

func (c *caller) peerIDKey() partyKey {
	return partyKey{torrent: c.torrent, kind: byPeerID, peerID: c.peerID}
}

// identities tells which sessions are with one peer, by the policy.
type identities struct {
	policy    Identity
	parties   list[party]
	byKey     map[partyKey]partyIndex
	hosts     map[partyKey]partyIndex // for the key of a guest, the endpoint where its peer id was seen first
	contacted map[partyKey]struct{}   // 2015: addresses that were contacted outgoing
	handshook map[partyKey]partyIndex // peer-id: for the key of an endpoint, the first party that was met there
}

func newIdentities(policy Identity) *identities {
	return &identities{
		policy: policy, byKey: map[partyKey]partyIndex{}, hosts: map[partyKey]partyIndex{},
		contacted: map[partyKey]struct{}{}, handshook: map[partyKey]partyIndex{},
	}
}

// meet gives the party of a session that was opened now. It is noParty for one that the policy drops.
func (i *identities) meet(at moment, c *caller) partyIndex {
	switch i.policy {
	case IdentityIP:
		return i.party(at, c.addressKey())
	case IdentityPeerID:
		return i.findPeerID(at, c)
	case Identity2015:
		return i.find2015(at, c)
	}
	return i.findEndpoint(at, c)
}

// learn gives the party of a session, met as one party, when the peer said now where it listens.
func (i *identities) learn(at moment, c *caller, met partyIndex) partyIndex {
	switch i.policy {
	case IdentityEndpoint:
		return i.findEndpoint(at, c)
	case IdentityPeerID:
		return i.findPeerID(at, c)
	}
	return met
}

func (i *identities) findEndpoint(at moment, c *caller) partyIndex {
	guest := c.guestKey()
	host, hosted := i.hosts[guest]
	if endpoint, known := c.endpoint(); known {
		found := i.party(at, c.endpointKey(endpoint))
		if !hosted {
			i.host(at, guest, found)
		}
		return found
	}
	if hosted {
		return host
	}
	return i.party(at, guest)
}

// host makes an endpoint the one that guests with its peer id belong to, those of before too.
func (i *identities) host(at moment, guest partyKey, endpoint partyIndex) {
	i.hosts[guest] = endpoint
	if earlier, ok := i.byKey[guest]; ok {
		i.parties.at(int(earlier)).revision = at.position
		i.parties.at(int(endpoint)).revision = at.position
	}
}

func (i *identities) findPeerID(at moment, c *caller) partyIndex {
	found := i.party(at, c.peerIDKey())
	if endpoint, known := c.endpoint(); known {
		key := c.endpointKey(endpoint)
		if _, ok := i.handshook[key]; !ok {
			i.handshook[key] = found
		}
	}
	return found
}

func (i *identities) find2015(at moment, c *caller) partyIndex {
	key := c.addressKey()
	if c.direction == events.Outgoing {
		i.contacted[key] = struct{}{}
		return i.party(at, c.endpointKey(c.address))
	}
	if _, dropped := i.contacted[key]; dropped {
		return noParty
	}
	return i.party(at, key)
}

// contact notes an outgoing attempt, which the 2015 policy goes by.
func (i *identities) contact(c *caller) {
	if i.policy == Identity2015 && c.direction == events.Outgoing {
		i.contacted[c.addressKey()] = struct{}{}
	}
}

// party gives the party with a key; a new one appears now.
func (i *identities) party(at moment, key partyKey) partyIndex {
	if found, ok := i.byKey[key]; ok {
		return found
	}
	found := partyIndex(i.parties.add(party{key: key, revision: at.position}))
	i.byKey[key] = found
	return found
}

// root is the party that a party is joined to in the end: itself, or the endpoint that a guest turned out to be.
func (i *identities) root(p partyIndex) partyIndex {
	key := &i.parties.at(int(p)).key
	if key.kind != byGuest {
		return p
	}
	if host, ok := i.hosts[*key]; ok {
		return host
	}
	return p
}

// at gives the party that was met at an endpoint.
func (i *identities) at(torrent torrentIndex, endpoint netip.AddrPort) (partyIndex, bool) {
	c := caller{torrent: torrent, address: endpoint}
	if i.policy == IdentityPeerID {
		found, ok := i.handshook[c.endpointKey(endpoint)]
		return found, ok
	}
	if found, ok := i.byKey[c.endpointKey(endpoint)]; ok {
		return found, true
	}
	found, ok := i.byKey[c.addressKey()]
	return found, ok
}
