package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"btda/recorder"
)

// Times between two looks at the state of a recording.
const (
	lineInterval   = 10 * time.Second
	screenInterval = time.Second
)

// progress shows the state of a recording or a replay: a terminal has a line for each torrent, renewed in place; else there is a plain line now and
// then. What is written to it meanwhile goes above these lines.
type progress struct {
	io.Writer
	screen  *screen // nil where there is no terminal
	showing sync.WaitGroup
	last    func() // shows the last state of a recording
}

func newProgress(out io.Writer) *progress {
	if _, ok := screenOf(out); !ok {
		return &progress{Writer: out}
	}
	s := &screen{out: out, size: func() screenSize { size, _ := screenOf(out); return size }}
	return &progress{Writer: s, screen: s}
}

// start shows the state until ctx is done. Wait waits for that.
func (p *progress) start(ctx context.Context, snapshot func() recorder.Snapshot) {
	interval, show := lineInterval, p.lineShower()
	if p.screen != nil {
		interval, show = screenInterval, p.redraw
	}
	p.every(ctx, interval, func() { show(snapshot()) })
	p.last = func() {
		if s := snapshot(); s.Appended > 0 {
			show(s)
		}
	}
}

// every shows something again and again until ctx is done.
func (p *progress) every(ctx context.Context, interval time.Duration, show func()) {
	p.showing.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				show()
			}
		}
	})
}

// Wait waits until nothing is shown any more. The last state stays on the terminal.
func (p *progress) Wait() { p.showing.Wait() }

// finish waits for the end, and shows the last state of the recording.
func (p *progress) finish() {
	p.Wait()
	p.last()
}

// lineShower writes lines when they have changed.
func (p *progress) lineShower() func(recorder.Snapshot) {
	var last, failing string
	return func(s recorder.Snapshot) {
		for _, l := range []struct {
			text string
			last *string
		}{{progressLine(s), &last}, {trackersLine(s.Trackers), &failing}} {
			if l.text != *l.last && l.text != "" {
				fmt.Fprintf(p, "%v %s\n", s.Elapsed.Truncate(time.Second), l.text)
			}
			*l.last = l.text
		}
	}
}

func progressLine(s recorder.Snapshot) string {
	text := fmt.Sprintf("peers: %d known, %d in contact, %d connected to us, %d left for good; %d events, %s",
		s.Total.Known, s.Total.Active, s.Incoming, s.Total.Finished, s.Appended, logSize(s))
	if n := unresolved(s.Torrents); n > 0 {
		text += "; no metadata yet of " + torrentCount(n)
	}
	return text
}

// unresolved counts the torrents of magnet links whose metadata no peer has given yet.
func unresolved(torrents []recorder.TorrentSnapshot) (n int) {
	for _, t := range torrents {
		if !t.MetadataKnown {
			n++
		}
	}
	return n
}

// logSize tells how large the log is and, once that can be told, how fast it grows.
func logSize(s recorder.Snapshot) string {
	text := "log " + s.LogSize.Rounded()
	if s.Elapsed >= time.Minute {
		text += ", " + recorder.ByteSize(float64(s.LogSize)/s.Elapsed.Hours()).Rounded() + " an hour"
	}
	return text
}

func (p *progress) redraw(s recorder.Snapshot) {
	size := p.screen.size()
	p.screen.show(screenLines(s, size.rows-1))
}

// maxName is how much of the name of a torrent has a place beside its numbers.
const maxName = 40

// screenLines gives a line for each torrent below one for all. Where there are more than rows, the busiest have lines.
func screenLines(s recorder.Snapshot, rows int) []string {
	head := fmt.Sprintf("%v  %s, %d events, %s, %d sessions, %d incoming",
		s.Elapsed.Truncate(time.Second), torrentCount(len(s.Torrents)), s.Appended, logSize(s), s.Total.Active, s.Incoming)
	trackers := trackersLines(s.Trackers)
	if rows > 0 {
		rows = max(rows-len(trackers), 1)
	}
	torrents, hidden := s.Torrents, 0
	if room := max(rows-2, 1); rows > 0 && len(torrents) > rows-1 {
		hidden = len(torrents) - room
		torrents = busiest(torrents, room)
	}
	width := 0
	names := make([]string, len(torrents))
	for i, t := range torrents {
		names[i] = fit(printable(t.Name), maxName)
		width = max(width, widthOf(names[i]))
	}
	lines := []string{head}
	for i, t := range torrents {
		line := fmt.Sprintf("  %s%s  %7d known  %6d in contact  %7d left for good",
			names[i], strings.Repeat(" ", width-widthOf(names[i])), t.Known, t.Active, t.Finished)
		if !t.MetadataKnown {
			line += "  no metadata yet"
		}
		lines = append(lines, line)
	}
	if hidden > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", hidden))
	}
	return append(lines, trackers...)
}

// busiest gives the torrents with most contacts, in their order.
func busiest(torrents []recorder.TorrentSnapshot, count int) []recorder.TorrentSnapshot {
	list := slices.Clone(torrents)
	slices.SortStableFunc(list, func(a, b recorder.TorrentSnapshot) int { return b.Active - a.Active })
	list = list[:count]
	slices.SortFunc(list, func(a, b recorder.TorrentSnapshot) int { return int(a.Number) - int(b.Number) })
	return list
}
