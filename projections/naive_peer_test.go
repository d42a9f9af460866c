package projections

import (
	"cmp"
	"fmt"
	"slices"

	"btda/events"
)

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
	sessions                []*naiveSession
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
	p := naivePeer{id: id, sessions: sessions, visits: len(sessions), first: -1, last: -1, speed: -1, firstSeen: 1 << 62}
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
