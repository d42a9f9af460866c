package recorder

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"btda/events"
	"btda/recorder/tracker"
)

// maxTrackers bounds the trackers of one torrent that are asked.
const maxTrackers = 100

// trackersOf lists the trackers of all tiers, each once.
func (r *run) trackersOf(t torrent) []string {
	var list []string
	seen := make(map[string]bool)
	for _, tier := range t.Tiers {
		for _, url := range tier {
			if !seen[url] {
				seen[url] = true
				list = append(list, url)
			}
		}
	}
	if len(list) > maxTrackers {
		r.intake.limit(t.TorrentNumber, events.LimitReached{Limit: events.LimitTrackers, Value: uint64(len(list)), Bound: maxTrackers})
		list = list[:maxTrackers]
	}
	return list
}

// adviseSources names the torrents of which nobody can tell a peer, and to whom nobody can tell of us.
func (r *Recorder) adviseSources() {
	const most = 3
	var names []string
	unknown := 0
	if r.settings.Continue != "" { // the earlier run has peers of them
		return
	}
	for _, t := range r.torrents {
		if len(t.Tiers) > 0 || len(t.Peers) > 0 || (r.settings.DHT || r.settings.LocalTrackers) && !t.Metadata.Private {
			continue
		}
		if unknown++; unknown <= most {
			names = append(names, fmt.Sprintf("%.40s", cmp.Or(t.DisplayName, t.InfoHash.String())))
		}
	}
	if unknown > most {
		names = append(names, fmt.Sprintf("and %d more", unknown-most))
	}
	if unknown > 0 {
		r.advise(fmt.Sprintf("nobody can be asked for peers of %s: no tracker is named there; ask the DHT with --dht, or, of a private torrent, take a file that has its tracker",
			strings.Join(names, ", ")))
	}
}

// unknownSize is what is taken for the size of a torrent whose metadata is not known, in bytes: who has nothing left counts as a seed.
const unknownSize = 1 << 20

// announcedSizes is what trackers are told now.
func (r *run) announcedSizes(number events.TorrentNumber) tracker.Sizes {
	size := r.book.of(number).metadata.TotalLength
	if size == 0 {
		size = unknownSize
	}
	s := &r.settings
	return tracker.Sizes{Downloaded: s.AnnounceDownloaded.FloorOf(size), Left: s.AnnounceLeft.FloorOf(size), Uploaded: s.AnnounceUploaded.FloorOf(size)}
}

// startAnnouncer asks one tracker about one torrent until ctx is done.
func (r *run) startAnnouncer(ctx context.Context, asked inquiry) {
	t := r.torrents[asked.torrent-1]
	announcer := &tracker.Announcer{
		Client: r.client, Log: r.gate, Tracker: asked.url, Interval: r.settings.TrackerInterval, Hurry: r.hurry,
		Text:    r.deps.Logger,
		Jitter:  func(longest time.Duration) time.Duration { return rand.N(longest + 1) },
		Request: tracker.Request{Torrent: t.TorrentNumber, InfoHash: t.InfoHash}, Sizes: func() tracker.Sizes { return r.announcedSizes(t.TorrentNumber) },
		Offer: func(torrent events.TorrentNumber, source events.Source, from events.Scope, peers events.PeerList) {
			r.intake.offer(named{torrent: torrent, source: source, from: from, peers: peers, tracked: asked.own})
		},
		Outcome: func(over tracker.Family, failure *events.TrackerAnnounceFailed) {
			r.standings.note(asked, over, failure)
		},
	}
	r.sourcesLeft.Add(1)
	r.sources.Go(func() {
		defer r.sourcesLeft.Add(-1)
		_ = announcer.Run(ctx) // its error is the log's, which Run watches
		if !asked.own && r.book.private(asked.torrent) {
			r.standings.forget(asked)
		}
	})
}

// newFollower gives the follower of trackers that are named while the recording runs; nil where there is none.
func (r *run) newFollower() *follower {
	if !r.settings.FollowExchangedTrackers && !r.settings.LocalTrackers {
		return nil
	}
	f := newFollower()
	f.mayAsk = r.rules.mayAsk
	f.full = func(t events.TorrentNumber) {
		r.intake.limit(t, events.LimitReached{Limit: events.LimitTrackers, Value: maxTrackers + 1, Bound: maxTrackers})
	}
	for _, t := range r.torrents {
		if !t.Metadata.Private { // BEP 27
			f.knows(t.TorrentNumber, r.trackersOf(t))
		}
	}
	return f
}

// follow asks the trackers that the follower is told of, until ctx is done.
func (r *run) follow(ctx context.Context) {
	if r.follower == nil {
		return
	}
	r.sources.Go(func() {
		r.follower.run(ctx, func(next inquiry) {
			if open := r.privacy.until(next.torrent); open.Err() == nil {
				r.deps.Logger.Info("following a tracker", "torrent", next.torrent, "tracker", events.MaskTracker(next.url))
				r.startAnnouncer(open, next)
			}
		})
	})
	if r.settings.LocalTrackers {
		r.sources.Go(func() { r.findLocalTrackers(ctx) })
	}
}
