package replay

import (
	"iter"
	"slices"

	"btda/events"
	"btda/projections"
)

// tableRow is a row of a table, by the names of its columns.
type tableRow struct {
	columns map[string]int
	row     projections.Row
}

// tableRows gives the rows of the table with a name; each is valid until the next.
func tableRows(tables []projections.Table, name string) iter.Seq[tableRow] {
	return func(yield func(tableRow) bool) {
		i := slices.IndexFunc(tables, func(t projections.Table) bool { return t.Name == name })
		if i < 0 {
			panic("replay: no table " + name)
		}
		columns := map[string]int{}
		for at, column := range tables[i].Columns {
			columns[column.Name] = at
		}
		for row := range tables[i].Rows {
			if !yield(tableRow{columns, row}) {
				return
			}
		}
	}
}

// value panics where there is no such column, which is a mistake of this package.
func (r tableRow) value(column string) projections.Value {
	at, ok := r.columns[column]
	if !ok {
		panic("replay: no column " + column)
	}
	return r.row[at]
}

// integer is 0 for NULL.
func (r tableRow) integer(column string) int64 { return r.value(column).Integer }

// standing reads how far a peer was; goal is 0 where the number of pieces is unknown.
func (r tableRow) standing(goal int64) standing {
	var s standing
	for _, column := range []string{"first_pieces", "last_pieces"} {
		if v := r.value(column); v.Type == projections.Integer {
			s.pieces = events.Some(uint64(v.Integer))
			s.complete = s.complete || goal > 0 && v.Integer >= goal
		}
	}
	return s
}
