package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"btda/events/eventlog"
	"btda/input"
	"btda/recorder"
	"btda/recorder/swarmtest"
)

var errInterrupted = errors.New("interrupted: the swarm is closed, and the log holds what was seen so far")

// record records the swarm until its leechers are done, and a while longer.
func (s *scene) record(ctx context.Context) error {
	described, err := input.ParseTorrent(s.swarm.Payload.Torrent)
	if err != nil {
		return err
	}
	settings, err := s.settings(ctx)
	if err != nil {
		return err
	}
	r, err := recorder.New(settings, []input.Torrent{described}, recorder.Deps{
		CreateLog: func(dir string) (recorder.Log, error) { return eventlog.Create(dir, eventlog.Options{}) },
	})
	if err != nil {
		return err
	}
	recording, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(recording) }()
	if err = s.invite(ctx, ended); err == nil {
		err = s.follow(ctx, r, ended)
	}
	stop()
	if errors.Is(err, errRecorder) {
		return err
	}
	return errors.Join(err, <-ended)
}

// settings are those of btda record, at the pace of the demo. The port is one of its own: at the usual one, clients of another demo would
// look for their own recorder.
func (s *scene) settings(ctx context.Context) (settings recorder.Settings, err error) {
	settings = recorder.DefaultSettings()
	settings.Active, settings.Passive, settings.Observe, settings.Events = s.active, s.passive, s.observe, s.events
	settings.Bind = []netip.Addr{observerAddress}
	settings.Timeout, settings.Revisit = s.timeout, s.revisit
	settings.TrackerInterval, settings.StatisticInterval = time.Second, time.Second
	settings.Resolve()
	if settings.Port, err = swarmtest.FreePort(ctx, settings.Bind...); err != nil {
		return settings, err
	}
	return settings, settings.Validate()
}

// invite starts the clients of a recorder that waits for them, as soon as the tracker knows it and names it to them.
func (s *scene) invite(ctx context.Context, ended <-chan error) error {
	if !s.passive {
		return nil // they are there already
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for len(s.swarm.Tracker.Announces()) == 0 {
		select {
		case <-ticker.C:
		case err := <-ended:
			return errors.Join(errRecorder, err)
		case <-ctx.Done():
			return errInterrupted
		}
	}
	return s.populate()
}

var errRecorder = errors.New("the recording ended by itself")

// follow prints how far the clients are until they have reached their goals, and then waits for the afterglow.
func (s *scene) follow(ctx context.Context, r *recorder.Recorder, ended <-chan error) error {
	const step = 2 * time.Second
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	patience := time.NewTimer(3 * s.length())
	defer patience.Stop()
	var over <-chan time.Time // nil until the leechers are done
	for {
		select {
		case <-ticker.C:
			fmt.Fprintln(s.out, s.progress(r))
			done, err := s.done()
			if err != nil {
				return err
			}
			if over == nil && done {
				over = time.After(s.afterglow())
			}
		case <-over:
			return nil
		case <-patience.C:
			return fmt.Errorf("the leechers are not done after %v: %s", 3*s.length(), s.progress(r))
		case err := <-ended:
			return errors.Join(errRecorder, err)
		case <-ctx.Done():
			return errInterrupted
		}
	}
}

func (s *scene) done() (bool, error) {
	if s.churn {
		return s.guests.done()
	}
	for _, c := range s.swarm.Clients {
		if c.Pieces() < c.Goal {
			return false, nil
		}
	}
	return true, nil
}

// progress is one line: the pieces of every client, and the events so far.
func (s *scene) progress(r *recorder.Recorder) string {
	if s.churn {
		came, finished := s.guests.standing()
		return fmt.Sprintf("%3.0f s  %d clients came, %d finished; %d events", time.Since(s.start).Seconds(), came, finished, r.Snapshot().Appended)
	}
	var pieces []string
	for _, c := range s.swarm.Clients {
		pieces = append(pieces, fmt.Sprintf("%s %d", c.Name, c.Pieces()))
	}
	return fmt.Sprintf("%3.0f s  %s pieces; %d events", time.Since(s.start).Seconds(), strings.Join(pieces, ", "), r.Snapshot().Appended)
}
