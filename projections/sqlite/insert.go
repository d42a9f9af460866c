package sqlite

import (
	"fmt"
	"strings"

	"btda/projections"
)

// inserter writes the rows of one table.
type inserter struct {
	table projections.Table
	many  *statement // inserts rowsPerInsert rows
	one   *statement // inserts one row
	batch batch
	rows  int64 // that were added
}

// newInserter prepares to insert rows. The clause says what to do with those that are there; without one that is an error.
func newInserter(c *connection, table projections.Table, clause string) (*inserter, error) {
	if len(table.Columns) == 0 {
		return nil, fmt.Errorf("it has no columns")
	}
	in := &inserter{table: table, batch: batch{columns: len(table.Columns), texts: arena{c: c}}}
	var err error
	if in.many, err = c.prepare(insertSQL(table, rowsPerInsert) + clause); err != nil {
		return nil, err
	}
	if in.one, err = c.prepare(insertSQL(table, 1) + clause); err != nil {
		in.many.close()
		return nil, err
	}
	return in, nil
}

func insertSQL(table projections.Table, rows int) string {
	names := make([]string, len(table.Columns))
	for i, column := range table.Columns {
		names[i] = quote(column.Name)
	}
	row := "(?" + strings.Repeat(",?", len(names)-1) + ")"
	return "INSERT INTO " + quote(table.Name) + " (" + strings.Join(names, ",") + ") VALUES " + row + strings.Repeat(","+row, rows-1)
}

// quote writes a name so that no keyword or character in it has a meaning.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// add takes in a row, and copies what it needs of it.
func (in *inserter) add(row projections.Row) error {
	in.rows++
	if len(row) != len(in.table.Columns) {
		return fmt.Errorf("table %s, row %d: %d values for %d columns", in.table.Name, in.rows, len(row), len(in.table.Columns))
	}
	for i := range row {
		if err := in.batch.add(&row[i], in.table.Columns[i].Type); err != nil {
			return fmt.Errorf("table %s, row %d, column %s: %w", in.table.Name, in.rows, in.table.Columns[i].Name, err)
		}
	}
	if in.batch.rows() < rowsPerInsert {
		return nil
	}
	return in.flush()
}

// flush writes the rows that were added and not yet written.
func (in *inserter) flush() error {
	n := in.batch.rows()
	defer in.batch.clear()
	if n == rowsPerInsert {
		return in.insert(in.many, 0)
	}
	for i := range n {
		if err := in.insert(in.one, i); err != nil {
			return err
		}
	}
	return nil
}

// insert runs a statement with the rows of the batch from the one with index first.
func (in *inserter) insert(s *statement, first int) error {
	err := in.batch.bindTo(s, first)
	if err == nil {
		err = s.run()
	}
	if err == nil {
		return nil
	}
	from := in.rows - int64(in.batch.rows()-first) + 1
	to := from + int64(s.parameters/in.batch.columns) - 1
	if from == to {
		return fmt.Errorf("table %s, row %d: %w", in.table.Name, from, err)
	}
	return fmt.Errorf("table %s, one of the rows %d to %d: %w", in.table.Name, from, to, err)
}

func (in *inserter) close() {
	in.many.close()
	in.one.close()
	in.batch.texts.release(0)
}
