package recorder

import (
	"net/netip"

	"btda/events"
	"btda/recorder/swarm"
)

// Known is what an earlier run knew of a peer.
type Known struct {
	InfoHash  events.InfoHash
	Address   netip.AddrPort
	Complete  bool // it is left alone
	ByTracker bool // a tracker had named it
}

// knownPerEvent is how many peers of an earlier run one event names at the most.
const knownPerEvent = 1000

// offerKnown offers what an earlier run knew, in its order, before any source names the same peers. Of a private torrent only its trackers may
// name peers (BEP 27). Which addresses may be dialled the rules of this run say, not those of the earlier one.
func (r *run) offerKnown() {
	lists := map[events.TorrentNumber][2][]named{}
	for _, k := range r.deps.Known {
		number, observed := r.book.numbers[k.InfoHash]
		if !observed || r.book.private(number) && !k.ByTracker {
			continue
		}
		both, part := lists[number], 0
		if k.Complete {
			part = 1
		}
		list := both[part]
		if len(list) == 0 || list[len(list)-1].peers.Len() == knownPerEvent {
			list = append(list, named{torrent: number, source: events.SourceEarlierRun, from: events.ScopeLoopback, tracked: r.book.private(number)})
		}
		list[len(list)-1].peers.Append(k.Address)
		both[part] = list
		lists[number] = both
	}
	for _, t := range r.torrents {
		for _, n := range lists[t.TorrentNumber][1] {
			r.nameKnown(n, r.leaveAlone)
		}
		for _, n := range lists[t.TorrentNumber][0] {
			r.nameKnown(n, r.intake.offer)
		}
	}
}

// nameKnown appends that peers were known, and then does something with them.
func (r *run) nameKnown(n named, use func(named)) {
	r.intake.append(&events.PeersNamed{Torrent: n.torrent, Source: n.source, Peers: n.peers})
	use(n)
}

// leaveAlone tells the schedule of peers that are complete.
func (r *run) leaveAlone(n named) {
	if r.intake.schedule == nil {
		return
	}
	var offered swarm.Offered
	good := r.intake.sift(n)
	r.dispatcher.look(func(s *swarm.Schedule) { offered = s.LeaveAlone(n.torrent, good...) })
	r.intake.offered(n, offered)
}
