package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/recorder"
	"btda/recorder/swarm"
)

func testSnapshot(names ...string) recorder.Snapshot {
	s := recorder.Snapshot{Elapsed: 2*time.Hour + 300*time.Millisecond, Appended: 1234, LogSize: 3 << 20, Incoming: 4, Total: swarm.Counts{Known: 60, Active: 6, Finished: 1}}
	for i, name := range names {
		s.Torrents = append(s.Torrents, recorder.TorrentSnapshot{
			Number: events.TorrentNumber(i + 1), Name: name, MetadataKnown: true, Counts: swarm.Counts{Known: 10 * (i + 1), Active: i, Finished: 1},
		})
	}
	return s
}

func TestEveryTorrentHasALine(t *testing.T) {
	got := strings.Join(screenLines(testSnapshot("cats", "dogs and \x1b[2Jmore", "猫"), 24), "\n")
	want := `2h0m0s  3 torrents, 1234 events, log 3.0M, 1.5M an hour, 6 sessions, 4 incoming
  cats                    10 known       0 in contact        1 left for good
  dogs and ?[2Jmore       20 known       1 in contact        1 left for good
  猫                      30 known       2 in contact        1 left for good`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOnlyTheBusiestTorrentsAreShownWhereThereIsNoRoom(t *testing.T) {
	lines := screenLines(testSnapshot("a", "b", "c", "d", "e"), 4)
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "  d ") || !strings.HasPrefix(lines[2], "  e ") || lines[3] != "  and 3 more" {
		t.Errorf("lines\n%s", strings.Join(lines, "\n"))
	}
	for _, rows := range []int{-1, 0, 1, 2, 3, 6, 100} {
		if lines := screenLines(testSnapshot("a", "b", "c", "d", "e"), rows); rows > 2 && len(lines) > rows || len(lines) < 3 {
			t.Errorf("%d lines for %d rows", len(lines), rows)
		}
	}
}

func TestWhatIsWrittenGoesAboveTheLines(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, size: func() screenSize { return screenSize{columns: 8, rows: 24} }}
	s.show([]string{"one", "a long line"})
	fmt.Fprintln(s, "message")
	s.show([]string{"two"})
	want := "one\na long…\n" + "\r\x1b[2A\x1b[J" + "message\none\na long…\n" + "\r\x1b[2A\x1b[J" + "two\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestFit(t *testing.T) {
	for text, want := range map[string]string{"": "", "abcdef": "abcdef", "abcdefg": "abcde…", "猫猫猫": "猫猫猫", "猫猫猫猫": "猫猫…", "a猫猫猫猫": "a猫猫…"} {
		if got := fit(text, 6); got != want || widthOf(got) > 6 {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := fit("abcdef", 0); got != "abcdef" {
		t.Errorf("%q where the width is not known", got)
	}
}

func TestAPlainLineSaysHowTheLogGrows(t *testing.T) {
	s := testSnapshot("cats")
	if got, want := progressLine(s), "peers: 60 known, 6 in contact, 4 connected to us, 1 left for good; 1234 events, log 3.0M, 1.5M an hour"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.Elapsed = 59 * time.Second
	if got := logSize(s); got != "log 3.0M" {
		t.Errorf("after less than a minute it says %q", got)
	}
}

func TestTorrentsWithoutMetadataAreShown(t *testing.T) {
	s := testSnapshot("cats", "dogs")
	s.Torrents[1].MetadataKnown = false
	if lines := screenLines(s, 24); strings.Contains(lines[1], "metadata") || !strings.HasSuffix(lines[2], "  no metadata yet") {
		t.Errorf("lines\n%s", strings.Join(lines, "\n"))
	}
	if line := progressLine(s); !strings.HasSuffix(line, "; no metadata yet of 1 torrent") {
		t.Errorf("line %q", line)
	}
}

func TestFailingTrackersAreShownWithTheReason(t *testing.T) {
	s := testSnapshot("cats", "dogs", "cows")
	if lines := trackersLines(s.Trackers); lines != nil || trackersLine(s.Trackers) != "" {
		t.Errorf("where none fails: %q, %q", lines, trackersLine(s.Trackers))
	}
	s.Trackers = recorder.TrackersSnapshot{Asked: 7, Failing: 4, Failures: []recorder.FailingTracker{
		{Tracker: "udp://a.example:80", Torrents: 3, Reason: events.ReasonTimeout},
		{Tracker: "http://b.example/announce", Torrents: 1, Reason: events.ReasonTrackerFailure, Text: "not \x1b[2J\"here\"" + strings.Repeat("!", 100)},
		{Tracker: "http://c.example/" + strings.Repeat("c", 100), Torrents: 1, Reason: events.ReasonHTTPStatus, HTTPStatus: 404},
		{Tracker: "http://d.example/announce", Torrents: 1, Reason: events.ReasonOther, Text: "odd"},
	}}
	want := []string{
		"trackers that fail: 4 of 7",
		"  udp://a.example:80: timeout, for 3 torrents",
		"  http://b.example/announce: it says \"not ?[2J\\\"here\\\"" + strings.Repeat("!", 45) + "…\"",
		"  http://c.example/" + strings.Repeat("c", 42) + "…: HTTP status 404",
		"  and more, see the text log",
	}
	if got := trackersLines(s.Trackers); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s.Trackers.Failures = s.Trackers.Failures[3:]
	if got, want := trackersLine(s.Trackers), "trackers that fail: 4 of 7: http://d.example/announce: other, odd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if lines := screenLines(s, 5); len(lines) != 5 || lines[3] != "trackers that fail: 4 of 7" || lines[2] != "  and 2 more" {
		t.Errorf("on a screen of 5 rows:\n%s", strings.Join(lines, "\n"))
	}
}

// A plain line comes when it has changed.
func TestPlainLinesComeWhenTheyChange(t *testing.T) {
	var out bytes.Buffer
	show := newProgress(&out).lineShower()
	s := testSnapshot("cats")
	show(s)
	s.Elapsed += time.Second
	show(s)
	before := out.Len()
	failing := recorder.TrackersSnapshot{Asked: 1, Failing: 1, Failures: []recorder.FailingTracker{{Tracker: "udp://a.example:80", Torrents: 1, Reason: events.ReasonRefused}}}
	for _, s.Trackers = range []recorder.TrackersSnapshot{failing, failing, {Asked: 1}, failing} {
		show(s)
	}
	got := strings.Count(out.String()[before:], "trackers that fail: 1 of 1: udp://a.example:80: refused\n")
	if lines := strings.Count(out.String()[:before], "\n"); lines != 1 || got != 2 {
		t.Errorf("%d lines at first, want 1, then the tracker %d times, want 2:\n%s", lines, got, out.String())
	}
}
