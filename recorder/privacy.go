package recorder

import (
	"context"
	"fmt"

	"btda/events"
	"btda/recorder/swarm"
)

// privacy ends what a private torrent must not have (BEP 27), where that is found out only when the metadata of a magnet link is known: the
// trackers that others than its link named are left at once, and no peer is contacted any more that none of its own trackers named. Sessions
// that are open go on: they were begun before it was known, and to end them would take nothing back. The DHT, and exchanges with peers, ask
// the book each time.
type privacy struct {
	open map[events.TorrentNumber]openTime
}

// openTime is as long as a torrent is not known to be private.
type openTime struct {
	context.Context
	end context.CancelFunc
}

// newPrivacy prepares for all torrents, for the time until ctx is done.
func newPrivacy(ctx context.Context, torrents []torrent) *privacy {
	p := &privacy{open: make(map[events.TorrentNumber]openTime, len(torrents))}
	for _, t := range torrents {
		open, end := context.WithCancel(ctx)
		p.open[t.TorrentNumber] = openTime{open, end}
	}
	return p
}

// until is a context that is done when a torrent turns out to be private, or the recording stops.
func (p *privacy) until(number events.TorrentNumber) context.Context { return p.open[number].Context }

// closeToOthers leaves what a private torrent must not have. It may be called again.
func (r *run) closeToOthers(t torrent) {
	r.privacy.open[t.TorrentNumber].end()
	r.dispatcher.tell(func(s *swarm.Schedule) { s.Restrict(t.TorrentNumber) })
	if !t.MetadataKnown && len(t.Tiers) == 0 { // of a file New has told
		r.advise(fmt.Sprintf("%.40s is private, and its magnet link names no tracker: nobody else may be asked for peers; record a link or a file that has its tracker",
			r.book.of(t.TorrentNumber).name))
	}
}
