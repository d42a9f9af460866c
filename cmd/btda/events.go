package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"btda/events/eventlog"
)

func newEvents() *cobra.Command {
	return &cobra.Command{
		Use:   "events LOG",
		Short: "Write the events of a log as JSON lines",
		Long: `Write the events of a log to standard output, one JSON object a line, in their order. They hold addresses and peer ids as they
were observed, and the URLs of trackers with their passkeys. The log must not be one that is being recorded.`,
		Args: wantLog, ValidArgsFunction: folders,
		RunE: func(c *cobra.Command, args []string) error { return writeEvents(c.OutOrStdout(), args[0]) },
	}
}

func writeEvents(out io.Writer, dir string) (err error) {
	log, err := eventlog.Open(dir, eventlog.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	scanner := log.Scan(1)
	defer func() { err = errors.Join(err, scanner.Close()) }()
	lines := bufio.NewWriterSize(out, 64<<10)
	var line []byte
	for scanner.Next() {
		line = append(scanner.Record().AppendJSON(line[:0]), '\n')
		if _, err := lines.Write(line); err != nil {
			return fmt.Errorf("write the events: %w", err)
		}
	}
	return errors.Join(lines.Flush(), scanner.Err())
}
