package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"btda/events"
	"btda/events/eventlog"
	"btda/projections"
	"btda/projections/sqlite"
)

// Tail is a log that may still grow: an *eventlog.Log that is being written, or what a recorder offers of it.
type Tail interface {
	Definitions(ctx context.Context) *eventlog.Scanner           // of what is durable; waits for the first record
	Scan(ctx context.Context, from events.Seq) *eventlog.Scanner // waits for what is not durable yet; ends when the log was closed
	Sealed() bool                                                // whether it was closed in order
}

// Follower keeps the tables of one log in a file while the log grows, and ends with the log. What it writes is committed together with
// the position in the log, which is log.1.last_sequence in the table provenance: each transaction leaves the tables that a replay up
// to there gives. State is not stored: a follower that begins folds from the start of the log, and so does one that is told
// of metadata late, and then writes the rows that differ.
type Follower struct {
	Tail Tail
	// Options say how to understand the records and where the tables are kept. Logs, Until, Selection and SQL must be zero.
	Options Options
	// Interval is the least time between two transactions; 0 is a second. A transaction that takes longer is followed by as long a rest.
	Interval time.Duration
	Hurry    <-chan struct{}     // when closed, no more rests are taken; may be nil
	Advanced func(last Position) // is called after each transaction; may be nil
	Waiting  func(error)         // is called when another program begins to hold a lock on the file; may be nil

	keeper  *sqlite.Keeper
	waiting bool
}

// Position is how far a follower got: the number of the last record in the tables, and its time.
type Position struct {
	Last events.Seq
	Time events.Time
}

// Run follows until the log ends, and gives what a replay of it gives. When ctx is done before, or with any other error, the file is as the
// last transaction left it, and the next follower goes on from there.
func (f *Follower) Run(ctx context.Context) (result Result, err error) {
	if err := f.validate(); err != nil {
		return Result{}, err
	}
	if f.keeper, err = sqlite.Keep(ctx, f.Options.Output); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, f.keeper.Close()) }()
	hold := f.Tail.Scan(ctx, 1) // reads nothing: a log that is closed meanwhile stays open for another fold
	defer func() { err = errors.Join(err, hold.Close()) }()
	for {
		chase, err := f.begin(ctx)
		if err != nil {
			return Result{}, err
		}
		result, err := chase.run(ctx)
		if err = errors.Join(err, chase.records.Close()); !errors.Is(err, errLate) {
			return result, err
		}
	}
}

// Check tells before the work whether the file can be kept. It makes an empty one where there is none.
func (f *Follower) Check(ctx context.Context) error {
	keeper, err := sqlite.Keep(ctx, f.Options.Output)
	if err != nil {
		return err
	}
	return keeper.Close()
}

func (f *Follower) validate() error {
	o := &f.Options
	switch {
	case o.Output == "":
		return errors.New("no name of the file to keep")
	case len(o.Logs) > 0 || len(o.Until.Stops) > 0 || o.Until.Time != 0 || o.Selection.set() || o.SQL != nil:
		return errors.New("to follow is to keep all of one log: choose parts of it with a replay")
	}
	return nil
}

// chase is one fold from the start of the log on.
type chase struct {
	*Follower
	set     *projections.Set
	records *eventlog.Scanner
	defined events.Seq // definitions up to there are known to the set
	counts  *counter
	since   projections.Position // of the last transaction; 0 before the first
}

// begin tells a new set the definitions that there are.
func (f *Follower) begin(ctx context.Context) (*chase, error) {
	set, err := projections.NewSet(f.Options.Projections)
	if err != nil {
		return nil, err
	}
	c := &chase{Follower: f, set: set}
	definitions := f.Tail.Definitions(ctx)
	err = c.define(ctx, definitions)
	c.defined = definitions.Reach()
	if err = errors.Join(err, definitions.Close()); err != nil {
		return nil, err
	}
	if c.counts == nil {
		return nil, errors.New("the log ended before its first record")
	}
	c.records = f.Tail.Scan(ctx, 1)
	return c, nil
}

func (c *chase) define(ctx context.Context, definitions *eventlog.Scanner) error {
	for definitions.Next() {
		r := definitions.Record()
		if c.counts == nil {
			c.counts = &counter{runs: []Recording{{ID: r.Run, First: 1, Start: r.Time, Ending: Open}}}
			if err := c.checkOwner(); err != nil {
				return err
			}
		}
		if err := c.set.Define(r); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return definitions.Err()
}

// errLate says that a definition came after records that it gives a meaning.
var errLate = errors.New("a definition came late")

// late reports whether a record is a definition that the set was not told of.
func (c *chase) late(r *events.Record) bool {
	if r.Seq <= c.defined {
		return false
	}
	switch r.Event.(type) {
	case *events.TorrentAdded, *events.MetadataReceived:
		return true
	}
	return false
}

// run folds to the end of the log.
func (c *chase) run(ctx context.Context) (Result, error) {
	for n := 1; c.records.Next(); n++ {
		r := c.records.Record()
		if c.late(r) {
			return Result{}, errLate
		}
		if n%recordsPerCheck == 0 && ctx.Err() != nil {
			return Result{}, context.Cause(ctx)
		}
		if c.counts.add(r) {
			c.set.Apply(r)
		}
		if at := r.Seq; at >= c.defined && at >= c.records.Reach() {
			if err := c.pause(ctx); err != nil {
				return Result{}, err
			}
		}
	}
	if err := c.records.Err(); err != nil {
		return Result{}, err
	}
	if c.Tail.Sealed() {
		c.counts.runs[0].Ending = Sealed
	}
	for {
		result, err := c.commit(ctx)
		if err == nil || !errors.Is(err, sqlite.ErrBusy) {
			return result, err
		}
		if err := c.rest(ctx, busyRest); err != nil {
			return Result{}, err
		}
	}
}

// busyRest is how long a file is left alone that another program holds a lock on.
const busyRest = time.Second

// pause writes what has come, and leaves the log and the file alone for a while.
func (c *chase) pause(ctx context.Context) error {
	if err := c.records.Rest(); err != nil {
		return err
	}
	began := time.Now()
	if _, err := c.commit(ctx); err != nil && !errors.Is(err, sqlite.ErrBusy) {
		return err
	}
	if isClosed(c.Hurry) {
		return nil
	}
	return c.rest(ctx, max(c.interval(), time.Since(began)))
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func (f *Follower) interval() time.Duration {
	if f.Interval == 0 {
		return time.Second
	}
	return f.Interval
}

// rest waits, unless there is hurry.
func (f *Follower) rest(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	hurry := f.Hurry
	if isClosed(hurry) {
		hurry = nil // a rest that must be
	}
	select {
	case <-timer.C:
	case <-hurry:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// commit writes the rows that changed, in one transaction with the position. When the file is busy, it tells so once.
func (c *chase) commit(ctx context.Context) (Result, error) {
	result := c.counts.result([]*eventlog.Scanner{c.records})
	err := c.write(ctx, &result)
	switch {
	case err == nil:
		c.waiting = false
		c.since = c.set.Position()
		if c.Advanced != nil {
			c.Advanced(Position{Last: result.Runs[0].Last, Time: result.Runs[0].End})
		}
	case errors.Is(err, sqlite.ErrBusy) && !c.waiting:
		c.waiting = true
		if c.Waiting != nil {
			c.Waiting(err)
		}
	}
	return result, err
}

func (c *chase) write(ctx context.Context, result *Result) error {
	known, err := c.keeper.Begin()
	if err != nil {
		return err
	}
	for _, table := range append(c.set.Tables(), provenance(&c.Options, result)) {
		if known && c.since > 0 && table.Changed != nil {
			err = c.keeper.Update(ctx, table, c.since)
		} else {
			err = c.keeper.Replace(ctx, table)
		}
		if err != nil {
			return errors.Join(err, c.keeper.Rollback())
		}
	}
	if err := checkPlaces(c.Options.Projections.Places); err != nil {
		return errors.Join(err, c.keeper.Rollback())
	}
	return c.keeper.Commit(ctx)
}

// checkOwner refuses a file that has the tables of another log, or of other options.
func (c *chase) checkOwner() error {
	there, err := readFacts(c.keeper)
	if err != nil || len(there) == 0 {
		return err
	}
	here := map[string]*string{}
	for _, f := range (&Result{Runs: c.counts.runs}).facts(&c.Options) {
		if here[f.name] = nil; f.value.Type == projections.Text {
			here[f.name] = &f.value.Text
		}
	}
	for _, name := range slices.Sorted(maps.Keys(mergeFacts(there, here))) {
		if lasting.MatchString(name) && !equalFacts(there[name], here[name]) {
			return fmt.Errorf("%s has the tables of another log or of other options, its %s is %s and not %s: name another file, or remove it",
				c.Options.Output, name, factText(there[name]), factText(here[name]))
		}
	}
	return nil
}

// lasting are the facts that stay the same while a log grows, whatever version of the program reads it.
var lasting = regexp.MustCompile(`^(option|place)\.|^partial$|^log\.[0-9]+\.run$`)

func mergeFacts(a, b map[string]*string) map[string]*string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func factText(value *string) string {
	if value == nil {
		return "not said"
	}
	return strconv.Quote(*value)
}
