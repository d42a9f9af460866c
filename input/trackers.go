package input

import (
	"fmt"
	"strings"

	"btda/events"
	"btda/input/bencode"
)

// Bounds of what a .torrent file may say about trackers. Public lists have about a hundred.
const (
	maxTrackers   = 1000
	maxTrackerURL = 4096 // bytes
)

// readTrackers gives the tiers of announce-list (BEP 12), or the one tracker of announce where that list has none.
func readTrackers(file bencode.Value) ([]events.TrackerTier, error) {
	r := trackerReader{seen: make(map[string]bool)}
	list := file.Get("announce-list")
	if list != nil && !list.IsList() {
		return nil, fmt.Errorf("announce-list: want a list, got %.40q", []byte(list))
	}
	for tier := range list.List() {
		if err := r.readTier(tier); err != nil {
			return nil, fmt.Errorf("announce-list: %w", err)
		}
	}
	if announce := file.Get("announce"); announce != nil && len(r.tiers) == 0 {
		if err := r.readTier(announce); err != nil {
			return nil, fmt.Errorf("announce: %w", err)
		}
	}
	return r.tiers, nil
}

type trackerReader struct {
	tiers []events.TrackerTier
	seen  map[string]bool
}

// readTier adds the trackers of a tier. A string is taken as a tier of one: some makers write it so.
func (r *trackerReader) readTier(tier bencode.Value) error {
	entries := tier.List()
	if !tier.IsList() {
		entries = func(yield func(bencode.Value) bool) { yield(tier) }
	}
	var urls []string
	for entry := range entries {
		text, ok := entry.Text()
		if !ok {
			return fmt.Errorf("want the URL of a tracker, got %.40q", []byte(entry))
		}
		if urls = append(urls, string(text)); len(urls) > maxTrackers {
			return fmt.Errorf("more than %d trackers", maxTrackers)
		}
	}
	return r.addTier(urls...)
}

// addTier adds the trackers of a tier that no tier before had.
func (r *trackerReader) addTier(urls ...string) error {
	var added events.TrackerTier
	for _, url := range urls {
		if len(url) > maxTrackerURL {
			return fmt.Errorf("the URL of a tracker has %d bytes, more than %d", len(url), maxTrackerURL)
		}
		if url = strings.TrimSpace(url); url != "" && !r.seen[url] {
			r.seen[url] = true
			added = append(added, url)
		}
	}
	if len(r.seen) > maxTrackers {
		return fmt.Errorf("more than %d trackers", maxTrackers)
	}
	if len(added) > 0 {
		r.tiers = append(r.tiers, added)
	}
	return nil
}
