package recorder

import (
	"cmp"
	"slices"
	"sync"

	"btda/events"
	"btda/recorder/tracker"
)

// TrackersSnapshot tells how asking the trackers of all torrents went the last time.
type TrackersSnapshot struct {
	Asked    int              // trackers, as far as something has come of asking them
	Failing  int              // of these, for one torrent at least, over all families
	Failures []FailingTracker // at most maxShownFailures, those for the most torrents first
}

// FailingTracker is a tracker that failed the last time, in one way.
type FailingTracker struct {
	Tracker    string // announce URL, with secrets masked
	Torrents   int    // for which it failed so
	Reason     events.Reason
	HTTPStatus int    // 0 is none
	Text       string // more about the reason, some of it in the words of the tracker
}

// maxShownFailures bounds those of one snapshot.
const maxShownFailures = 10

// standings knows of each tracker of each torrent how asking it went the last time, for the terminal. It is safe for use by many goroutines.
type standings struct {
	mu sync.Mutex
	of map[inquiry]*standing
}

// standing is how asking one tracker about one torrent went the last time, over each family.
type standing struct {
	answered [tracker.IPv6 + 1]bool
	failure  *events.TrackerAnnounceFailed // the last; nil while there was none
}

func newStandings() *standings { return &standings{of: make(map[inquiry]*standing)} }

// note takes in how asking went; failure is nil where the tracker answered.
func (s *standings) note(asked inquiry, over tracker.Family, failure *events.TrackerAnnounceFailed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.of[asked]
	if known == nil {
		known = new(standing)
		s.of[asked] = known
	}
	known.answered[over] = failure == nil
	if failure != nil {
		known.failure = failure
	}
}

// forget drops what is known of a tracker that is not asked any more.
func (s *standings) forget(asked inquiry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, asked)
}

func (s *standing) failing() bool { return !slices.Contains(s.answered[:], true) }

// snapshot tells how asking all trackers went.
func (s *standings) snapshot() TrackersSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	trackers, failures := make(map[string]bool), make(map[FailingTracker]int)
	var shown TrackersSnapshot
	for asked, known := range s.of {
		failing := known.failing()
		trackers[asked.url] = trackers[asked.url] || failing
		if failing {
			f := known.failure
			failures[FailingTracker{Tracker: events.MaskTracker(asked.url), Reason: f.Reason, HTTPStatus: int(f.HTTPStatus), Text: f.Text}]++
		}
	}
	for _, failing := range trackers {
		shown.Asked++
		if failing {
			shown.Failing++
		}
	}
	for f, torrents := range failures {
		f.Torrents = torrents
		shown.Failures = append(shown.Failures, f)
	}
	slices.SortFunc(shown.Failures, FailingTracker.compare)
	shown.Failures = shown.Failures[:min(len(shown.Failures), maxShownFailures)]
	return shown
}

func (f FailingTracker) compare(o FailingTracker) int {
	return cmp.Or(cmp.Compare(o.Torrents, f.Torrents), cmp.Compare(f.Tracker, o.Tracker), cmp.Compare(f.Reason, o.Reason),
		cmp.Compare(f.HTTPStatus, o.HTTPStatus), cmp.Compare(f.Text, o.Text))
}
