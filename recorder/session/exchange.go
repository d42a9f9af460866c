package session

import (
	"time"

	"btda/events"
	"btda/recorder/wire"
)

// Hearsay takes what peers say of others. Its methods are called after the fact was appended, by the goroutines of sessions, and must not
// wait for one. What they are given must not change.
type Hearsay interface {
	// Peers are named by a peer in PEX (BEP 11).
	Peers(torrent events.TorrentNumber, from events.Scope, peers events.PeerList)
	// Trackers are named by a peer in tracker exchange (BEP 28): URLs as the peer wrote them.
	Trackers(torrent events.TorrentNumber, from events.Scope, urls []string)
}

// Bounds of what one peer may name.
const (
	// maxExchangedPeers is of each list of one message. BEP 11 allows for 50, but for the first message.
	maxExchangedPeers = 100
	// maxExchangedTrackers is of one message.
	maxExchangedTrackers = 100
	// maxTrackerURL is in bytes.
	maxTrackerURL = 2 << 10
)

// exchangeRate is for messages of each exchange. BEP 11 allows for one a minute; one more is for a clock that runs fast.
var exchangeRate = rate{interval: time.Minute, burst: 2}

// exchanges is what became of the messages in which a peer names others.
type exchanges struct {
	peers, trackers budget
	limits          uint32 // that were recorded, as bits: one event a session and limit
}

// receivePeerExchange takes in a message of PEX (BEP 11). One that was not asked for, that is no such message or that comes too soon is
// recorded by kind and length.
func (s *session) receivePeerExchange(m message) {
	if !s.mayExchange(&s.exchanges.peers) {
		s.receiveOther(m)
		return
	}
	exchange, err := wire.ParsePeerExchange(m.payload)
	named := max(exchange.Added.Len(), exchange.Dropped.Len())
	if m.Payload() > len(m.payload) {
		named = m.Payload() / events.CompactSize4 // as many as it may have room for
	}
	if named > maxExchangedPeers {
		s.limitExchange(events.LimitExchangedPeers, limitValue{uint64(named), maxExchangedPeers})
		exchange.Cut(maxExchangedPeers)
	}
	if err != nil {
		s.receiveOther(m)
		return
	}
	s.append(s.at, &events.PeersExchanged{Session: s.number, Added: exchange.Added, Flags: exchange.Flags, Dropped: exchange.Dropped})
	if s.observer.Hearsay != nil && exchange.Added.Len() > 0 {
		s.observer.Hearsay.Peers(s.torrent().Number, s.scope(), exchange.Added)
	}
}

// receiveTrackerExchange takes in a message of tracker exchange (BEP 28), as receivePeerExchange does one of PEX.
func (s *session) receiveTrackerExchange(m message) {
	if !s.mayExchange(&s.exchanges.trackers) || m.Payload() > len(m.payload) {
		s.receiveOther(m)
		return
	}
	added, err := wire.ParseTrackerExchange(m.payload)
	if err != nil || longest(added) > maxTrackerURL {
		s.receiveOther(m)
		return
	}
	if len(added) > maxExchangedTrackers {
		s.limitExchange(events.LimitTrackers, limitValue{uint64(len(added)), maxExchangedTrackers})
		added = added[:maxExchangedTrackers]
	}
	s.append(s.at, &events.TrackersExchanged{Torrent: s.torrent().Number, Session: s.number, Trackers: added})
	if s.observer.Hearsay != nil && len(added) > 0 {
		s.observer.Hearsay.Trackers(s.torrent().Number, s.scope(), added)
	}
}

// mayExchange tells whether an exchange was offered to the peer, and whether it keeps to the rate.
func (s *session) mayExchange(used *budget) bool {
	if s.private() {
		return false
	}
	if !used.take(exchangeRate, s.now, 1) {
		s.limitExchange(events.LimitExchangeRate, limitValue{uint64(exchangeRate.burst) + 1, uint64(exchangeRate.burst)})
		return false
	}
	return true
}

// private tells whether the torrent is known to be private (BEP 27): as soon as its metadata is known, by whichever session it came.
func (s *session) private() bool {
	if s.fetching() {
		known := s.fetch.Known()
		return known != nil && known.Private
	}
	return s.torrent().Private
}

// limitExchange records once that a bound of what a peer may name was reached.
func (s *session) limitExchange(limit events.Limit, v limitValue) {
	if bit := uint32(1) << limit; s.exchanges.limits&bit == 0 {
		s.exchanges.limits |= bit
		s.limit(limit, v)
	}
}

// scope is that of the peer's address.
func (s *session) scope() events.Scope { return events.ScopeOf(s.link.contact.Address.Addr()) }

func longest(texts []string) (length int) {
	for _, t := range texts {
		length = max(length, len(t))
	}
	return length
}
