package main

import (
	"fmt"
	"strings"

	"btda/events"
	"btda/recorder"
)

// Bounds of what is shown of trackers that fail.
const (
	maxFailures   = 3
	maxTrackerURL = 60 // columns
	maxWords      = 60 // of a tracker, in columns
)

// trackersLines tells on lines of their own which trackers fail and why; there are none where none fails.
func trackersLines(s recorder.TrackersSnapshot) (lines []string) {
	if s.Failing == 0 {
		return nil
	}
	lines = append(lines, failingTrackers(s))
	for _, f := range trackerFailures(s) {
		lines = append(lines, "  "+f)
	}
	return lines
}

// trackersLine tells the same on one line.
func trackersLine(s recorder.TrackersSnapshot) string {
	if s.Failing == 0 {
		return ""
	}
	return failingTrackers(s) + ": " + strings.Join(trackerFailures(s), "; ")
}

func failingTrackers(s recorder.TrackersSnapshot) string {
	return fmt.Sprintf("trackers that fail: %d of %d", s.Failing, s.Asked)
}

func trackerFailures(s recorder.TrackersSnapshot) (texts []string) {
	for _, f := range s.Failures[:min(len(s.Failures), maxFailures)] {
		text := fit(printable(f.Tracker), maxTrackerURL) + ": " + whyFailing(f)
		if f.Torrents > 1 {
			text += fmt.Sprintf(", for %d torrents", f.Torrents)
		}
		texts = append(texts, text)
	}
	if len(s.Failures) > maxFailures {
		texts = append(texts, "and more, see the text log")
	}
	return texts
}

// whyFailing tells why a tracker fails. Its own words may be anything.
func whyFailing(f recorder.FailingTracker) string {
	words := fit(printable(f.Text), maxWords)
	switch {
	case f.Reason == events.ReasonTrackerFailure:
		return fmt.Sprintf("it says %q", words)
	case f.Reason == events.ReasonHTTPStatus:
		return fmt.Sprintf("HTTP status %d", f.HTTPStatus)
	case words != "":
		return fmt.Sprintf("%v, %s", f.Reason, words)
	}
	return f.Reason.String()
}
