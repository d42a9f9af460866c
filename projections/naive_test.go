package projections

import (
	"cmp"
	"fmt"
	"math/rand/v2"
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
	opened, saidPort    int // positions; saidPort 0: never
	openedAt, end       events.Time
	torrent             events.TorrentNumber
	incoming            bool
	address             netip.AddrPort
	port                uint16
	peerID              events.PeerID
	messages            []naiveMessage
	bases               map[events.Seq][]byte
	ended, own, dropped bool
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
			peerID: e.PeerID, bases: map[events.Seq][]byte{},
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
		s.end, s.ended = r.Time, true
	default:
		m.message(r)
	}
}

func (m *naiveModel) message(r *events.Record) {
	switch e := r.Event.(type) {
	case *events.BitfieldReceived:
		s := m.openSessionNames[e.Session]
		s.bases[r.Seq] = slices.Clone(e.Bitfield)
		m.say(s, r, "bitfield", m.bits(s, e.Bitfield))
	case *events.BitfieldChanged:
		s := m.openSessionNames[e.Session]
		base := slices.Clone(s.bases[e.Base])
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

type naiveSample struct {
	time    events.Time
	pieces  int
	assumed bool
}

// samples lists all samples of a session.
func (m *naiveModel) samples(s *naiveSession) []naiveSample {
	first, settled := m.firstAvailability(s)
	if len(first) == 0 && len(s.messages) == 0 {
		return nil
	}
	complete := m.complete[s.torrent]
	counts := func(message naiveMessage) bool { return message.basis != "have" || message.count() >= complete }
	sample := func(at events.Time, message naiveMessage) naiveSample {
		return naiveSample{at, message.count(), message.basis == "have"}
	}
	var samples []naiveSample
	counted, above := false, false
	if n := len(first); n > 0 {
		last := first[n-1]
		above = last.count() >= complete
		switch {
		case settled && counts(last):
			counted = true
			samples = append(samples, sample(s.messages[0].time.Add(m.settle), last))
		case !settled && above:
			reached := m.firstFacts(s, first, false)
			samples = append(samples, sample(reached[len(reached)-1].time, last))
		case !settled:
			return nil
		}
	}
	// Walk through the later messages and the end; before each, what is due.
	due := events.Time(0)
	if len(samples) > 0 {
		due = samples[0].time.Add(m.revisit)
	}
	now := naiveMessage{}
	if len(first) > 0 {
		now = first[len(first)-1]
	}
	walk := func(until events.Time) {
		for ; len(samples) > 0 && settled && m.revisit > 0 && due <= until; due = due.Add(m.revisit) {
			if due > samples[len(samples)-1].time && counts(now) {
				samples = append(samples, sample(due, now))
			}
		}
	}
	for _, message := range s.messages[len(first):] {
		walk(message.time)
		isAbove := message.count() >= complete
		if isAbove && !above || counts(message) && !counted {
			samples = append(samples, sample(message.time, message))
			if len(samples) == 1 {
				due = message.time.Add(m.revisit)
			}
		}
		now, above, counted = message, isAbove, counts(message)
	}
	walk(s.end)
	if len(samples) > 0 && counts(now) {
		samples = append(samples, sample(max(s.end, now.time), now))
	}
	return samples
}

// identity gives the key of a session as of the end, and the keys that it had on the way, with their positions.
func (m *naiveModel) identity(s *naiveSession) (final string, appeared []naiveKey) {
	ip, torrent := s.address.Addr(), s.torrent
	endpoint := func(port uint16) string { return fmt.Sprint(torrent, " endpoint ", ip, " ", port) }
	switch m.policy {
	case IdentityIP:
		final = fmt.Sprint(torrent, " ip ", ip)
	case IdentityPeerID:
		final = fmt.Sprint(torrent, " id ", s.peerID)
	case Identity2015:
		final = fmt.Sprint(torrent, " ip ", ip)
		if !s.incoming {
			final = endpoint(s.address.Port())
		}
	default:
		return m.endpointIdentity(s, endpoint)
	}
	return final, []naiveKey{{s.opened, final}}
}

type naiveKey struct {
	position int
	key      string
}

func (m *naiveModel) endpointIdentity(s *naiveSession, endpoint func(uint16) string) (string, []naiveKey) {
	if !s.incoming {
		key := endpoint(s.address.Port())
		return key, []naiveKey{{s.opened, key}}
	}
	guest := fmt.Sprint(s.torrent, " guest ", s.address.Addr(), " ", s.peerID)
	host, since := m.host(s)
	var appeared []naiveKey
	if host == "" || since > s.opened {
		appeared = append(appeared, naiveKey{s.opened, guest})
	}
	switch {
	case s.saidPort != 0:
		key := endpoint(s.port)
		return key, append(appeared, naiveKey{s.saidPort, key})
	case host != "":
		return host, appeared
	}
	return guest, appeared
}

// host is the first endpoint at which the IP address and peer id of a session were seen, and when.
func (m *naiveModel) host(s *naiveSession) (key string, since int) {
	for _, other := range m.sessions {
		port, at := other.address.Port(), other.opened
		if other.incoming {
			port, at = other.port, other.saidPort
		}
		if other.own || other.torrent != s.torrent || other.peerID != s.peerID || other.address.Addr() != s.address.Addr() || at == 0 {
			continue
		}
		if key == "" || at < since {
			key, since = fmt.Sprint(s.torrent, " endpoint ", s.address.Addr(), " ", port), at
		}
	}
	return key, since
}

// naivePeer is what the tables say of one identity.
type naivePeer struct {
	id, visits, first, last int // pieces -1 when unknown
	firstSeen, lastSeen     events.Time
	speed                   float64 // -1 when unknown
	download                string
}

func (m *naiveModel) peers() []naivePeer {
	groups := map[string][]*naiveSession{}
	ids := map[string]int{}
	var appeared []naiveKey
	for _, s := range m.sessions {
		if !s.ended {
			s.end = m.last
		}
		if m.dropped(s) || m.ownFromTheStart(s) {
			continue
		}
		final, keys := m.identity(s)
		if s.own && s.saidPort != 0 { // found out by its port: the key before is all that appeared
			keys = slices.DeleteFunc(keys, func(k naiveKey) bool { return k.position == s.saidPort })
		} else {
			groups[final] = append(groups[final], s)
		}
		appeared = append(appeared, keys...)
	}
	slices.SortStableFunc(appeared, func(a, b naiveKey) int { return cmp.Compare(a.position, b.position) })
	for _, k := range appeared {
		if _, ok := ids[k.key]; !ok {
			ids[k.key] = len(ids) + 1
		}
	}
	var all []naivePeer
	for key, sessions := range groups {
		all = append(all, m.peer(m.groupID(key, ids, groups), sessions))
	}
	slices.SortFunc(all, func(a, b naivePeer) int { return cmp.Compare(a.id, b.id) })
	return all
}

// groupID is the least id of all keys that lead to the group.
func (m *naiveModel) groupID(key string, ids map[string]int, groups map[string][]*naiveSession) int {
	id, ok := ids[key]
	if !ok {
		id = 1 << 30
	}
	if m.policy != IdentityEndpoint {
		return id
	}
	for _, s := range m.sessions {
		if host, _ := m.host(s); host == key {
			guest := fmt.Sprint(s.torrent, " guest ", s.address.Addr(), " ", s.peerID)
			if other, ok := ids[guest]; ok {
				id = min(id, other)
			}
		}
	}
	return id
}

func (m *naiveModel) ownFromTheStart(s *naiveSession) bool {
	return s.peerID == m.ownID || !s.incoming && s.address == m.ownAddress
}

func (m *naiveModel) dropped(s *naiveSession) bool {
	if m.policy != Identity2015 || !s.incoming {
		return false
	}
	return slices.ContainsFunc(m.contacts, func(c naiveContact) bool {
		return c.position < s.opened && c.torrent == s.torrent && c.ip == s.address.Addr()
	})
}

func (m *naiveModel) peer(id int, sessions []*naiveSession) naivePeer {
	p := naivePeer{id: id, visits: len(sessions), first: -1, last: -1, speed: -1, firstSeen: 1 << 62}
	for _, s := range sessions {
		p.firstSeen = min(p.firstSeen, s.openedAt)
		p.lastSeen = max(p.lastSeen, s.end)
	}
	p.download = m.download(sessions)
	m.sampled(&p, sessions)
	return p
}

func (m *naiveModel) download(sessions []*naiveSession) string {
	var above naiveFact
	for _, s := range sessions {
		for _, f := range m.facts(s) {
			if f.class == "above" && (above.class == "" || f.position < above.position) {
				above = f
			}
		}
	}
	for _, class := range []string{"known", "assumed"} {
		var below naiveFact
		for _, s := range sessions {
			var span []naiveFact
			for _, f := range m.facts(s) {
				if f.class == class {
					span = append(span, f)
				}
			}
			if len(span) == 0 {
				continue
			}
			f := span[len(span)-1]
			if f.position >= above.position {
				f = span[0] // the interval of sessions that overlap is the wider one
			}
			if f.position < above.position && f.position > below.position {
				below = f
			}
		}
		if below.class != "" {
			return fmt.Sprint(naiveSeconds(below.time), naiveSeconds(above.time), below.pieces, above.pieces, below.evidence, above.evidence)
		}
	}
	return ""
}

func naiveSeconds(t events.Time) string { return fmt.Sprintf("%.4f ", t.Sub(0).Seconds()) }

func (m *naiveModel) sampled(p *naivePeer, sessions []*naiveSession) {
	var all [][]naiveSample
	opened := map[*naiveSample]int{}
	for _, s := range sessions {
		if samples := m.samples(s); len(samples) > 0 {
			all = append(all, samples)
			opened[&samples[0]] = s.opened
		}
	}
	slices.SortFunc(all, func(a, b []naiveSample) int {
		return cmp.Or(cmp.Compare(a[0].time, b[0].time), cmp.Compare(opened[&a[0]], opened[&b[0]]))
	})
	count := 0
	var last naiveSample
	for _, samples := range all {
		if p.first < 0 && !samples[0].assumed {
			p.first = samples[0].pieces
		}
		from := samples[0]
		if count > 0 {
			p.faster(last, from)
		}
		for _, to := range samples[1:] {
			if p.faster(from, to) {
				from = to
			}
		}
		if end := samples[len(samples)-1]; count == 0 || end.time >= last.time {
			last = end
		}
		count += len(samples)
	}
	if count >= 2 {
		p.last = last.pieces
	}
}

// faster reports whether the speed could be measured.
func (p *naivePeer) faster(from, to naiveSample) bool {
	if to.time.Sub(from.time) < time.Second {
		return false
	}
	speed := float64(max(to.pieces-from.pieces, 0)) / to.time.Sub(from.time).Seconds()
	p.speed = max(p.speed, speed)
	return true
}

// naiveStream makes a random stream of one run, and the model that saw it.
type naiveStream struct {
	*rand.Rand
	records []events.Record
	now     events.Time
	open    []events.SessionNumber
	bases   map[events.SessionNumber][]events.Seq
	next    events.SessionNumber
}

func (s *naiveStream) add(e events.Event) {
	s.records = append(s.records, events.Record{Run: events.RunID{1}, Seq: events.Seq(len(s.records) + 1), Time: s.now, Event: e})
}
