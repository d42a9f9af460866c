// Command btda-demo records and replays a small real swarm on loopback and compares what it counted with what the swarm's own
// clients know.
//
// One seed, four leechers that finish, two that stop half way, and an HTTP tracker run in this process, each client on a
// loopback address of its own. Nothing goes beyond loopback, and no file is needed. The event log and the SQLite file stay in a folder
// that the demo names.
//
// With --churn many clients come, download and leave at once, most of them of kinds that are hard to observe, and what is printed is how many
// of their downloads were confirmed, by kind.
//
// It exits with 0 when all agrees, 1 when not or when something failed, and 2 for wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"btda/recorder"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdout, os.Stderr}))
}

// terminal is where the demo writes.
type terminal struct{ out, err io.Writer }

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// run is main without the process around it. It gives the exit code.
func run(ctx context.Context, args []string, t terminal) int {
	code := exitUsage
	command := newCommand(func(o options) error {
		code = exitDone
		if err := demonstrate(ctx, o, t.out); err != nil {
			code = exitFailed
			return err
		}
		return nil
	})
	command.SetArgs(args)
	command.SetOut(t.out)
	command.SetErr(t.err)
	switch err := command.ExecuteContext(ctx); {
	case err != nil:
		fmt.Fprintln(t.err, "btda-demo:", err)
	case code == exitUsage:
		code = exitDone // help was asked for
	}
	return code
}

// options is what can be chosen.
type options struct {
	active, passive  bool          // as those of btda record
	observe          string        // stay, visit or both
	output           string        // folder; empty is a new one
	timeout, revisit time.Duration // as those of btda record
	pieces           int           // of the torrent
	pace             time.Duration // that the slowest leecher takes
	churn            bool          // clients come, finish and leave
	peers, turns     int           // of a churning swarm: clients at one time, and one after the other
}

const both = "both"

func newCommand(start func(options) error) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:           "btda-demo",
		Short:         "Record and replay a small real swarm on loopback, and compare the counts with what its clients know",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PreRunE: func(c *cobra.Command, _ []string) error {
			o.resolve(c.Flags().Changed)
			return o.validate()
		},
		RunE: func(*cobra.Command, []string) error { return start(o) },
	}
	f := c.Flags()
	f.BoolVarP(&o.active, "active", "a", false, "contact the clients; what is done when nothing is chosen")
	f.BoolVarP(&o.passive, "passive", "p", false, "wait for the clients to connect; combines with -a")
	f.StringVar(&o.observe, "observe", string(recorder.Stay), "how to observe: stay, visit, or both one after the other")
	f.StringVar(&o.output, "output", "", "folder for the event log and the SQLite file (default: a new one for temporary files)")
	f.DurationVar(&o.timeout, "timeout", 3*time.Second, fmt.Sprintf("how long the recorder waits for a peer; %v with --churn", churnTimeout))
	f.DurationVar(&o.revisit, "revisit", 2*time.Second, "delay until the recorder visits a peer again")
	f.IntVar(&o.pieces, "pieces", 256, "pieces of the torrent, of 16 KiB each")
	f.DurationVar(&o.pace, "pace", 16*time.Second, fmt.Sprintf("time that the slowest leecher takes; %v with --churn", churnPace))
	f.BoolVar(&o.churn, "churn", false, "clients come, each of a kind that is hard to observe, finish and leave; implies -a and -p")
	f.IntVar(&o.peers, "peers", 40, "with --churn: clients that download at one time")
	f.IntVar(&o.turns, "turns", 5, "with --churn: clients that take each place, one after the other")
	return c
}

// Bounds of the options. A download must take longer than it takes to see that it has begun.
const (
	minPieces = 16
	maxPieces = 1 << 14
	minPace   = 8 * time.Second
	churnPace = 24 * time.Second // two thirds of the clients are there for more than reachableFor
	maxPeers  = 100
	maxTurns  = 100
)

// churnTimeout is that of btda record: how well peers are reached depends on it.
var churnTimeout = recorder.DefaultSettings().Timeout

// resolve fills in what --churn means for other options, unless they were chosen.
func (o *options) resolve(chosen func(flag string) bool) {
	if !o.churn {
		return
	}
	o.active, o.passive = true, true
	if !chosen("pace") {
		o.pace = churnPace
	}
	if !chosen("timeout") {
		o.timeout = churnTimeout
	}
}

func (o options) validate() error {
	switch {
	case o.observe != string(recorder.Stay) && o.observe != string(recorder.Visit) && o.observe != both:
		return fmt.Errorf("--observe %s: want stay, visit or both", o.observe)
	case o.timeout <= 0 || o.revisit <= 0:
		return errors.New("--timeout and --revisit: want more than 0")
	case o.pieces < minPieces || o.pieces > maxPieces:
		return fmt.Errorf("--pieces %d: want %d to %d", o.pieces, minPieces, maxPieces)
	case o.pace < minPace:
		return fmt.Errorf("--pace %v: want at least %v", o.pace, minPace)
	case o.peers < 1 || o.peers > maxPeers:
		return fmt.Errorf("--peers %d: want 1 to %d", o.peers, maxPeers)
	case o.turns < 1 || o.turns > maxTurns:
		return fmt.Errorf("--turns %d: want 1 to %d", o.turns, maxTurns)
	}
	return nil
}

// modes lists the ways to observe that were chosen.
func (o options) modes() []recorder.Observe {
	if o.observe == both {
		return []recorder.Observe{recorder.Stay, recorder.Visit}
	}
	return []recorder.Observe{recorder.Observe(o.observe)}
}
