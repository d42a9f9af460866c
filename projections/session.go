package projections

import "btda/events"

// sessionKey names a session among those of all runs.
type sessionKey struct {
	run    runIndex
	number events.SessionNumber
}

// session is an open session that counts: of a torrent that is observed, and not with ourselves.
type session struct {
	availability
	key        sessionKey
	torrent    torrentIndex
	party      partyIndex
	uploadOnly uploadOnly
	sized      bool // the number of pieces is known
	caller     caller
	meeting    meeting
	timing     timingIndex
	heard      events.Time // of the last message, or the handshake
}

// sessions folds what peers say into parties and histories. Only open sessions keep a piece set.
type sessions struct {
	definitions *definitions
	identities  *identities
	histories   histories
	climbs      climbs
	timings     timings
	waits       waits
	open        []session // slots, some of them free
	free        []uint32
	slots       map[sessionKey]uint32
	latest      struct { // most messages follow one of the same session
		key  sessionKey
		slot uint32
	}
}

func newSessions(d *definitions) *sessions {
	return &sessions{definitions: d, identities: newIdentities(d.options.Identity), slots: map[sessionKey]uint32{}, timings: timings{definitions: d}}
}

func (s *sessions) begin(at moment, e *events.SessionOpened) {
	key := sessionKey{at.run, e.Session}
	if old := s.find(key); old != nil { // no recorder gives a number twice
		s.end(at, old)
	}
	torrent, ok := s.definitions.torrent(at.run, e.Torrent)
	if !ok || e.Session == 0 || s.definitions.own(e) {
		return
	}
	c := caller{torrent: torrent, direction: e.Direction, address: e.Address.AddrPort, peerID: e.PeerID}
	party := s.identities.meet(at, &c)
	if party == noParty {
		return
	}
	s.identities.parties.at(int(party)).revision = at.position
	s.waits.begin(torrent)
	goal := s.definitions.goal(torrent)
	s.place(session{
		availability: newAvailability(at, goal),
		key:          key, torrent: torrent, party: party, sized: goal.pieces > 0, caller: c, meeting: meetingOf(at, e),
		timing: s.timings.open(at, e, party), heard: at.time,
	})
}

func meetingOf(at moment, e *events.SessionOpened) meeting {
	return meeting{
		position: at.position, time: at.time, address: addressOf(e.Address.Addr()), port: e.Address.Port(),
		direction: e.Direction, transport: e.Transport, encryption: e.Encryption, peerID: e.PeerID,
	}
}

func (s *sessions) place(v session) {
	slot := uint32(len(s.open))
	if n := len(s.free); n > 0 {
		slot, s.free = s.free[n-1], s.free[:n-1]
		s.open[slot] = v
	} else {
		s.open = append(s.open, v)
	}
	s.slots[v.key] = slot
}

// find gives an open session, or nil for one that does not count. It is valid until the next one begins or ends.
func (s *sessions) find(key sessionKey) *session {
	if key.number == 0 { // which is that of free slots
		return nil
	}
	if key == s.latest.key && s.open[s.latest.slot].key == key {
		return &s.open[s.latest.slot]
	}
	slot, ok := s.slots[key]
	if !ok {
		return nil
	}
	s.latest.key, s.latest.slot = key, slot
	return &s.open[slot]
}

// sized gives the availability of an open session of which a message came now, or nil where it can mean nothing.
func (s *sessions) sized(at moment, number events.SessionNumber) *availability {
	if found := s.hear(at, number); found != nil && found.sized {
		return &found.availability
	}
	return nil
}

func (s *sessions) rules(at moment) rules { return s.definitions.runs[at.run].rules }

func (s *sessions) bitfield(at moment, e *events.BitfieldReceived) {
	if a := s.sized(at, e.Session); a != nil {
		a.bitfield(at, s.rules(at), e.Bitfield)
	}
}

func (s *sessions) bitfieldChanged(at moment, e *events.BitfieldChanged) {
	if a := s.sized(at, e.Session); a != nil {
		a.bitfieldChanged(at, s.rules(at), e)
	}
}

func (s *sessions) haveAll(at moment, e *events.HaveAllReceived) {
	if a := s.sized(at, e.Session); a != nil {
		a.haveAll(at, s.rules(at))
	}
}

func (s *sessions) haveNone(at moment, e *events.HaveNoneReceived) {
	if a := s.sized(at, e.Session); a != nil {
		a.haveNone(at, s.rules(at))
	}
}

func (s *sessions) have(at moment, e *events.HaveReceived) {
	if a := s.sized(at, e.Session); a != nil {
		a.have(at, s.rules(at), e.Piece)
	}
}

func (s *sessions) dontHave(at moment, e *events.DontHaveReceived) {
	if a := s.sized(at, e.Session); a != nil {
		a.dontHave(at, s.rules(at), e.Piece)
	}
}

// extensionHandshake learns where an incoming peer listens, and whether the peer wants to download at all.
func (s *sessions) extensionHandshake(at moment, e *events.ExtensionHandshakeReceived) {
	found := s.hear(at, e.Session)
	if found == nil {
		return
	}
	if e.UploadOnly.Known {
		found.uploadOnly = max(found.uploadOnly, uploadOnlyNo)
		if e.UploadOnly.Value != 0 {
			found.uploadOnly = uploadOnlyYes
		}
	}
	c := &found.caller
	port, said := listeningPort(e)
	if !said || c.direction != events.Incoming || c.listening != 0 {
		return
	}
	c.listening = port
	s.identities.parties.at(int(found.party)).revision = at.position
	if endpoint, _ := c.endpoint(); s.definitions.ownAddress(endpoint) {
		s.timings.move(found.timing, noParty)
		s.forget(found)
		return
	}
	found.party = s.identities.learn(at, c, found.party)
	s.timings.move(found.timing, found.party)
	s.identities.parties.at(int(found.party)).revision = at.position
}

// listeningPort is the port that a peer says it listens on, where that can be one.
func listeningPort(e *events.ExtensionHandshakeReceived) (port uint16, said bool) {
	port = uint16(e.Port.Value)
	return port, e.Port.Known && port != 0 && uint64(port) == e.Port.Value
}

func (s *sessions) close(at moment, e *events.SessionClosed) {
	if found := s.find(sessionKey{at.run, e.Session}); found != nil {
		s.timings.close(found.timing, e)
		s.end(at, found)
	}
}

func (s *sessions) end(at moment, found *session) {
	found.close(at.time)
	s.identities.parties.at(int(found.party)).takeIn(found.visit(at.time, at.position))
	s.histories.keep(found.party, recollect(&found.availability))
	s.climbs.keep(found.party, &found.climb)
	s.forget(found)
}

func (s *session) visit(closed events.Time, revision Position) visit {
	return visit{meeting: s.meeting, closed: max(closed, s.meeting.time), uploadOnly: s.uploadOnly, revision: revision}
}

// forget frees the slot of a session.
func (s *sessions) forget(found *session) {
	slot := s.slots[found.key]
	delete(s.slots, found.key)
	*found = session{}
	s.free = append(s.free, slot)
}

// contact notes an outgoing attempt that failed.
func (s *sessions) contact(at moment, e *events.ConnectionFailed) {
	if torrent, ok := s.definitions.torrent(at.run, e.Torrent); ok && e.Address.IsValid() && !s.definitions.ownAddress(e.Address.AddrPort) {
		s.identities.contact(&caller{torrent: torrent, direction: e.Direction, address: e.Address.AddrPort})
	}
}
