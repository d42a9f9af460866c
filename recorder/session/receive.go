package session

import (
	"net/netip"

	"btda/events"
	"btda/recorder/wire"
)

// receive takes in one whole message.
func (s *session) receive(m message) {
	s.counters.received++
	s.counters.longestWait = max(s.counters.longestWait, s.now-s.timers.message)
	s.timers.message = s.now
	switch m.Kind {
	case events.Have:
		s.receiveHave(m)
	case events.Bitfield:
		s.receiveBitfield(m)
	case events.HaveAll:
		s.receiveAllOrNone(m, &events.HaveAllReceived{Session: s.number}, s.holdings.all)
	case events.HaveNone:
		s.receiveAllOrNone(m, &events.HaveNoneReceived{Session: s.number}, s.holdings.none)
	case events.Port:
		s.receivePort(m)
	case events.Extended:
		s.receiveExtended(m)
	default:
		s.receiveOther(m)
	}
	s.countMessages()
}

// receiveOther takes in a message that has no event of its own, or not the length that its kind has. seq is as from record.
func (s *session) receiveOther(m message) (seq events.Seq) {
	s.other = events.MessageReceived{Session: s.number, Message: m.Kind, Extension: m.Extension, Length: m.Length}
	return s.record(m, &s.other, 0)
}

func (s *session) receiveHave(m message) {
	index, ok := wire.ParseIndex(m.payload)
	if !ok || m.Payload() != len(m.payload) {
		s.receiveOther(m)
		return
	}
	s.journal.have = events.HaveReceived{Session: s.number, Piece: index}
	s.early().have(index, true)
	s.recordAvailability(m, &s.journal.have, s.holdings.have(index))
}

func (s *session) receiveAllOrNone(m message, e events.Event, apply func() bool) {
	if m.Payload() != 0 {
		s.receiveOther(m)
		return
	}
	s.early().whole(m.Kind == events.HaveAll)
	s.recordAvailability(m, e, apply())
}

func (s *session) receivePort(m message) {
	port, ok := wire.ParsePort(m.payload)
	if !ok || m.Payload() != len(m.payload) {
		s.receiveOther(m)
		return
	}
	s.record(m, &events.PortReceived{Session: s.number, Port: port}, 0)
	if s.observer.dht(s.torrent()) && !s.peer.node {
		s.peer.node = true
		s.observer.OfferNode(netip.AddrPortFrom(s.link.contact.Address.Addr(), port))
	}
}

func (s *session) receiveBitfield(m message) {
	s.early().replace(m.payload)
	fact := s.holdings.judge(s.number, m.payload)
	if !fact.news {
		if seq := s.record(m, fact.event, fact.stored); seq != 0 {
			s.holdings.apply(m.payload, fact, seq)
		}
		return
	}
	seq := s.recordNews(fact.event, fact.stored)
	s.holdings.apply(m.payload, fact, seq)
	s.progress()
}

// recordAvailability records a message about single pieces, or all of them, that was taken in.
func (s *session) recordAvailability(m message, e events.Event, news bool) {
	if !news {
		s.record(m, e, 0)
		return
	}
	s.recordNews(e, 0)
	s.progress()
}

// progress tells the schedule how far the peer is.
func (s *session) progress() {
	s.timers.first = min(s.timers.first, s.now)
	if s.sized() {
		s.link.contact.Progress.set(s.set.Count())
		s.hurry()
	}
}

// recordNews records a message with content. A peer that sends more than a download can bring is not read for a while.
func (s *session) recordNews(e events.Event, stored int) events.Seq {
	s.counters.longestContentWait = max(s.counters.longestContentWait, s.now-s.timers.content)
	s.timers.content = s.now
	seq := s.append(s.at, e)
	if paid := s.news.overdraw(s.newsRate(), s.now, cost(stored)); paid > s.now {
		if !s.slowed {
			s.slowed = true
			s.limit(events.LimitAvailabilityRate, limitValue{s.counters.received, uint64(s.newsRate().burst)})
		}
		s.timers.paused = paid
	}
	return seq
}

// newsRate lets every piece come once, at any speed.
func (s *session) newsRate() rate {
	r := newsRate
	if s.sized() {
		r.burst += int64(s.set.Size())
	} else {
		r.burst += unknownPieces
	}
	return r
}

// record records a message without content, unless there are too many. Then it is counted, and seq is 0.
func (s *session) record(m message, e events.Event, stored int) (seq events.Seq) {
	if s.idle.take(idleRate, s.now, cost(stored)) {
		return s.append(s.at, e)
	}
	if !s.announced {
		s.announced = true
		s.limit(events.LimitMessageRate, limitValue{s.counters.received, uint64(idleRate.burst)})
	}
	s.unstored.add(m, s.at)
	s.timers.flush = min(s.timers.flush, s.now+flushInterval)
	return 0
}

// flush records what was only counted.
func (s *session) flush() {
	for _, x := range s.unstored {
		s.append(s.at, &events.MessagesSuppressed{Session: s.number, Message: x.kind, Count: x.count, Bytes: x.bytes, Since: x.since})
	}
	s.unstored, s.timers.flush = s.unstored[:0], never
}

// limitValue is what was counted, or claimed, and its bound.
type limitValue struct{ value, bound uint64 }

func (s *session) limit(limit events.Limit, v limitValue) {
	s.append(s.at, &events.LimitReached{Session: s.number, Torrent: s.torrent().Number, Limit: limit, Value: v.value, Bound: v.bound})
}

// countMessages ends a visit that has brought more messages than are taken.
func (s *session) countMessages() {
	most := uint64(s.torrent().MaxMessages)
	if s.observer.Visit && most > 0 && s.counters.received >= most {
		s.limit(events.LimitMessages, limitValue{s.counters.received, most})
		s.leave(events.ReasonLimitExceeded)
	}
}
