package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"btda/events"
	"btda/replay"
)

// errDiffers makes the exit code of a comparison 1, with nothing more to say.
var errDiffers = errors.New("they differ")

// diffFlags are the flags of diff as they are written.
type diffFlags struct {
	explain string
	rows    int64
	key     replay.RowKey
}

func newDiff() *cobra.Command {
	var f diffFlags
	command := &cobra.Command{
		Use:   "diff OLD.sqlite NEW.sqlite [--explain TABLE:ID LOG ...]",
		Short: "Compare two results, row by row",
		Long: `Compare two results of btda replay: which rows of each table were added (+), removed (-) or changed (~), and how many confirmed
downloads each torrent had before and has after. Rows are found by their ids, which mean the same where the logs are the same; those of
torrent, failure, threshold_sweep, message_wait and peer_source by what they are about.

With --explain and the logs it writes the events behind one row instead, as btda events does.

Exit codes: 0 the rows are the same, 1 they differ or could not be compared, 2 wrong usage. provenance is shown, but does not count.`,
		Example: `  btda diff old.sqlite new.sqlite
  btda diff old.sqlite new.sqlite --explain download:17 run.events`,
		Args:              f.check,
		ValidArgsFunction: files("sqlite"),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := untilInterrupted(c.Context())
			defer stop()
			if f.explain != "" {
				return f.tell(ctx, c.OutOrStdout(), args)
			}
			return f.compare(ctx, c.OutOrStdout(), replay.Comparison{Old: args[0], New: args[1]})
		},
	}
	command.Flags().StringVar(&f.explain, "explain", "", "write the events behind one `row`, as in download:17; needs the logs (default none)")
	command.Flags().Int64Var(&f.rows, "rows", 20, "most rows to write of each table, 0 for none")
	completeFlag(command, "explain", cobra.NoFileCompletions)
	completeFlag(command, "rows", cobra.NoFileCompletions)
	return command
}

func (f *diffFlags) check(_ *cobra.Command, args []string) (err error) {
	switch {
	case len(args) < 2:
		return usageError{fmt.Errorf("want two results to compare, got %d", len(args))}
	case f.explain == "" && len(args) > 2:
		return usageError{fmt.Errorf("want two results to compare, got %d arguments; logs come with --explain", len(args))}
	case f.explain != "" && len(args) == 2:
		return usageError{errors.New("--explain needs the folders of the logs too")}
	case f.rows < 0:
		return usageError{fmt.Errorf("--rows %d: want 0 or more", f.rows)}
	}
	if f.explain != "" {
		if f.key, err = replay.ParseRowKey(f.explain); err != nil {
			return usageError{fmt.Errorf("--explain %w", err)}
		}
	}
	return nil
}

// tell writes the events behind a row.
func (f *diffFlags) tell(ctx context.Context, to io.Writer, args []string) error {
	out := bufio.NewWriterSize(to, 64<<10)
	var line []byte
	e := replay.Explanation{Row: f.key, Results: args[:2], Logs: args[2:], Report: func(r *events.Record) error {
		line = append(r.AppendJSON(line[:0]), '\n')
		_, err := out.Write(line)
		return err
	}}
	return cmp.Or(e.Run(ctx), out.Flush())
}

func (f *diffFlags) compare(ctx context.Context, to io.Writer, comparison replay.Comparison) error {
	out := bufio.NewWriterSize(to, 64<<10)
	lines := &rowLines{out: out, most: f.rows}
	comparison.Report = lines.write
	d, err := comparison.Run(ctx)
	if err != nil {
		return errors.Join(out.Flush(), err)
	}
	writeDifference(out, &d)
	if err := out.Flush(); err != nil {
		return err
	}
	if !d.SameRows() {
		return errDiffers
	}
	return nil
}

// rowLines writes rows that differ, so many of each table.
type rowLines struct {
	out   io.Writer
	most  int64
	table string
	count int64
}

func (l *rowLines) write(r replay.RowChange) error {
	if r.Table != l.table {
		l.table, l.count = r.Table, 0
	}
	l.count++
	if l.count > l.most {
		return nil
	}
	_, err := fmt.Fprintln(l.out, rowLine(&r))
	return err
}

// rowLine shows a row that differs: all of one that was added or removed, and of one that changed its key and what changed.
func rowLine(r *replay.RowChange) string {
	sign, row := "+", r.New
	if r.New == nil {
		sign, row = "-", r.Old
	}
	var parts []string
	if len(r.Differ) == 0 {
		for i, name := range r.Columns {
			parts = append(parts, printable(name)+"="+valueText(row[i]))
		}
		return sign + " " + r.Table + " " + strings.Join(parts, " ")
	}
	for _, i := range r.Key {
		parts = append(parts, printable(r.Columns[i])+"="+valueText(row[i]))
	}
	var changes []string
	for _, i := range r.Differ {
		changes = append(changes, fmt.Sprintf("%s %s -> %s", printable(r.Columns[i]), valueText(r.Old[i]), valueText(r.New[i])))
	}
	return "~ " + r.Table + " " + strings.Join(parts, " ") + ": " + strings.Join(changes, ", ")
}

// writeDifference sums up.
func writeDifference(out io.Writer, d *replay.Difference) {
	for i := range d.Tables {
		if t := &d.Tables[i]; !t.Same() {
			fmt.Fprintf(out, "%s: %s\n", printable(t.Name), tableText(t))
		}
	}
	for _, t := range d.Torrents {
		fmt.Fprintf(out, "torrent %s %s: %s\n", printable(t.InfoHash), printable(t.Name), downloadsText(&t))
	}
	for _, fact := range d.Facts {
		fmt.Fprintf(out, "provenance %s: %s -> %s\n", printable(fact.Name), factText(fact.Old), factText(fact.New))
	}
	if d.SameRows() {
		fmt.Fprintln(out, "the rows of all tables are the same")
	}
}

func tableText(t *replay.TableDifference) string {
	if t.OnlyIn != "" {
		return fmt.Sprintf("only in the %s result", t.OnlyIn)
	}
	text := fmt.Sprintf("%d rows -> %d; %d added, %d removed, %d changed", t.Rows[0], t.Rows[1], t.Added, t.Removed, t.Changed)
	if t.Renumbered > 0 {
		text += fmt.Sprintf(", %d the same but for their id", t.Renumbered)
	}
	for _, only := range []struct {
		side    replay.Side
		columns []string
	}{{replay.Old, t.OldColumns}, {replay.New, t.NewColumns}} {
		if len(only.columns) > 0 {
			text += fmt.Sprintf("; columns only in the %s result: %s", only.side, printable(strings.Join(only.columns, ", ")))
		}
	}
	return text
}

func downloadsText(t *replay.Downloads) string {
	side := func(i int) string {
		if !t.In[i] {
			return "not there"
		}
		return fmt.Sprintf("%d confirmed and %d likely downloads", t.Confirmed[i], t.Likely[i])
	}
	return side(0) + " -> " + side(1)
}
