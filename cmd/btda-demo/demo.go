package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"btda/projections"
	"btda/recorder"
	"btda/recorder/swarmtest"
	"btda/replay"
)

// scene is one swarm, recorded in one way.
type scene struct {
	options
	observe recorder.Observe
	out     io.Writer
	events  string // folder of the event log
	sqlite  string // file
	swarm   *swarmtest.Swarm
	guests  *churn // nil where nobody comes and goes
	start   time.Time
}

// demonstrate plays a scene for each way to observe that was chosen.
func demonstrate(ctx context.Context, o options, out io.Writer) error {
	folder, err := o.folder()
	if err != nil {
		return err
	}
	var disagreements []error
	for _, mode := range o.modes() {
		name := filepath.Join(folder, "demo-"+string(mode))
		s := &scene{options: o, observe: mode, out: out, events: name + ".events", sqlite: name + ".sqlite"}
		err := s.play(ctx)
		if !errors.Is(err, errDisagree) && !errors.Is(err, errRecall) && err != nil {
			return err
		}
		disagreements = append(disagreements, err)
	}
	return errors.Join(disagreements...)
}

// folder makes the folder that was chosen, or a new one.
func (o options) folder() (string, error) {
	if o.output == "" {
		return os.MkdirTemp("", "btda-demo-")
	}
	return o.output, os.MkdirAll(o.output, 0o755)
}

// play records a swarm, replays the log, and prints and compares the result.
func (s *scene) play(ctx context.Context) (err error) {
	fmt.Fprintf(s.out, "Recording a swarm on loopback (--observe %s): about %v.\n", s.observe, s.length().Round(time.Second))
	if err := s.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.record(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "recorded %s\n", s.events)
	view := projections.DefaultOptions()
	view.WithAddresses = true // all addresses are loopback, and the comparison needs them
	if _, err := replay.Run(ctx, replay.Options{Logs: []string{s.events}, Output: s.sqlite, Projections: view}); err != nil {
		return fmt.Errorf("replay %s: %w", s.events, err)
	}
	fmt.Fprintf(s.out, "replayed %s\n\n", s.sqlite)
	counted, err := readResult(s.sqlite)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.sqlite, err)
	}
	if s.churn {
		return s.reportRecall(ctx, counted)
	}
	return s.report(counted)
}

// length is about how long a scene takes.
func (s *scene) length() time.Duration {
	if s.churn {
		return time.Duration(float64(s.turns)*meanShare*float64(s.pace)) + s.afterglow()
	}
	return s.pace + s.afterglow()
}

// afterglow is how long the swarm stays when its leechers are done: a peer that was left just before its last piece is visited
// once more.
func (s *scene) afterglow() time.Duration { return s.timeout + s.revisit + time.Second }

const pieceLength = 16 << 10 // bytes

// open starts the swarm: its tracker and, unless the recorder waits for them, its clients.
func (s *scene) open() (err error) {
	s.swarm, err = swarmtest.New(swarmtest.Options{
		Payload: swarmtest.PayloadOptions{Name: "demo", Pieces: s.pieces, PieceLength: pieceLength, Seed: 1},
	})
	if err != nil || s.passive {
		return err
	}
	if err := s.populate(); err != nil {
		return errors.Join(err, s.swarm.Close())
	}
	return nil
}

// close ends all clients and the tracker.
func (s *scene) close() error {
	if s.guests != nil {
		s.guests.end()
	}
	return s.swarm.Close()
}

// populate starts the clients: a seed, leechers that finish one after the other, and two that stop half way but stay.
func (s *scene) populate() error {
	s.start = time.Now()
	if s.churn {
		return s.populateChurn()
	}
	cast := []swarmtest.ClientOptions{{Name: "seed", Full: true}}
	for i, share := range []float64{0.6, 0.7, 0.85, 1} {
		cast = append(cast, swarmtest.ClientOptions{Name: fmt.Sprintf("leecher %d", i+1), Rate: s.rate(share)})
	}
	for i := range 2 {
		cast = append(cast, swarmtest.ClientOptions{Name: fmt.Sprintf("half %d", i+1), Rate: s.rate(1), Goal: s.pieces / 2})
	}
	return s.swarm.Start(cast...)
}

// populateChurn starts two seeds, and lets others come and go.
func (s *scene) populateChurn() error {
	if err := s.swarm.Start(swarmtest.ClientOptions{Name: "seed 1", Full: true, PEX: true}, swarmtest.ClientOptions{Name: "seed 2", Full: true, PEX: true}); err != nil {
		return err
	}
	s.guests = newChurn(s)
	s.guests.start(s.options)
	return nil
}

// rate is how many bytes a second a leecher takes that finishes after a share of the pace.
func (s *scene) rate(share float64) int {
	return int(float64(s.pieces*pieceLength) / (s.pace.Seconds() * share))
}
