package replay

import (
	"errors"
	"slices"
	"strings"

	"btda/projections"
	"btda/projections/sqlite"
)

// join goes through the rows of one table in two results at the same time, in the order of their keys.
type join struct {
	columns    []string
	key        []int // places of the key among the columns
	id         int   // place of an id that is not the key; -1 for none
	sides      pair[*side]
	difference *TableDifference
	report     func(RowChange) error
}

// side is one of the results, at one of its rows.
type side struct {
	cursor *sqlite.Cursor
	row    projections.Row // nil at the end
	key    []int
	last   projections.Row // key of the row before, copied
	rows   int64
}

func newJoin(o sqlite.Order, cursors pair[*sqlite.Cursor]) *join {
	j := &join{columns: o.Columns, id: -1}
	for _, name := range o.Key {
		j.key = append(j.key, slices.Index(o.Columns, name))
	}
	if !slices.Contains(o.Key, "id") {
		j.id = slices.Index(o.Columns, "id")
	}
	j.sides = pair[*side]{&side{cursor: cursors.old, key: j.key}, &side{cursor: cursors.new, key: j.key}}
	return j
}

var errDisorder = errors.New("its rows are not in the order of their keys, or too many: the file is damaged")

// next goes on to the next row. The order is checked, for a damaged file could otherwise go round in a circle.
func (s *side) next() error {
	if !s.cursor.Next() {
		s.row = nil
		return s.cursor.Err()
	}
	s.rows++
	s.row = s.cursor.Row()
	if s.rows > 1 {
		for i, at := range s.key {
			if c := sqlite.Compare(s.last[i], s.row[at]); c > 0 {
				return errDisorder
			} else if c < 0 {
				break
			}
		}
	}
	s.keep()
	return nil
}

// keep remembers the key of the row.
func (s *side) keep() {
	if s.last == nil {
		s.last = make(projections.Row, len(s.key))
	}
	for i, at := range s.key {
		v := s.row[at]
		if v.Text != "" {
			v.Text = strings.Clone(v.Text)
		}
		s.last[i] = v
	}
}

func (j *join) run() error {
	before, after := j.sides.old, j.sides.new
	err := errors.Join(before.next(), after.next())
	for err == nil && (before.row != nil || after.row != nil) {
		order := j.order()
		if err = j.tell(order); err != nil {
			break
		}
		if order <= 0 {
			err = before.next()
		}
		if order >= 0 {
			err = errors.Join(err, after.next())
		}
	}
	j.difference.Rows = [2]int64{before.rows, after.rows}
	return err
}

// order compares the keys of the two rows: negative when that of the old result comes first.
func (j *join) order() int {
	before, after := j.sides.old.row, j.sides.new.row
	switch {
	case before == nil:
		return 1
	case after == nil:
		return -1
	}
	for _, at := range j.key {
		if c := sqlite.Compare(before[at], after[at]); c != 0 {
			return c
		}
	}
	return 0
}

// tell counts and reports what the two rows are to each other.
func (j *join) tell(order int) error {
	change := RowChange{Table: j.difference.Name, Columns: j.columns, Key: j.key}
	switch {
	case order < 0:
		j.difference.Removed++
		change.Old = j.sides.old.row
	case order > 0:
		j.difference.Added++
		change.New = j.sides.new.row
	default:
		change.Old, change.New = j.sides.old.row, j.sides.new.row
		if change.Differ = j.differing(); len(change.Differ) == 0 {
			return nil
		}
		if len(change.Differ) == 1 && change.Differ[0] == j.id {
			j.difference.Renumbered++
			return nil
		}
		j.difference.Changed++
	}
	if j.report == nil {
		return nil
	}
	return j.report(change)
}

// differing lists the columns that differ, also in the type of their value.
func (j *join) differing() (columns []int) {
	for i := range j.columns {
		a, b := j.sides.old.row[i], j.sides.new.row[i]
		if a.Type != b.Type || sqlite.Compare(a, b) != 0 {
			columns = append(columns, i)
		}
	}
	return columns
}
