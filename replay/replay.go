package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"btda/events"
	"btda/events/eventlog"
	"btda/projections"
	"btda/projections/sqlite"
)

// recordsPerCheck records are folded between two looks at the context.
const recordsPerCheck = 4096

// Run replays logs into a SQLite file. When it fails, or ctx is done before the end, no file is written and one that exists
// stays as it is.
func Run(ctx context.Context, o Options) (Result, error) {
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	set, err := projections.NewSet(o.Projections)
	if err != nil {
		return Result{}, err
	}
	return o.open(ctx, func(all logs) (Result, error) { return replayTo(ctx, &o, all, set) })
}

// Fold hands the records of the logs of some options, up to Options.Until, to a projection of the caller's own, in the order of the
// package. Records of kinds or versions that this program does not know are counted in the result and not handed over. Output, Projections
// and Selection are not looked at.
func Fold(ctx context.Context, o Options, p projections.Projection) (Result, error) {
	if len(o.Logs) == 0 {
		return Result{}, errNoLog
	}
	return o.open(ctx, func(all logs) (Result, error) {
		result, err := fold(ctx, &o, all, p)
		if err == nil {
			err = result.checkEnds(all)
		}
		return result, err
	})
}

// open opens the logs for some work, and adds to its result what is known of the logs.
func (o *Options) open(ctx context.Context, work func(logs) (Result, error)) (Result, error) {
	opened, duplicates, err := openLogs(ctx, o.Logs)
	if err != nil {
		return Result{}, err
	}
	all, later, err := opened.stop(ctx, &o.Until)
	if err != nil {
		return Result{}, errors.Join(err, opened.close())
	}
	o.stops = o.Until.texts(all)
	result, err := work(all)
	if err = errors.Join(err, all.close()); err != nil {
		return Result{}, err
	}
	result.Duplicates, result.Later, result.Unreached = duplicates, later, o.Until.unreached(all, later)
	return result, nil
}

// replayTo creates the file first, so that a name that does not fit is told before the work.
func replayTo(ctx context.Context, o *Options, all logs, set *projections.Set) (result Result, err error) {
	w, err := sqlite.Create(o.Output)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if result, err = foldSet(ctx, o, all, set); err != nil {
		return Result{}, err
	}
	for _, table := range o.tables(set, &result) {
		o.Progress.writing(table.Name)
		rows, err := w.Write(ctx, table)
		if err != nil {
			return Result{}, err
		}
		o.Progress.wrote(rows)
		result.Tables = append(result.Tables, Table{Name: table.Name, Rows: rows})
	}
	if err := checkPlaces(o.Projections.Places); err != nil {
		return Result{}, err
	}
	if err := o.SQL.run(ctx, w); err != nil {
		return Result{}, err
	}
	return result, w.Finish(ctx)
}

// foldSet shows a set all that counts of some logs.
func foldSet(ctx context.Context, o *Options, all logs, set *projections.Set) (Result, error) {
	torrents, err := define(ctx, all, set)
	if err != nil {
		return Result{}, err
	}
	if err := o.Selection.check(torrents); err != nil {
		return Result{}, err
	}
	result, err := fold(ctx, o, all, set)
	if err != nil {
		return Result{}, err
	}
	cut := func(r Recording) bool { return r.Ending == Cut }
	result.Partial = o.Selection.set() || slices.ContainsFunc(result.Runs, cut)
	return result, result.checkEnds(all)
}

// tables gives all tables with the rows that are selected.
func (o *Options) tables(set *projections.Set, result *Result) []projections.Table {
	tables := set.Tables()
	if o.Selection.set() {
		f := newFilter(&o.Selection)
		for i := range tables {
			tables[i] = f.table(tables[i])
		}
	}
	return append(tables, provenance(o, result))
}

// define shows the set the run and torrent records of all logs, and says which torrents there are.
func define(ctx context.Context, all logs, set *projections.Set) (torrents map[events.InfoHash]bool, err error) {
	torrents = map[events.InfoHash]bool{}
	m, scanners := all.scan((*eventlog.Reader).Definitions)
	err = each(ctx, m, func(r *events.Record) error {
		if e, ok := r.Event.(*events.TorrentAdded); ok {
			torrents[e.InfoHash] = true
		}
		return set.Define(r)
	})
	return torrents, errors.Join(err, closeScanners(scanners))
}

// fold applies what counts of all logs.
func fold(ctx context.Context, o *Options, all logs, p projections.Projection) (Result, error) {
	o.Progress.expect(all)
	m, scanners := all.scan(func(r *eventlog.Reader) *eventlog.Scanner { return r.Scan(1) })
	counts := newCounter(all)
	var n uint64
	err := each(ctx, m, func(r *events.Record) error {
		if n++; n%recordsPerCheck == 0 {
			o.Progress.folded(n)
		}
		if counts.add(r) {
			p.Apply(r)
		}
		return nil
	})
	o.Progress.folded(n)
	result := counts.result(scanners)
	return result, errors.Join(err, closeScanners(scanners))
}

// each hands the records of a merge to a function, in their order.
func each(ctx context.Context, m *merger, use func(*events.Record) error) error {
	for n := 0; m.Next(); n++ {
		if n%recordsPerCheck == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := use(m.Record()); err != nil {
			return err
		}
	}
	return m.Err()
}

// checkPlaces asks the geolocation files, where they can tell, whether a place could not be read: a result
// without it would look complete. Places are looked up while rows are written.
func checkPlaces(places projections.PlaceFinder) error {
	if p, ok := places.(interface{ Err() error }); ok {
		if err := p.Err(); err != nil {
			return fmt.Errorf("cannot look up places, get the file again or name another one: %w", err)
		}
	}
	return nil
}
