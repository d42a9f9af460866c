package recorder

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"sync"

	"btda/events"
)

// follower asks trackers that are named while a recording runs, each once for a torrent. As many are taken as a torrent may have at all.
type follower struct {
	mayAsk func(from events.Scope, tracker *url.URL) bool
	full   func(torrent events.TorrentNumber) // called for every tracker that is one too many

	mu    sync.Mutex
	known map[events.TorrentNumber]map[string]bool
	queue []inquiry
	wake  chan struct{} // holds one when the queue has something
}

// namedTrackers are trackers of a torrent, named from a place of some scope.
type namedTrackers struct {
	torrent events.TorrentNumber
	from    events.Scope
	urls    []string
}

// inquiry is a tracker that is to be asked about a torrent.
type inquiry struct {
	torrent events.TorrentNumber
	url     string
	own     bool // the torrent itself names the tracker
}

func newFollower() *follower {
	return &follower{known: make(map[events.TorrentNumber]map[string]bool), wake: make(chan struct{}, 1)}
}

// knows tells which trackers of a torrent are asked anyway.
func (f *follower) knows(torrent events.TorrentNumber, urls []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := make(map[string]bool, len(urls))
	for _, u := range urls {
		known[u] = true
	}
	f.known[torrent] = known
}

// name takes in trackers. It does not wait.
func (f *follower) name(n namedTrackers) {
	for _, text := range n.urls {
		tracker, err := url.Parse(text)
		if err == nil && f.mayAsk(n.from, tracker) && !f.enqueue(inquiry{torrent: n.torrent, url: text}) {
			f.full(n.torrent)
		}
	}
}

// enqueue puts a tracker into the queue if it is new, and reports whether there is room for it.
func (f *follower) enqueue(next inquiry) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.known[next.torrent]
	switch {
	case known[next.url]:
		return true
	case known == nil || len(known) >= maxTrackers:
		return known == nil // of a torrent that is not recorded nothing is followed
	}
	known[next.url] = true
	f.queue = append(f.queue, next)
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return true
}

// run starts to ask what is named, until ctx is done.
func (f *follower) run(ctx context.Context, start func(inquiry)) {
	for {
		select {
		case <-f.wake:
			for _, next := range f.take() {
				start(next)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (f *follower) take() []inquiry {
	f.mu.Lock()
	defer f.mu.Unlock()
	queue := f.queue
	f.queue = nil
	return queue
}

// trackerSchemes are those that can be asked.
var trackerSchemes = []string{"http", "https", "udp"}

// mayAsk tells whether a tracker that a place of some scope named may be asked: an address must be one that the place may name. A host name
// is looked up, and judged again, when it is asked.
func (r rules) mayAsk(from events.Scope, tracker *url.URL) bool {
	if !slices.Contains(trackerSchemes, tracker.Scheme) || tracker.Hostname() == "" {
		return false
	}
	ip, err := netip.ParseAddr(tracker.Hostname())
	if err != nil {
		return true
	}
	ip = ip.Unmap().WithZone("")
	return mayName(from, events.ScopeOf(ip)) && !r.excluded.contain(ip)
}
