package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"btda/events/eventlog"
	"btda/replay"
)

// closingTail is a log that is followed, and what is to be closed afterwards.
type closingTail interface {
	replay.Tail
	io.Closer
}

// openTail opens the folder of a log that ended, or else the endpoint of a recorder.
func openTail(ctx context.Context, name string) (closingTail, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("cannot follow %s, name the endpoint of a recorder or the folder of a log: %w", name, err)
	}
	if info.IsDir() {
		return replay.OpenFinished(name)
	}
	return eventlog.Dial(ctx, name)
}

// runFollower follows until the log ends or an interrupt comes; both are in order.
func (f *replayFlags) runFollower(c *cobra.Command) error {
	ctx, stop := untilInterrupted(c.Context())
	defer stop()
	name := f.options.Logs[0]
	f.options.Logs = nil
	tail, err := openTail(ctx, name)
	if err != nil {
		return err
	}
	defer tail.Close()
	var at replay.Position
	follower := replay.Follower{
		Tail: tail, Options: f.options,
		Advanced: func(now replay.Position) {
			if at.Last == 0 {
				f.tellOfPlaces(c.ErrOrStderr())
				fmt.Fprintf(c.ErrOrStderr(), "%s has the tables up to event %d, and follows; interrupt to stop\n", f.options.Output, now.Last)
			}
			at = now
		},
		Waiting: func(err error) { fmt.Fprintf(c.ErrOrStderr(), "waiting: %v\n", err) },
	}
	result, err := follower.Run(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		return f.tornOff(at, err)
	case err != nil:
		_, err = fmt.Fprintf(c.OutOrStdout(), "stopped; %s has the tables up to event %d, the same command goes on\n", f.options.Output, at.Last)
		return err
	}
	return f.report(c.OutOrStdout(), &result)
}

// tornOff says how to go on where the recorder is gone.
func (f *replayFlags) tornOff(at replay.Position, err error) error {
	if errors.Is(err, eventlog.ErrGone) {
		return fmt.Errorf("%w; %s has the tables up to event %d: name the folder of the log instead to get the rest", err, f.options.Output, at.Last)
	}
	return err
}
