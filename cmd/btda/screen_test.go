package main

import (
	"bytes"
	"fmt"
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
			Number: events.TorrentNumber(i + 1), Name: name, Counts: swarm.Counts{Known: 10 * (i + 1), Active: i, Finished: 1},
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
