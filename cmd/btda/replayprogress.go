package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"btda/replay"
)

// shownReplay is a replay whose state is shown until end.
type shownReplay struct {
	out    *progress
	cancel context.CancelFunc
}

// showReplay shows how far a replay is: a terminal has a line that is renewed in place, else there is a plain line now and then.
func showReplay(ctx context.Context, out io.Writer, p *replay.Progress) shownReplay {
	ctx, cancel := context.WithCancel(ctx)
	s := shownReplay{newProgress(out), cancel}
	begun := time.Now()
	interval, show := lineInterval, func(line string) { fmt.Fprintln(s.out, line) }
	if s.out.screen != nil {
		interval, show = screenInterval, func(line string) { s.out.screen.show([]string{line}) }
	}
	s.out.every(ctx, interval, func() { show(replayLine(p.Advance(), time.Since(begun))) })
	return s
}

// end waits until nothing is shown any more, and takes away what a terminal shows.
func (s shownReplay) end() {
	s.cancel()
	s.out.Wait()
	if s.out.screen != nil {
		s.out.screen.show(nil)
	}
}

// replayLine tells the state of a replay. The time left is that of the events, by the speed so far; rows come after them.
func replayLine(a replay.Advance, elapsed time.Duration) string {
	if a.Table != "" {
		return fmt.Sprintf("%v  %d events folded, writing table %s, %d rows before it", elapsed.Truncate(time.Second), a.Events, a.Table, a.Rows)
	}
	if a.Total == 0 || a.Events == 0 {
		return fmt.Sprintf("%v  opening the logs", elapsed.Truncate(time.Second))
	}
	speed := float64(a.Events) / elapsed.Seconds()
	left := time.Duration(float64(a.Total-min(a.Events, a.Total)) / speed * float64(time.Second))
	return fmt.Sprintf("%v  %d of %d events, %.0f %%, %.0f events/s, %v left and then the rows",
		elapsed.Truncate(time.Second), a.Events, a.Total, 100*float64(a.Events)/float64(a.Total), speed, left.Round(time.Second))
}
