package sqlite

import (
	"context"
	"fmt"
	"strings"

	"btda/projections"
)

// edit changes the rows of a table, by their ids.
type edit struct {
	ctx    context.Context
	rows   int
	in     *inserter
	delete *statement
}

// Update writes the rows of a table that changed since a position. Those that are there and the same are not written.
func (k *Keeper) Update(ctx context.Context, table projections.Table, since projections.Position) error {
	return k.edit(ctx, table, func(e *edit) error {
		for change := range table.Changed(since) {
			if err := e.change(change); err != nil {
				return err
			}
		}
		return nil
	})
}

// Replace makes the rows of a table those that it has now, whatever was there. Those that are there and the same are not written.
func (k *Keeper) Replace(ctx context.Context, table projections.Table) error {
	there, err := k.ids(table.Name)
	if err != nil {
		return err
	}
	return k.edit(ctx, table, func(e *edit) error {
		for row := range table.Rows {
			for id := row[0].Integer; len(there) > 0 && there[0] <= id; there = there[1:] {
				if there[0] == id {
					continue
				}
				if err := e.change(projections.Change{ID: there[0]}); err != nil {
					return err
				}
			}
			if err := e.change(projections.Change{ID: row[0].Integer, Row: row}); err != nil {
				return err
			}
		}
		for _, id := range there {
			if err := e.change(projections.Change{ID: id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ids lists the ids of a table of the file, ascending.
func (k *Keeper) ids(table string) (all []int64, err error) {
	c, err := k.Query("SELECT id FROM main." + quote(table) + " ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for c.Next() {
		all = append(all, c.Row()[0].Integer)
	}
	return all, c.Err()
}

// edit lets a function change a table.
func (k *Keeper) edit(ctx context.Context, table projections.Table, work func(*edit) error) error {
	in, err := newInserter(k.c, table, unlessSame(table))
	if err != nil {
		return fmt.Errorf("%s: table %s: %w", k.path, table.Name, err)
	}
	defer in.close()
	e := &edit{ctx: ctx, in: in}
	if e.delete, err = k.c.prepare("DELETE FROM main." + quote(table.Name) + " WHERE id = ?"); err != nil {
		return fmt.Errorf("%s: table %s: %w", k.path, table.Name, err)
	}
	defer e.delete.close()
	err = k.c.interruptible(ctx, func() error {
		if err := work(e); err != nil {
			return err
		}
		return in.flush()
	})
	if err != nil {
		return fmt.Errorf("%s: %w", k.path, err)
	}
	return nil
}

// change writes or removes a row.
func (e *edit) change(c projections.Change) error {
	if e.rows++; e.rows%rowsPerCheck == 0 && e.ctx.Err() != nil {
		return context.Cause(e.ctx)
	}
	if c.Row != nil {
		return e.in.add(c.Row)
	}
	if err := (cell{kind: projections.Integer, number: uint64(c.ID)}).bind(e.delete, 1); err != nil {
		return err
	}
	return e.delete.run()
}

// unlessSame is the clause by which a row takes the place of the one with its id, if it differs.
func unlessSame(table projections.Table) string {
	var set, old, fresh []string
	for _, column := range table.Columns[1:] {
		name := quote(column.Name)
		set = append(set, name+" = excluded."+name)
		old = append(old, quote(table.Name)+"."+name)
		fresh = append(fresh, "excluded."+name)
	}
	return " ON CONFLICT (id) DO UPDATE SET " + strings.Join(set, ", ") + " WHERE (" + strings.Join(old, ", ") + ") IS NOT (" + strings.Join(fresh, ", ") + ")"
}
