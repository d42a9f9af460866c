package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"btda/projections"
	"btda/projections/sqlite"
)

// Comparison compares two results of replays. Rows are the same when they have the same key: the id, which means the same in results of
// the same logs, or what a row is about, where that is known (the info hash of a torrent, what a failure counts).
type Comparison struct {
	Old, New string // paths
	// Report is told every row that was added, removed or changed, table by table in the order of their keys; nil where only the counts
	// are wanted. What it is told is valid during the call.
	Report func(RowChange) error
}

// Difference is what two results do not have in common.
type Difference struct {
	Tables   []TableDifference // of every table, in the order of their names; provenance is not among them
	Facts    []FactDifference  // rows of provenance, by name
	Torrents []Downloads       // of every torrent in either, in the order of their info hashes
}

// TableDifference counts the rows of a table that differ.
type TableDifference struct {
	Name       string
	OnlyIn     Side     // the one result that has the table; then nothing else is said
	OldColumns []string // that only the old one has; they are not compared
	NewColumns []string // that only the new one has; they are not compared
	Rows       [2]int64 // in the old one and in the new one
	Added      int64
	Removed    int64
	Changed    int64
	Renumbered int64 // rows that differ in nothing but their id, which is not their key
}

// Side is one of two results.
type Side string

// The sides.
const (
	Old Side = "old"
	New Side = "new"
)

// Same reports whether the tables are equal.
func (t *TableDifference) Same() bool {
	return t.OnlyIn == "" && len(t.OldColumns)+len(t.NewColumns) == 0 && t.Added+t.Removed+t.Changed+t.Renumbered == 0
}

// SameRows reports whether all tables are equal, provenance aside.
func (d *Difference) SameRows() bool {
	return !slices.ContainsFunc(d.Tables, func(t TableDifference) bool { return !t.Same() })
}

// RowChange is a row that one result has and the other one has not, or not so.
type RowChange struct {
	Table   string
	Columns []string // that are compared, in the order of the new table
	Key     []int    // of these, those that say which row it is
	Differ  []int    // of these, those that differ; empty for a row that was added or removed
	Old     projections.Row
	New     projections.Row // nil for a row that was removed, as Old is for one that was added
}

// Run compares. Memory is bounded, however many rows there are.
func (c Comparison) Run(ctx context.Context) (Difference, error) {
	before, err := sqlite.Open(ctx, c.Old)
	if err != nil {
		return Difference{}, err
	}
	after, err := sqlite.Open(ctx, c.New)
	if err != nil {
		return Difference{}, errors.Join(err, before.Close())
	}
	d, err := c.compare(pair[*sqlite.Reader]{before, after})
	if err = errors.Join(err, before.Close(), after.Close()); ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return d, err
}

// pair has something of the old and of the new result.
type pair[T any] struct{ old, new T }

func (c Comparison) compare(readers pair[*sqlite.Reader]) (d Difference, err error) {
	var tables pair[[]sqlite.Layout]
	if tables.old, err = readers.old.Tables(); err != nil {
		return d, err
	}
	if tables.new, err = readers.new.Tables(); err != nil {
		return d, err
	}
	for _, names := range alignTables(tables) {
		if names.name() == provenanceTable {
			continue
		}
		t, err := c.compareTable(readers, names)
		if err != nil {
			return d, err
		}
		d.Tables = append(d.Tables, t)
	}
	if d.Facts, err = compareFacts(readers); err != nil {
		return d, err
	}
	d.Torrents, err = compareDownloads(readers, tables)
	return d, err
}

// layouts are those of a table in both results; nil where one has it not.
type layouts pair[*sqlite.Layout]

func (l layouts) name() string {
	if l.new != nil {
		return l.new.Name
	}
	return l.old.Name
}

// alignTables brings tables of one name together. Both lists are in the order of the names.
func alignTables(tables pair[[]sqlite.Layout]) (all []layouts) {
	for len(tables.old) > 0 || len(tables.new) > 0 {
		switch {
		case len(tables.new) == 0 || len(tables.old) > 0 && tables.old[0].Name < tables.new[0].Name:
			all = append(all, layouts{old: &tables.old[0]})
			tables.old = tables.old[1:]
		case len(tables.old) == 0 || tables.new[0].Name < tables.old[0].Name:
			all = append(all, layouts{new: &tables.new[0]})
			tables.new = tables.new[1:]
		default:
			all = append(all, layouts{&tables.old[0], &tables.new[0]})
			tables.old, tables.new = tables.old[1:], tables.new[1:]
		}
	}
	return all
}

// without gives what of a list the other has not.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(other, name) })
}

func (c Comparison) compareTable(readers pair[*sqlite.Reader], l layouts) (TableDifference, error) {
	d := TableDifference{Name: l.name()}
	switch {
	case l.old == nil:
		d.OnlyIn = New
		return d, nil
	case l.new == nil:
		d.OnlyIn = Old
		return d, nil
	}
	d.OldColumns, d.NewColumns = without(l.old.Columns, l.new.Columns), without(l.new.Columns, l.old.Columns)
	common := without(l.new.Columns, d.NewColumns)
	if len(common) == 0 {
		return d, nil
	}
	order := sqlite.Order{Table: d.Name, Columns: common, Key: keyOf(l, common)}
	before, err := readers.old.Scan(order)
	if err != nil {
		return d, err
	}
	defer before.Close()
	after, err := readers.new.Scan(order)
	if err != nil {
		return d, err
	}
	defer after.Close()
	j := newJoin(order, pair[*sqlite.Cursor]{before, after})
	j.report, j.difference = c.Report, &d
	if err := j.run(); err != nil {
		return d, fmt.Errorf("table %s: %w", d.Name, err)
	}
	return d, nil
}

// naturalKeys are the columns that say what a row is about, of tables whose ids say nothing about that.
var naturalKeys = map[string][]string{
	"torrent":         {"info_hash_hex"},
	"failure":         {"torrent", "activity", "tracker", "direction", "phase", "reason", "contact", "transport", "encryption"},
	"threshold_sweep": {"torrent", "threshold"},
	"message_wait":    {"torrent", "seconds"},
	"peer_source":     {"peer", "source"},
}

// keyOf gives the columns by which rows of a table are found in the other result: all, where a table has no key.
func keyOf(l layouts, common []string) []string {
	for _, key := range [][]string{naturalKeys[l.name()], l.new.Key, l.old.Key} {
		if len(key) > 0 && len(without(key, common)) == 0 {
			return key
		}
	}
	return common
}
