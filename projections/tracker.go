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
}

func (t *trackers) index(url string) trackerIndex {
	if i, ok := t.byURL[url]; ok {
		return i
	}
	i := trackerIndex(len(t.urls))
	t.urls = append(t.urls, strings.Clone(url))
	t.masked = append(t.masked, events.MaskTracker(url))
	t.byURL[t.urls[i]] = i
	return i
}

// name gives the URL with its passkeys masked.
func (t *trackers) name(i trackerIndex) Value {
	if i == noTracker {
		return Value{}
	}
	return text(t.masked[i])
}
