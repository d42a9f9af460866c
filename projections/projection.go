package projections

import (
	_ "embed"
	"iter"

	"btda/events"
)

// Schema is the SQL that makes the tables: CREATE TABLE statements with a comment on every column, and after the line
// IndexMarker the CREATE INDEX statements, which are best run when the rows are in.
//
//go:embed schema.sql
var Schema string

// SchemaVersion is the version of Schema. It grows with every change of a table.
const SchemaVersion = 9

// IndexMarker is the line of Schema that parts the tables from the indexes.
const IndexMarker = "-- indexes"

// Projection folds records into rows. It does no input or output and asks no clock.
type Projection interface {
	// Apply folds one record. The record and its event are the caller's: nothing of them is kept.
	Apply(r *events.Record)
}

// Column is one column of a table. Its values have its type or are NULL.
type Column struct {
	Name string
	Type Type
}

// Table is the rows of one table of the schema, as of the last record.
type Table struct {
	Name    string
	Columns []Column // as in the schema, in its order
	// Rows gives the rows in the ascending order of their id, computed while it runs: no record may be applied meanwhile.
	// A row is valid until the next. It may run any number of times.
	Rows iter.Seq[Row]
	// Changed gives the rows that may have changed since a position, as Rows does, for one who keeps a copy of the table.
	Changed func(since Position) iter.Seq[Change]
}

// Change is a row as it is now.
type Change struct {
	ID  int64
	Row Row // nil when there is no row with the id, and perhaps never was
}

func newTable(name string, columns []Column, changed func(Position) iter.Seq[Change]) Table {
	return Table{Name: name, Columns: columns, Changed: changed, Rows: func(yield func(Row) bool) {
		for c := range changed(0) {
			if c.Row != nil && !yield(c.Row) {
				return
			}
		}
	}}
}
