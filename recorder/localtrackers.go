package recorder

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"btda/events"
	"btda/recorder/tracker"
)

// localInterval is between two searches for trackers of our network: addresses and the DNS change seldom.
const localInterval = time.Hour

// findLocalTrackers looks for trackers of our network (BEP 22) now and then, until ctx is done.
func (r *run) findLocalTrackers(ctx context.Context) {
	for ctx.Err() == nil {
		for _, address := range r.searchableAddresses() {
			urls, err := tracker.FindLocal(ctx, r.deps.Resolver, address)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				r.deps.Logger.Info("no local trackers", "address", address, "reason", err)
			case len(urls) > 0:
				r.nameLocalTrackers(urls)
			}
		}
		pause(ctx, localInterval)
	}
}

// searchableAddresses are our own, each once, but for those that have a meaning on one link only.
func (r *run) searchableAddresses() (list []netip.Addr) {
	for _, a := range r.own {
		if ip := a.Addr().Unmap(); a.Scope != events.ScopeLinkLocal && !slices.Contains(list, ip) {
			list = append(list, ip)
		}
	}
	return list
}

// nameLocalTrackers records trackers of our network for each torrent that is not private, and follows them.
func (r *run) nameLocalTrackers(urls []string) {
	for _, t := range r.torrents {
		if r.book.private(t.TorrentNumber) {
			continue // BEP 22 and 27
		}
		r.intake.append(&events.TrackersExchanged{Torrent: t.TorrentNumber, Trackers: urls})
		r.follower.name(namedTrackers{t.TorrentNumber, events.ScopeLoopback, urls})
	}
}
