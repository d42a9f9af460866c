package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"runtime/debug"
	"time"

	"btda/events/eventlog"
	"btda/input"
	"btda/recorder"
	"btda/replay"
)

// company is what reads a log beside its recording.
type company struct {
	*companion // nil where no tables are kept
	endpoint   *eventlog.Endpoint
	at         string // where the log is offered; empty for nowhere
}

// start lets a log be read.
func (c *company) start(log *eventlog.Log) (err error) {
	if c.at != "" {
		c.endpoint, err = eventlog.Offer(log, c.at)
	}
	if err == nil {
		c.companion.start(log)
	}
	return err
}

// farewell is how long followers at the endpoint may take to get the end of the log.
const farewell = 10 * time.Second

// finish waits until those who read have the end of the log, unless there is hurry.
func (c *company) finish(hurry <-chan struct{}) error {
	err := c.companion.finish(hurry)
	if c.endpoint == nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), farewell)
	defer stop()
	ended := make(chan struct{})
	defer close(ended)
	go func() { // ends with this function
		select {
		case <-hurry:
			stop()
		case <-ended:
		}
	}()
	return errors.Join(err, c.endpoint.Close(ctx))
}

// companion is a follower beside a recording. It reads what is on disk already, in a goroutine of its own: whatever becomes of it, the
// recording goes on.
type companion struct {
	follower replay.Follower
	file     string
	log      string // the folder
	out      io.Writer
	text     *slog.Logger
	hurry    chan struct{}
	stop     context.CancelFunc
	done     chan error // holds what came of it; nil before the log is there
}

// newCompanion prepares a follower; nil where none is asked for. It says what is wrong with the file before anything is recorded.
func newCompanion(ctx context.Context, settings *recorder.Settings, out io.Writer, text *slog.Logger) (*companion, error) {
	if settings.Follow == "" {
		return nil, nil
	}
	options := replay.DefaultOptions()
	options.Output = settings.Follow
	places, err := input.FindPlaces(settings.Input)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil && len(places.Files()) > 0 {
		options.Projections.Places, options.PlaceFiles = places, placeFiles(places)
	}
	c := &companion{file: settings.Follow, log: settings.Events, out: out, text: text, hurry: make(chan struct{})}
	c.follower = replay.Follower{Options: options, Hurry: c.hurry, Waiting: c.tell}
	return c, c.follower.Check(ctx)
}

// tell says what holds the tables up, not the recording.
func (c *companion) tell(err error) {
	c.text.Warn("following", "file", c.file, "error", err)
	fmt.Fprintf(c.out, "the tables fall behind, the recording goes on: %v\n", err)
}

// start follows a log. The follower does not end with the context of the recording, for the end of the log is to be in the tables.
func (c *companion) start(log *eventlog.Log) {
	if c == nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	c.follower.Tail, c.stop, c.done = log, stop, make(chan error, 1)
	go func() { // finish waits for it
		err := c.follow(ctx)
		if err != nil && ctx.Err() == nil {
			c.tell(err)
		}
		c.done <- err
	}()
}

// follow makes an error of whatever may go wrong: a fault in a fold must not end the recording.
func (c *companion) follow(ctx context.Context) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a fault of btda itself: %v", fault)
			c.text.Error("following", "fault", fault, "stack", string(debug.Stack()))
		}
	}()
	_, err = c.follower.Run(ctx)
	return err
}

// grace is how long a follower may take to stop when nothing is waited for any more.
const grace = 2 * time.Second

// behindError says that the tables lack the end of a recording that is whole.
type behindError struct{ error }

func (e behindError) Unwrap() error { return e.error }

// finish waits until the tables have the end of the log, unless there is hurry. The error says how to go on.
func (c *companion) finish(hurry <-chan struct{}) error {
	if c == nil || c.done == nil {
		return nil
	}
	defer c.stop()
	close(c.hurry)
	err := errors.New("it was not waited for")
	select {
	case err = <-c.done:
	case <-hurry:
		c.stop()
		select {
		case err = <-c.done:
		case <-time.After(grace):
		}
	}
	if err != nil {
		return behindError{fmt.Errorf("the tables in %s lack the end of the recording, which is whole; go on with btda replay --follow %s -o %s: %w", c.file, c.log, c.file, err)}
	}
	return nil
}
