package recorder

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"

	"btda/events"
	"btda/recorder/swarm"
)

// Bounds of what torrents may make us keep. A peer takes about 100 bytes.
const (
	maxKnownPeers        = 1 << 20 // of one torrent
	maxAllPeers          = 1 << 21 // of all
	maxRejectedAddresses = 10_000  // of one torrent
)

// intake takes in the addresses that sources name: those that may be dialled go to the schedule, the others become facts.
type intake struct {
	log      events.Appender
	rules    rules
	schedule *dispatcher // nil when no peer is to be contacted
	logger   *slog.Logger

	mu       sync.Mutex
	torrents map[events.TorrentNumber]*torrentIntake
}

type torrentIntake struct {
	rejected map[netip.AddrPort]bool // whose AddressRejected was appended
	limits   map[events.Limit]bool   // whose LimitReached was appended
}

// named is what a source says: peers of a torrent, from a place of some scope.
type named struct {
	torrent events.TorrentNumber
	source  events.Source
	from    events.Scope
	peers   events.PeerList
	tracked bool // a tracker of the torrent says it, whose peers a private torrent may have (BEP 27)
}

// offer takes in what a source says, after the fact itself was appended.
func (i *intake) offer(n named) {
	good := i.sift(n)
	if i.schedule == nil || len(good) == 0 {
		return
	}
	i.offered(n, i.schedule.offer(offer{torrent: n.torrent, peers: good, tracked: n.tracked}))
}

// sift gives the addresses that may be dialled.
func (i *intake) sift(n named) (good []netip.AddrPort) {
	for a := range n.peers.All() {
		if reason := i.rules.judge(n.from, a); reason != 0 {
			i.reject(n, a, reason)
		} else {
			good = append(good, a.AddrPort)
		}
	}
	return good
}

// offered notes what came of an offer.
func (i *intake) offered(n named, offered swarm.Offered) {
	i.logger.Debug("peers named", "torrent", n.torrent, "source", n.source, "named", n.peers.Len(), "new", offered.New)
	if offered.Refused > 0 {
		bound := uint64(offered.Bound)
		i.limit(n.torrent, events.LimitReached{Limit: events.LimitKnownPeers, Value: bound + uint64(offered.Refused), Bound: bound})
	}
}

// reject appends that an address will not be dialled, once for the address and torrent.
func (i *intake) reject(n named, a events.Address, reason events.Reason) {
	switch i.note(n.torrent, a.AddrPort) {
	case noteNew:
		i.append(&events.AddressRejected{Torrent: n.torrent, Source: n.source, Address: a, Reason: reason})
	case noteFull:
		i.limit(n.torrent, events.LimitReached{Limit: events.LimitRejectedAddresses, Value: maxRejectedAddresses + 1, Bound: maxRejectedAddresses})
	}
}

// noted is what became of a note of a rejected address.
type noted int

const (
	noteKnown noted = iota
	noteNew
	noteFull
)

func (i *intake) note(t events.TorrentNumber, a netip.AddrPort) noted {
	i.mu.Lock()
	defer i.mu.Unlock()
	rejected := i.of(t).rejected
	switch {
	case rejected[a]:
		return noteKnown
	case len(rejected) >= maxRejectedAddresses:
		return noteFull
	}
	rejected[a] = true
	return noteNew
}

// of gives the notes of a torrent. The caller holds mu.
func (i *intake) of(t events.TorrentNumber) *torrentIntake {
	notes := i.torrents[t]
	if notes == nil {
		notes = &torrentIntake{rejected: make(map[netip.AddrPort]bool), limits: make(map[events.Limit]bool)}
		if i.torrents == nil {
			i.torrents = make(map[events.TorrentNumber]*torrentIntake)
		}
		i.torrents[t] = notes
	}
	return notes
}

// limit appends that a torrent reached a bound, once for the bound.
func (i *intake) limit(t events.TorrentNumber, reached events.LimitReached) {
	i.mu.Lock()
	limits := i.of(t).limits
	again := limits[reached.Limit]
	limits[reached.Limit] = true
	i.mu.Unlock()
	if again {
		return
	}
	i.logger.Warn("a torrent reached a bound", "torrent", t, "limit", reached.Limit, "bound", reached.Bound)
	reached.Torrent = t
	i.append(&reached)
}

// append leaves a failure of the log to the owner of the log, who watches it.
func (i *intake) append(e events.Event) {
	_, _ = i.log.Append(context.Background(), i.log.Now(), e)
}
