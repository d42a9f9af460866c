package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"btda/events/eventlog"
	"btda/replay"
)

// verifyFlags are the flags of verify as they are written.
type verifyFlags struct {
	sources sourceFlags
	rows    int64
}

func newVerify() *cobra.Command {
	var f verifyFlags
	command := &cobra.Command{
		Use:   "verify LOG ... [FILE.sqlite]",
		Short: "Check that logs are as they were recorded, and that a result is theirs",
		Long: `Check that logs are as they were recorded: recompute the chain of SHA-256 sums of each and compare its seal. The first bad place is named,
and the exit code is 1. A log without a seal, whose recorder was killed, is valid as far as it goes.

This shows damage, not authenticity: who can write the log can also write the sums.

With the result of a replay as the last argument, these logs are replayed once more, with the options that the file names, and the files
compared. Where they differ, rows that only the file has are marked with -, those that it lacks with +, and those that are not as they should be
with ~. Geolocation files and SQL that it was made with must be there too.

Exit codes: 0 all is as it should be, 1 it is not or cannot be checked, 2 wrong usage.`,
		Example: `  btda verify run.events
  btda verify run.events result.sqlite`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usageError{errors.New("want the folders of one log or more, and perhaps a result")}
			case f.rows < 0:
				return usageError{fmt.Errorf("--rows %d: want 0 or more", f.rows)}
			case len(args) == 1 && isFile(args[0]):
				return usageError{fmt.Errorf("%s is a file: name the folders of its logs before it", args[0])}
			}
			return nil
		},
		ValidArgsFunction: folders,
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := untilInterrupted(c.Context())
			defer stop()
			if last := len(args) - 1; isFile(args[last]) {
				return f.verifyResult(ctx, c, replay.Verification{Logs: args[:last], File: args[last]})
			}
			return verifyLogs(c.OutOrStdout(), args)
		},
	}
	f.sources.add(command)
	command.Flags().Int64Var(&f.rows, "rows", 20, "most rows to write of each table, 0 for none")
	completeFlag(command, "rows", cobra.NoFileCompletions)
	return command
}

// isFile reports whether a path is that of a result, and not of a log: logs are folders.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// verifyLogs goes through all of them, also after one that is damaged.
func verifyLogs(out io.Writer, folders []string) error {
	var all error
	for _, dir := range folders {
		v, err := eventlog.Verify(dir, eventlog.Options{})
		if err == nil {
			_, err = fmt.Fprintf(out, "%s: %v\nrun %v\ncontent digest %x\n", dir, v, v.Run, v.Digest)
		}
		all = errors.Join(all, err)
	}
	return all
}

func (f *verifyFlags) verifyResult(ctx context.Context, c *cobra.Command, v replay.Verification) error {
	if err := verifyLogs(c.OutOrStdout(), v.Logs); err != nil {
		return err
	}
	places, err := f.sources.openPlaces(c.Flags().Changed("input"))
	if err != nil {
		return err
	}
	v.Places, v.PlaceFiles = places, placeFiles(places)
	if v.SQL, err = f.sources.readSQL(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(c.OutOrStdout(), 64<<10)
	lines := &rowLines{out: out, most: f.rows}
	v.Report, v.Progress = lines.write, new(replay.Progress)
	shown := showReplay(ctx, c.ErrOrStderr(), v.Progress)
	verdict, err := v.Run(ctx)
	shown.end()
	if err != nil {
		return errors.Join(out.Flush(), err)
	}
	writeVerdict(out, v.File, &verdict)
	if err := out.Flush(); err != nil {
		return err
	}
	if !verdict.Same {
		return errDiffers
	}
	return nil
}

func writeVerdict(out io.Writer, file string, v *replay.Verdict) {
	if v.Program != "" {
		fmt.Fprintf(out, "%s was made by revision %s of the program, which is another one than this\n", file, printable(v.Program))
	}
	switch {
	case v.Same:
		fmt.Fprintf(out, "%s: valid, these logs give it byte for byte (%d events)\n", file, v.Result.Events())
		return
	case v.Rows && len(v.Differs.Facts) == 0:
		fmt.Fprintf(out, "%s: the rows are what these logs give, but not the bytes: it was written or changed otherwise, as one that was kept by --follow is\n", file)
		return
	}
	writeDifference(out, &v.Differs)
	fmt.Fprintf(out, "%s: not what these logs give\n", file)
}
