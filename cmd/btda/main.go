// Command btda records live BitTorrent swarms as logs of facts, and replays these logs into SQLite tables.
//
// There is one file for each subcommand. Exit codes: 0 done, 1 failed, 2 wrong usage.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"btda/recorder"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	root := newRoot()
	command, err := root.ExecuteC()
	if err != nil && !errors.Is(err, errDiffers) {
		fmt.Fprintf(os.Stderr, "btda: %v\n", err)
	}
	code := exitCode(err)
	if code == exitUsage {
		fmt.Fprintf(os.Stderr, "see %s --help\n", command.CommandPath())
	}
	os.Exit(code)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "btda",
		Short: "Record BitTorrent swarms and count confirmed downloads",
		Long: `btda records a live BitTorrent swarm as a log of facts, and replays that log, as often as needed, into SQLite tables.
It counts confirmed downloads: peers that were seen below a share of the pieces and later at or above it.
It observes only: it never requests content and never serves any.`,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("there is no command %q", args[0])}
			}
			return usageError{errors.New("which command?")}
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newRecord(), newReplay(), newVerify(), newDiff(), newEvents())
	root.SetHelpCommand(newHelp())
	addCompletion(root)
	return root
}

// newHelp makes the command that shows the help of a command. Unlike that of the library it fails where there is none.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",

		ValidArgsFunction: completeCommands,
		RunE: func(c *cobra.Command, path []string) error {
			about, rest, err := c.Root().Find(path)
			if err != nil || len(rest) > 0 {
				return usageError{fmt.Errorf("there is no command %q", strings.Join(path, " "))}
			}
			return about.Help()
		},
	}
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// Unwrap gives the mistake itself.
func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var usage usageError
	var setting *recorder.SettingError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.As(err, &setting):
		return exitUsage
	}
	return exitFailed
}

// wantLog is the check of arguments of the commands that read one log.
func wantLog(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("want the folder of one log, got %d arguments", len(args))}
	}
	return nil
}
