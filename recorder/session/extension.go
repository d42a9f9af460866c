package session

import (
	"btda/events"
	"btda/recorder/wire"
)

func (s *session) receiveExtended(m message) {
	switch {
	case m.Length < 2: // without even an extension number
		s.receiveOther(m)
	case m.Extension == 0:
		s.receiveExtensionHandshake(m)
	case m.Extension == wire.MetadataID:
		s.receiveMetadata(m)
	case m.Extension == wire.DontHaveID:
		s.receiveDontHave(m)
	case m.Extension == wire.PeerExchangeID:
		s.receivePeerExchange(m)
	case m.Extension == wire.TrackersID:
		s.receiveTrackerExchange(m)
	default:
		s.receiveOther(m)
	}
}

func (s *session) receiveDontHave(m message) {
	index, ok := wire.ParseIndex(m.payload)
	if !ok || m.Payload() != len(m.payload) {
		s.receiveOther(m)
		return
	}
	s.early().have(index, false)
	news := s.holdings.dontHave(index)
	s.recordAvailability(m, &events.DontHaveReceived{Session: s.number, Piece: index}, news)
}

// receiveExtensionHandshake takes in an extension handshake (BEP 10). The first has content; later ones may change what is offered.
func (s *session) receiveExtensionHandshake(m message) {
	e := &events.ExtensionHandshakeReceived{Session: s.number, Length: uint32(m.Payload()), Raw: m.payload}
	wire.ParseExtensionHandshake(m.payload, e)
	stored := 2 * len(m.payload) // once raw and once parsed
	if s.peer.heard {
		s.record(m, e, stored)
	} else {
		s.recordNews(e, stored)
	}
	if m.Payload() > keptHandshake {
		s.limitOnce(m)
	}
	s.peer.heard = true
	s.learn(e)
}

// limitOnce records that an extension handshake is longer than what is kept of one.
func (s *session) limitOnce(m message) {
	if !s.peer.heard {
		s.limit(events.LimitExtensionHandshake, limitValue{uint64(m.Payload()), keptHandshake})
	}
}

// learn remembers what a peer offers.
func (s *session) learn(e *events.ExtensionHandshakeReceived) {
	for _, x := range e.Extensions {
		if x.Name == wire.MetadataName {
			s.offerMetadata(x.ID)
		}
	}
	s.claim(e.MetadataSize)
	if e.Port.Value > 0 {
		s.learnPort(e.Port)
	}
}

// learnPort remembers where a peer takes connections. The first time it tells more: an incoming peer may turn out to be one that we
// reached on that port.
func (s *session) learnPort(port events.Optional) {
	first := !s.peer.listenPort.Known
	s.peer.listenPort = port
	if first && s.place != nil && s.link.direction == events.Incoming && !s.place.Listens(uint16(port.Value)) {
		s.leave(events.ReasonDuplicate)
	}
}
