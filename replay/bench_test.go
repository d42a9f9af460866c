package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"btda/events/eventlog"
)

var benchmarkEvents = flag.Int("replay-events", 200_000, "events of the log that BenchmarkReplay makes and replays")

// BenchmarkReplay replays a made-up run with the mix of the 2015 run in a process of its own, scans the same log without doing
// anything with its records, and has the sqlite3 program, where there is one, import the resulting rows, in turns. It gives medians. The goal
// of the design is forty million events in sixty seconds and two GiB.
//
//	go test ./replay -run '^$' -bench Replay -benchtime 3x -timeout 1h -replay-events 10000000
func BenchmarkReplay(b *testing.B) {
	log := recordLog(b, syntheticRun(*benchmarkEvents, 1))
	output := filepath.Join(b.TempDir(), "result.sqlite")
	var seconds, scans, imports, memory []float64
	var last measurement
	for b.Loop() {
		last = measureReplay(b, log, output)
		seconds = append(seconds, last.Seconds)
		memory = append(memory, last.PeakMiB)
		scans = append(scans, last.Seconds/timeScan(b, log, last.Events).Seconds())
		if took, ok := timeImport(b, output); ok {
			imports = append(imports, last.Seconds/took.Seconds())
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(seconds), "s/replay")
	b.ReportMetric(float64(last.Events)/median(seconds), "events/s")
	b.ReportMetric(float64(last.Rows), "rows")
	b.ReportMetric(median(scans), "scans")
	if len(imports) > 0 {
		b.ReportMetric(median(imports), "imports")
	}
	b.ReportMetric(median(memory), "peak-MiB")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// measurement is what a child process says of its replay.
type measurement struct {
	Seconds float64
	Events  uint64
	Rows    int64
	PeakMiB float64 // 0 where the system does not tell
}

func measureReplay(b *testing.B, log, output string) (m measurement) {
	b.Helper()
	child := exec.CommandContext(b.Context(), os.Args[0])
	child.Env = append(os.Environ(), childReplay+"="+log, childOutput+"="+output)
	said, err := child.Output()
	if err == nil {
		err = json.Unmarshal(said, &m)
	}
	if err != nil {
		b.Fatalf("%v: %s", err, said)
	}
	return m
}

// replayInChild replays logs and says how it went.
func replayInChild(output string, logs ...string) error {
	o := optionsFor(logs...)
	o.Output = output
	start := time.Now()
	result, err := Run(context.Background(), o)
	if err != nil {
		return err
	}
	m := measurement{Seconds: time.Since(start).Seconds(), Events: result.Events(), PeakMiB: peakMemory()}
	for _, table := range result.Tables {
		m.Rows += table.Rows
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

// peakMemory is the most memory that this process has had at one time, in MiB, as Linux tells it.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kilobytes float64
	if _, err := fmt.Sscan(string(rest), &kilobytes); err != nil {
		return 0
	}
	return kilobytes / 1024
}

// timeScan reads and decodes all records of a log.
func timeScan(b *testing.B, log string, want uint64) time.Duration {
	b.Helper()
	start := time.Now()
	reader, err := eventlog.Open(log, eventlog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	s := reader.Scan(1)
	defer s.Close()
	var n uint64
	for s.Next() {
		n++
	}
	if s.Err() != nil || n != want {
		b.Fatalf("%d records, %v; want %d", n, s.Err(), want)
	}
	return time.Since(start)
}
