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
const SchemaVersion = 1

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

// Table is the present rows of one table of the schema.
type Table struct {
	Name    string
	Columns []Column // as in the schema, in its order
	// Rows gives the rows in the ascending order of their id, computed while it runs: no record may be applied meanwhile.
	// A row is valid until the next. It may run any number of times.
	Rows iter.Seq[Row]
}
