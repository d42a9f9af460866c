package recorder

import (
	"btda/events"
)

// hearsay takes what peers say of others (session.Hearsay): peers go to the schedule, trackers to the follower.
type hearsay struct {
	intake   *intake
	follower *follower // nil where trackers that peers name are recorded only
}

func (r *run) newHearsay() hearsay {
	h := hearsay{intake: r.intake}
	if r.settings.FollowExchangedTrackers {
		h.follower = r.follower
	}
	return h
}

// Peers offers peers that a peer named.
func (h hearsay) Peers(torrent events.TorrentNumber, from events.Scope, peers events.PeerList) {
	h.intake.offer(named{torrent: torrent, source: events.SourcePeerExchange, from: from, peers: peers})
}

// Trackers follows trackers that a peer named.
func (h hearsay) Trackers(torrent events.TorrentNumber, from events.Scope, urls []string) {
	if h.follower != nil {
		h.follower.name(namedTrackers{torrent, from, urls})
	}
}
