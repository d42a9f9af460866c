package eventlog

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
)

// BenchmarkBounds measures the log against what the machine can do at most, one after the other, five times, and prints
// the ratios of the medians beside the goals:
//
//	go test ./events/eventlog -run '^$' -bench Bounds -benchtime 1x
//
// It takes about two minutes. Only ratios count: the bound and the log are measured in the same minute.
func BenchmarkBounds(b *testing.B) {
	for range b.N {
		out := tabwriter.NewWriter(os.Stdout, 2, 8, 2, ' ', 0)
		fmt.Fprintf(out, "\nwhat\tbound\tlog\tratio\tgoal\t\n")
		for _, row := range bounds(b) {
			row.print(out)
		}
		out.Flush()
	}
}

// bound is a row of the table.
type bound struct {
	what   string
	unit   string
	values [2]float64 // of the bound, of the log
	goal   float64
	atMost bool // the ratio may not be above the goal; else not below
}

func (r bound) print(out *tabwriter.Writer) {
	ratio := r.values[1] / r.values[0]
	sign, reached := "at least", ratio >= r.goal
	if r.atMost {
		sign, reached = "at most", ratio <= r.goal
	}
	verdict := "reached"
	if !reached {
		verdict = "MISSED"
	}
	fmt.Fprintf(out, "%s\t%.2f %s\t%.2f %s\t%.2f\t%s %.2f\t%s\n", r.what, r.values[0], r.unit, r.values[1], r.unit, ratio, sign, r.goal, verdict)
}

const boundRuns = 5

// alternate measures both in turn and returns the medians.
func alternate(bound, log func() float64) [2]float64 {
	var all [2][]float64
	for range boundRuns {
		all[0] = append(all[0], bound())
		all[1] = append(all[1], log())
	}
	return [2]float64{median(all[0]), median(all[1])}
}

func median(v []float64) float64 { return quantile(v, 0.5) }

func quantile(v []float64, q float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[min(int(q*float64(len(v))), len(v)-1)]
}

func bounds(b *testing.B) []bound {
	blocks := filledBlocks(b, 10)
	rows := []bound{
		{what: "append, 1,000 events a sync", unit: "M/s", goal: 1, values: alternate(
			func() float64 { return plainAppend(b, blocks, 1) }, func() float64 { return logAppend(b, blocks, 1) })},
		{what: "append, 10,000 events a sync", unit: "M/s", goal: 0.5, values: alternate(
			func() float64 { return plainAppend(b, blocks, 10) }, func() float64 { return logAppend(b, blocks, 10) })},
		{what: "64 producers, with encoding", unit: "M/s", goal: 0.45, values: alternate(
			func() float64 { return plainProduce(b) }, func() float64 { return logProduce(b) })},
	}
	rows = append(rows, latencies(b, blocks)...)
	return append(rows, readBounds(b)...)
}
