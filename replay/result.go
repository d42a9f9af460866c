package replay

import (
	"fmt"
	"maps"
	"slices"

	"btda/events"
	"btda/events/eventlog"
)

// Result says what was replayed, and what came of it.
type Result struct {
	Runs       []Recording // in the order of their first record's time, then run id
	Duplicates []Duplicate // logs that were not counted, because another log holds the same run
	Later      []string    // paths of logs that were not counted, because they begin after Options.Until
	Unreached  []string    // bounds of Options.Until behind the end of the logs, which cut nothing off
	Partial    bool        // Options.Until cut records off, or Options.Selection left out rows
	Tables     []Table     // in the order of the schema
}

// Recording is what was read of one run.
type Recording struct {
	ID      events.RunID
	Path    string // of the log
	Program string // that recorded
	First   events.Seq
	Last    events.Seq
	Start   events.Time // of the first record
	End     events.Time // the latest of all records
	Digest  [32]byte    // content digest, see eventlog.Scanner
	Ending  Ending
	Skipped []Skipped // records of kinds that this program does not know, ascending
}

// Ending says how what was read of a run ends.
type Ending string

// The endings.
const (
	Sealed Ending = "sealed" // at the end of the log, which proves that nothing is missing
	// Open is the end of a log whose recorder did not end in order. Events may be missing there, and that cannot be proven.
	Open Ending = "open"
	Cut  Ending = "cut" // by Options.Until: the log holds more
)

// Skipped counts the records of a kind, or of its versions, that this program does not know.
type Skipped struct {
	Kind  events.Kind
	Count uint64
}

// Table is a table that was written.
type Table struct {
	Name string
	Rows int64
}

// Events counts the records of all runs, the skipped ones included.
func (r *Result) Events() uint64 {
	var n uint64
	for _, run := range r.Runs {
		n += uint64(run.Last-run.First) + 1
	}
	return n
}

// Skipped adds up what was skipped in all runs, by kind.
func (r *Result) Skipped() []Skipped {
	counts := make(map[events.Kind]uint64)
	for _, run := range r.Runs {
		for _, s := range run.Skipped {
			counts[s.Kind] += s.Count
		}
	}
	return sortSkipped(counts)
}

func sortSkipped(counts map[events.Kind]uint64) []Skipped {
	var all []Skipped
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, Skipped{Kind: kind, Count: counts[kind]})
	}
	return all
}

// counter counts records as they are folded.
type counter struct {
	runs []Recording
	at   int // run of the last record
}

func newCounter(all logs) *counter {
	c := new(counter)
	for _, l := range all {
		c.runs = append(c.runs, Recording{ID: l.reader.Run(), Path: l.path, First: 1, Start: l.start, Ending: l.ending()})
	}
	return c
}

// add counts a record and reports whether its kind is known.
func (c *counter) add(r *events.Record) bool {
	if c.runs[c.at].ID != r.Run {
		c.at = slices.IndexFunc(c.runs, func(run Recording) bool { return run.ID == r.Run })
	}
	run := &c.runs[c.at]
	run.Last, run.End = r.Seq, max(run.End, r.Time)
	switch e := r.Event.(type) {
	case *events.Unknown:
		return false
	case *events.RunStarted:
		run.Program = e.Program
	}
	return true
}

// result adds what the scanners know, one for each run.
func (c *counter) result(scanners []*eventlog.Scanner) Result {
	for i, s := range scanners {
		c.runs[i].Digest = s.Digest()
		c.runs[i].Skipped = sortSkipped(s.Skipped())
	}
	return Result{Runs: c.runs}
}

// checkEnds holds what was read against what there is: a sealed log ends where its seal says, and one without a seal shows no sign that
// more was there.
func (r *Result) checkEnds(all logs) error {
	for i, l := range all {
		switch seal, sealed := l.reader.Sealed(); {
		case l.until <= l.last:
		case !sealed:
			if err := l.reader.CheckEnd(); err != nil {
				return fmt.Errorf("cannot replay to the end, name an earlier one with --until: %w", err)
			}
		case seal.Last != r.Runs[i].Last:
			return fmt.Errorf("log %s: %w: it ends with record %d, its seal says %d", l.path, eventlog.ErrDamaged, r.Runs[i].Last, seal.Last)
		}
	}
	return nil
}
