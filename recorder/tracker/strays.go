package tracker

import (
	"net/netip"

	"btda/events"
	"btda/recorder/netfail"
)

// strays are the datagrams that came to a socket and were not used: one entry for each reason, in the order in which they came first.
type strays []stray

type stray struct {
	from   netip.AddrPort // of the first
	reason events.Reason
	count  uint64
	bytes  uint64
	since  events.Time
	first  []byte // at most maxKept bytes
}

// letter is a datagram as it came.
type letter struct {
	from   netip.AddrPort
	at     events.Time
	packet []byte
}

// add counts a datagram that was not used, and why.
func (s *strays) add(l letter, why error) {
	reason, _ := netfail.Classify(why)
	for i := range *s {
		if known := &(*s)[i]; known.reason == reason {
			known.count++
			known.bytes += uint64(len(l.packet))
			return
		}
	}
	first := append([]byte(nil), l.packet[:min(len(l.packet), maxKept)]...)
	*s = append(*s, stray{from: l.from, reason: reason, count: 1, bytes: uint64(len(l.packet)), since: l.at, first: first})
}

// facts are what the log keeps of them.
func (x exchange) facts(to announced) []*events.TrackerAnswersIgnored {
	var facts []*events.TrackerAnswersIgnored
	for _, s := range x.strays {
		facts = append(facts, &events.TrackerAnswersIgnored{
			Torrent: to.Torrent, Tracker: to.tracker, Remote: x.remote, From: events.AddressOf(s.from), Reason: s.reason,
			Count: s.count, Bytes: s.bytes, Since: s.since, Answer: s.first,
		})
	}
	return facts
}
