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
		if err := r.addTier(tier); err != nil {
			return nil, fmt.Errorf("announce-list: %w", err)
		}
	}
	if announce := file.Get("announce"); announce != nil && len(r.tiers) == 0 {
		if err := r.addTier(announce); err != nil {
			return nil, fmt.Errorf("announce: %w", err)
		}
	}
	return r.tiers, nil
}

type trackerReader struct {
	tiers []events.TrackerTier
	seen  map[string]bool
}

// addTier adds the trackers of a tier that no tier before had. A string is taken as a tier of one: some makers write it so.
func (r *trackerReader) addTier(tier bencode.Value) error {
	var added events.TrackerTier
	entries := tier.List()
	if !tier.IsList() {
		entries = func(yield func(bencode.Value) bool) { yield(tier) }
	}
	for entry := range entries {
		url, err := r.url(entry)
		if err != nil {
			return err
		}
		if url != "" && !r.seen[url] {
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

func (r *trackerReader) url(entry bencode.Value) (string, error) {
	text, ok := entry.Text()
	if !ok {
		return "", fmt.Errorf("want the URL of a tracker, got %.40q", []byte(entry))
	}
	if len(text) > maxTrackerURL {
		return "", fmt.Errorf("the URL of a tracker has %d bytes, more than %d", len(text), maxTrackerURL)
	}
	return strings.TrimSpace(string(text)), nil
}
