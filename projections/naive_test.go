package projections

import (
	"net/netip"
	"slices"
	"time"

	"btda/events"
)

// This file tells the counting rules a second time, as simply as can be: it keeps everything, and looks at it as often as it
// likes. The property test holds the real folds against it.

type naiveMessage struct {
	position int
	time     events.Time
	has      []bool // after it
	basis    string // what the set rests on: bitfield, have_all, have_none, have
	by       string
}

func (m *naiveMessage) count() int {
	n := 0
	for _, h := range m.has {
		if h {
			n++
		}
	}
	return n
}

type naiveSession struct {
	opened, saidPort int // positions; saidPort 0: never
	openedAt, end    events.Time
	torrent          events.TorrentNumber
	incoming         bool
	address          netip.AddrPort
	port             uint16
	peerID           events.PeerID
	messages         []naiveMessage
	base             events.Seq
	baseBits         []byte
	ended, own       bool
	opening          events.SessionOpened
	closing          events.SessionClosed
	heard            []naiveHeard
}

type naiveModel struct {
	policy           Identity
	size             map[events.TorrentNumber]int
	complete         map[events.TorrentNumber]int
	settle, timeout  time.Duration
	revisit          time.Duration
	ownID            events.PeerID
	ownAddress       netip.AddrPort
	sessions         []*naiveSession
	contacts         []naiveContact
	position         int
	last             events.Time
	openSessionNames map[events.SessionNumber]*naiveSession
}

type naiveContact struct {
	position int
	torrent  events.TorrentNumber
	ip       netip.Addr
}

func (m *naiveModel) apply(r *events.Record) {
	m.position++
	m.last = max(m.last, r.Time)
	switch e := r.Event.(type) {
	case *events.SessionOpened:
		s := &naiveSession{
			opened: m.position, openedAt: r.Time, torrent: e.Torrent, incoming: e.Direction == events.Incoming, address: e.Address.AddrPort,
			peerID: e.PeerID, opening: *e,
		}
		s.own = s.peerID == m.ownID || !s.incoming && s.address == m.ownAddress
		if !s.incoming && !s.own {
			m.contacts = append(m.contacts, naiveContact{m.position, e.Torrent, e.Address.Addr()})
		}
		m.sessions = append(m.sessions, s)
		m.openSessionNames[e.Session] = s
	case *events.ConnectionFailed:
		if e.Direction == events.Outgoing && e.Address.AddrPort != m.ownAddress {
			m.contacts = append(m.contacts, naiveContact{m.position, e.Torrent, e.Address.Addr()})
		}
	case *events.ExtensionHandshakeReceived:
		s := m.openSessionNames[e.Session]
		if s.incoming && s.saidPort == 0 && e.Port.Known && e.Port.Value > 0 && e.Port.Value < 65536 {
			s.saidPort, s.port = m.position, uint16(e.Port.Value)
			s.own = s.own || netip.AddrPortFrom(s.address.Addr(), s.port) == m.ownAddress
		}
	case *events.SessionClosed:
		s := m.openSessionNames[e.Session]
		s.end, s.ended, s.closing = r.Time, true, *e
	default:
		m.message(r)
	}
	m.hear(r)
}

func (m *naiveModel) message(r *events.Record) {
	switch e := r.Event.(type) {
	case *events.BitfieldReceived:
		s := m.openSessionNames[e.Session]
		has := m.bits(s, e.Bitfield)
		if has != nil {
			s.base, s.baseBits = r.Seq, slices.Clone(e.Bitfield)
		}
		m.say(s, r, "bitfield", has)
	case *events.BitfieldChanged:
		s := m.openSessionNames[e.Session]
		if e.Base != s.base {
			return
		}
		base := slices.Clone(s.baseBits)
		for _, i := range naiveToggled(e.Toggled) {
			if i/8 >= len(base) {
				return
			}
			base[i/8] ^= 0x80 >> (i % 8)
		}
		m.say(s, r, "bitfield", m.bits(s, base))
	case *events.HaveAllReceived:
		s := m.openSessionNames[e.Session]
		all := make([]bool, m.size[s.torrent])
		for i := range all {
			all[i] = true
		}
		m.say(s, r, "have_all", all)
	case *events.HaveNoneReceived:
		s := m.openSessionNames[e.Session]
		m.say(s, r, "have_none", make([]bool, m.size[s.torrent]))
	case *events.HaveReceived:
		m.one(r, e.Session, e.Piece, true)
	case *events.DontHaveReceived:
		m.one(r, e.Session, e.Piece, false)
	}
}

func naiveToggled(b []byte) []int {
	var all []int
	next := 0
	for _, d := range b { // the test's differences have distances below 128
		next += int(d)
		all = append(all, next)
		next++
	}
	return all
}

// bits is nil for an invalid bitfield.
func (m *naiveModel) bits(s *naiveSession, bitfield []byte) []bool {
	size := m.size[s.torrent]
	if len(bitfield) != (size+7)/8 {
		return nil
	}
	var has []bool
	for i := range len(bitfield) * 8 {
		set := bitfield[i/8]>>(7-i%8)&1 == 1
		if i < size {
			has = append(has, set)
		} else if set {
			return nil
		}
	}
	return has
}

func (m *naiveModel) one(r *events.Record, session events.SessionNumber, piece events.PieceIndex, has bool) {
	s := m.openSessionNames[session]
	if int(piece) >= m.size[s.torrent] {
		return
	}
	now := make([]bool, m.size[s.torrent])
	by := "have"
	if n := len(s.messages); n > 0 {
		copy(now, s.messages[n-1].has)
	} else if !has {
		return
	}
	if !has {
		by = "dont_have"
	}
	now[piece] = has
	m.say(s, r, by, now)
}

func (m *naiveModel) say(s *naiveSession, r *events.Record, by string, has []bool) {
	if has == nil || m.size[s.torrent] == 0 {
		return
	}
	basis := by
	if by == "have" || by == "dont_have" {
		basis = "have"
		if n := len(s.messages); n > 0 {
			basis = s.messages[n-1].basis
		}
	}
	s.messages = append(s.messages, naiveMessage{m.position, r.Time, has, basis, by})
}

// naiveFact is one knowledge about a peer.
type naiveFact struct {
	position int
	time     events.Time
	pieces   int
	class    string // assumed, known, above
	evidence string
}

// facts are those of a session up to its first above.
func (m *naiveModel) facts(s *naiveSession) []naiveFact {
	var facts []naiveFact
	complete := m.complete[s.torrent]
	first, settled := m.firstAvailability(s)
	if len(first) > 0 {
		facts = append(facts, m.firstFacts(s, first, settled)...)
	}
	for _, message := range s.messages[len(first):] {
		f := naiveFact{position: message.position, time: message.time, pieces: message.count()}
		switch {
		case f.pieces >= complete:
			f.class, f.evidence = "above", message.by
		case message.basis == "bitfield" || message.basis == "have_none":
			f.class, f.evidence = "known", message.basis
		default:
			f.class, f.evidence = "assumed", "assumed"
			if len(facts) == 0 && message.basis == "have" && m.silent(s) {
				facts = append(facts, naiveFact{s.opened, s.openedAt, 0, "assumed", "assumed"})
			}
		}
		facts = append(facts, f)
	}
	for i, f := range facts {
		if f.class == "above" {
			return facts[:i+1]
		}
	}
	return facts
}

func (m *naiveModel) silent(s *naiveSession) bool {
	return s.messages[0].time.Sub(s.openedAt) >= m.timeout
}

// firstAvailability gives the messages that came before the set was settled, and whether it was.
func (m *naiveModel) firstAvailability(s *naiveSession) (first []naiveMessage, settled bool) {
	if len(s.messages) == 0 {
		return nil, false
	}
	at := s.messages[0].time.Add(m.settle)
	for i, message := range s.messages {
		if message.time >= at {
			return s.messages[:i], true
		}
	}
	return s.messages, s.end >= at
}

func (m *naiveModel) firstFacts(s *naiveSession, first []naiveMessage, settled bool) []naiveFact {
	last := first[len(first)-1]
	silence := naiveFact{s.opened, s.openedAt, 0, "assumed", "assumed"}
	var facts []naiveFact
	if last.basis == "have" && m.silent(s) {
		facts = append(facts, silence)
	}
	if last.count() >= m.complete[s.torrent] {
		reached := last
		for i := len(first) - 1; i >= 0 && first[i].count() >= m.complete[s.torrent]; i-- {
			reached = first[i]
		}
		evidence := last.basis
		if evidence == "have_none" {
			evidence = "have"
		}
		return append(facts, naiveFact{reached.position, reached.time, reached.count(), "above", evidence})
	}
	if !settled {
		return nil
	}
	f := naiveFact{last.position, last.time, last.count(), "assumed", "assumed"}
	if last.basis == "bitfield" || last.basis == "have_none" {
		f.class, f.evidence = "known", last.basis
	}
	return append(facts, f)
}
