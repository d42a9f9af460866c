package projections

import (
	"strings"

	"btda/events"
)

// trackerIndex numbers announce URLs from 0.
type trackerIndex uint32

const noTracker = ^trackerIndex(0)

// trackers gives every announce URL a number, so that rows need not hold it.
type trackers struct {
	urls   []string
	masked []string
	byURL  map[string]trackerIndex
	byName map[string]trackerIndex // the first of those that look the same once masked
}

func newTrackers() *trackers {
	return &trackers{byURL: map[string]trackerIndex{}, byName: map[string]trackerIndex{}}
}

func (t *trackers) index(url string) trackerIndex {
	if i, ok := t.byURL[url]; ok {
		return i
	}
	i := trackerIndex(len(t.urls))
	t.urls = append(t.urls, strings.Clone(url))
	t.masked = append(t.masked, events.MaskTracker(url))
	t.byURL[t.urls[i]] = i
	if _, ok := t.byName[t.masked[i]]; !ok {
		t.byName[t.masked[i]] = i
	}
	return i
}

// shown gives the tracker under whose number all are counted that look the same once their passkeys are masked.
func (t *trackers) shown(i trackerIndex) trackerIndex {
	if i == noTracker {
		return noTracker
	}
	return t.byName[t.masked[i]]
}

// name gives the URL with its passkeys masked.
func (t *trackers) name(i trackerIndex) Value {
	if i == noTracker {
		return Value{}
	}
	return text(t.masked[i])
}
