package replay

import (
	"context"
	"errors"
	"fmt"

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
	all, duplicates, err := openLogs(o.Logs)
	if err != nil {
		return Result{}, err
	}
	result, err := replayTo(ctx, &o, all, set)
	if err = errors.Join(err, all.close()); err != nil {
		return Result{}, err
	}
	result.Duplicates = duplicates
	return result, nil
}

// replayTo creates the file first, so that a name that does not fit is told before the work.
func replayTo(ctx context.Context, o *Options, all logs, set *projections.Set) (result Result, err error) {
	w, err := sqlite.Create(o.Output)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := define(ctx, all, set); err != nil {
		return Result{}, err
	}
	if result, err = fold(ctx, all, set); err != nil {
		return Result{}, err
	}
	if err := result.checkEnds(all); err != nil {
		return Result{}, err
	}
	tables := append(set.Tables(), provenance(o, &result))
	for _, table := range tables {
		rows, err := w.Write(ctx, table)
		if err != nil {
			return Result{}, err
		}
		result.Tables = append(result.Tables, Table{Name: table.Name, Rows: rows})
	}
	if err := checkPlaces(o.Projections.Places); err != nil {
		return Result{}, err
	}
	return result, w.Finish(ctx)
}

// define shows the set the run and torrent records of all logs.
func define(ctx context.Context, all logs, set *projections.Set) error {
	m, scanners := all.scan((*eventlog.Reader).Definitions)
	err := each(ctx, m, set.Define)
	return errors.Join(err, closeScanners(scanners))
}

// fold applies all records of all logs.
func fold(ctx context.Context, all logs, set *projections.Set) (Result, error) {
	m, scanners := all.scan(func(r *eventlog.Reader) *eventlog.Scanner { return r.Scan(1) })
	counts := newCounter(all)
	err := each(ctx, m, func(r *events.Record) error {
		if counts.add(r) {
			set.Apply(r)
		}
		return nil
	})
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
