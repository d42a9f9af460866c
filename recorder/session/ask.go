package session

import (
	"slices"
	"time"

	"btda/recorder/wire"
)

// Some clients hold their haves back until they write something else. An answer about metadata is such a thing, so that they are asked
// for metadata piece 0 again and again.
const (
	// askInterval is between two requests.
	askInterval = 5 * time.Second
	// hurryInterval is between two requests to a peer that holds haves back and may leave before askInterval has passed.
	hurryInterval = time.Second
	// hurryFrom is the share of the pieces, in hundredths, from which on the last ones may come, and the peer may leave, at any time.
	hurryFrom = 80
	// hurryTime is how long a peer is taken to get on without a sign of it. What takes longer for a piece takes longer than askInterval for its last
	// 2 %.
	hurryTime = 15 * time.Second
)

// holdingBack are the clients that are known to hold haves back, by what their peer ids begin with: transmission, for about 10 s, and
// rtorrent, for ever.
var holdingBack = []string{"-TR", "-lt"}

// tellingAtOnce are the clients that are known to tell of a piece within a second, or of all of them anew every other second: those of libtorrent,
// and aria2. They are not asked.
var tellingAtOnce = []string{"-LT", "-qB", "-DE", "A2-"}

// offerMetadata remembers by which number a peer takes requests for metadata, if it does.
func (s *session) offerMetadata(number uint8) {
	s.peer.metadata = number
	switch {
	case number == 0, s.isOneOf(tellingAtOnce):
		s.timers.ask = never
	case s.timers.ask == never:
		s.timers.ask = s.now + askInterval
	}
}

func (s *session) askDue() time.Duration {
	if s.mute() || s.reached {
		return never
	}
	return s.timers.ask
}

// ask asks for metadata piece 0.
func (s *session) ask() {
	s.timers.asked, s.timers.ask, s.askedWith = s.now, s.now+askInterval, s.set.Count()
	s.hurry()
	s.sendMetadata(wire.MetadataMessage{Type: wire.MetadataRequest})
}

// hurry asks a peer soon again that may be about to finish.
func (s *session) hurry() {
	if s.timers.ask != never && s.sized() && s.isOneOf(holdingBack) && s.mayFinish() {
		s.timers.ask = min(s.timers.ask, s.timers.asked+hurryInterval)
	}
}

// mayFinish tells of a peer that has most pieces and gets on, or would be complete with as many more as came since it was last asked.
func (s *session) mayFinish() bool {
	count := s.set.Count()
	if 100*uint64(count) >= hurryFrom*uint64(s.set.Size()) {
		return s.now-s.timers.content < hurryTime
	}
	return s.timers.asked > 0 && count > s.askedWith && 2*count-s.askedWith >= s.complete
}

// isOneOf tells whether the peer id begins as that of one of some clients.
func (s *session) isOneOf(clients []string) bool {
	const name = 3 // bytes
	return slices.Contains(clients, string(s.theirs.PeerID[:name]))
}

// receiveMetadata takes in a metadata message (BEP 9). A request is rejected: we have no metadata to give. One that comes above the
// rate that is recorded gets no answer.
func (s *session) receiveMetadata(m message) {
	if s.fetching() && s.takeMetadata(m) || s.receiveOther(m) == 0 || s.peer.metadata == 0 || s.mute() {
		return
	}
	said, err := wire.ParseMetadata(m.payload)
	switch {
	case err != nil:
	case said.Type == wire.MetadataRequest:
		s.sendMetadata(wire.MetadataMessage{Type: wire.MetadataReject, Piece: said.Piece})
	case said.Type == wire.MetadataData && s.fetching() && s.fetch.giver == nil:
		s.claim(said.TotalSize) // it had none when the session began
	}
}

func (s *session) sendMetadata(m wire.MetadataMessage) {
	s.send(wire.AppendExtended(nil, s.peer.metadata, m.Append(nil)))
}
