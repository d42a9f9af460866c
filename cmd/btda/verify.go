package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"btda/events/eventlog"
)

func newVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify LOG",
		Short: "Check that a log is as it was recorded",
		Long: `Check that a log is as it was recorded: recompute its chain of SHA-256 sums and compare its seal. The first bad place is named,
and the exit code is 1. A log without a seal, whose recorder was killed, is valid as far as it goes.

This shows damage, not authenticity: who can write the log can also write the sums.`,
		Args: wantLog, ValidArgsFunction: folders,
		RunE: func(c *cobra.Command, args []string) error { return verify(c.OutOrStdout(), args[0]) },
	}
}

func verify(out io.Writer, dir string) error {
	v, err := eventlog.Verify(dir, eventlog.Options{})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %v\nrun %v\ncontent digest %x\n", dir, v, v.Run, v.Digest)
	return err
}
