//go:build unix

package sqlite_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"btda/projections"
)

// BenchmarkAgainstImport writes endpoint rows and has the sqlite3 program, where there is one, import the same rows from a file of
// comma-separated values, with the same pragmas and the same index made at the end, in turns. The goal of the design is a
// ratio of at least 1.6.
//
//	go test ./projections/sqlite -run '^$' -bench AgainstImport -benchtime 5x
func BenchmarkAgainstImport(b *testing.B) {
	const rows = 1_000_000
	folder := b.TempDir()
	values := filepath.Join(folder, "values.csv")
	table := endpoints(rows)
	writeValues(b, values, table)
	program, _ := exec.LookPath("sqlite3")
	var ours, theirs speeds
	for b.Loop() {
		start, processor := time.Now(), processorTime(b)
		if err := write(b.Context(), filepath.Join(folder, "ours.sqlite"), table); err != nil {
			b.Fatal(err)
		}
		ours.add(rows, time.Since(start), processorTime(b)-processor)
		if program != "" {
			start = time.Now()
			processor = importValues(b, program, filepath.Join(folder, "theirs.sqlite"), values)
			theirs.add(rows, time.Since(start), processor)
		}
	}
	b.ReportMetric(median(ours.wall), "rows/s")
	b.ReportMetric(median(ours.processor), "rows/cpu-s")
	if program != "" {
		b.ReportMetric(median(ours.wall)/median(theirs.wall), "ratio")
		b.ReportMetric(median(ours.processor)/median(theirs.processor), "cpu-ratio")
	}
}

// speeds are rows a second of several runs: by the clock, and by the time that processors spent, which other
// programs on the machine change less.
type speeds struct{ wall, processor []float64 }

func (s *speeds) add(rows float64, wall, processor time.Duration) {
	s.wall = append(s.wall, rows/wall.Seconds())
	s.processor = append(s.processor, rows/processor.Seconds())
}

// processorTime is what this process has spent so far.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// importValues has the sqlite3 program do the same work and gives the processor time that it spent.
func importValues(b *testing.B, program, path, values string) time.Duration {
	b.Helper()
	if err := os.RemoveAll(path); err != nil {
		b.Fatal(err)
	}
	command := exec.Command(program, path, "PRAGMA page_size=16384; PRAGMA journal_mode=off; PRAGMA synchronous=off; PRAGMA cache_size=-65536;"+
		"CREATE TABLE endpoint (id INTEGER PRIMARY KEY, torrent INTEGER, address TEXT, family INTEGER, first_source TEXT, tracker TEXT,"+
		"first_named INTEGER, sources TEXT, outcome TEXT, reason TEXT, attempts INTEGER, peer INTEGER);",
		".import --csv "+values+" endpoint", "CREATE INDEX endpoint_peer ON endpoint (peer)")
	if output, err := command.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, output)
	}
	return command.ProcessState.UserTime() + command.ProcessState.SystemTime()
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// endpoints makes rows as a large recording has them.
func endpoints(n int) projections.Table {
	table := projections.Table{Name: "endpoint"}
	for _, name := range []string{"id", "torrent", "address", "family", "first_source", "tracker", "first_named", "sources", "outcome", "reason", "attempts", "peer"} {
		column := projections.Column{Name: name, Type: projections.Integer}
		if slices.Contains([]string{"address", "first_source", "tracker", "sources", "outcome", "reason"}, name) {
			column.Type = projections.Text
		}
		table.Columns = append(table.Columns, column)
	}
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("%d.%d.%d.%d:51413", 64+i%120, i>>16&255, i>>8&255, i&255)
	}
	table.Rows = func(yield func(projections.Row) bool) {
		row := make(projections.Row, len(table.Columns))
		for i := range n {
			row[0], row[1], row[3] = number(int64(i+1)), number(int64(i%19+1)), number(4)
			row[2] = text(addresses[i])
			row[4], row[5], row[7], row[8] = text("tracker"), text("http://tracker.example/announce"), text("tracker"), text("failed")
			row[6], row[9], row[10] = number(int64(1435708800+i)), text("timeout"), number(int64(i%5))
			row[11] = projections.Value{}
			if i%7 == 0 {
				row[11] = number(int64(i/7 + 1))
			}
			if !yield(row) {
				return
			}
		}
	}
	return table
}

func writeValues(b *testing.B, path string, table projections.Table) {
	b.Helper()
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(file)
	for row := range table.Rows {
		for i, v := range row {
			if i > 0 {
				w.WriteByte(',')
			}
			switch v.Type {
			case projections.Integer:
				fmt.Fprint(w, v.Integer)
			case projections.Text:
				w.WriteString(v.Text)
			}
		}
		w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
}
