package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // reads the files back

	"btda/projections"
	"btda/projections/sqlite"
)

var scrapeColumns = []projections.Column{
	{Name: "id", Type: projections.Integer}, {Name: "tracker", Type: projections.Text}, {Name: "torrent", Type: projections.Integer},
	{Name: "time", Type: projections.Integer}, {Name: "seeders", Type: projections.Integer},
}

func number(v int64) projections.Value {
	return projections.Value{Type: projections.Integer, Integer: v}
}

func real(v float64) projections.Value {
	return projections.Value{Type: projections.Real, Real: v}
}

func text(v string) projections.Value {
	return projections.Value{Type: projections.Text, Text: v}
}

// scrapes makes a table from rows.
func scrapes(rows ...projections.Row) projections.Table {
	return projections.Table{Name: "scrape", Columns: scrapeColumns, Rows: slices.Values(rows)}
}

// manyScrapes makes a table of n rows, each in the same memory, as projections do it. Texts differ in length and some are long.
func manyScrapes(n int) projections.Table {
	rows := func(yield func(projections.Row) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		row := make(projections.Row, len(scrapeColumns))
		for i := range n {
			row[0], row[2], row[3] = number(int64(i+1)), number(random.Int64N(19)), number(random.Int64())
			row[1], row[4] = text(strings.Repeat("x", random.IntN(50))), projections.Value{}
			if i%1000 == 999 {
				row[1] = text(strings.Repeat("long", random.IntN(40_000)))
			}
			if random.IntN(2) == 0 {
				row[4] = number(random.Int64N(300))
			}
			if !yield(row) {
				return
			}
		}
	}
	return projections.Table{Name: "scrape", Columns: scrapeColumns, Rows: rows}
}

// write makes a whole file.
func write(ctx context.Context, path string, tables ...projections.Table) error {
	w, err := sqlite.Create(path)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := w.Write(ctx, table); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return errors.Join(w.Finish(ctx), w.Close())
}

func mustWrite(t *testing.T, path string, tables ...projections.Table) {
	t.Helper()
	if err := write(t.Context(), path, tables...); err != nil {
		t.Fatal(err)
	}
}

// query gives the rows that a statement selects, with columns parted by "|".
func query(t *testing.T, path, statement string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
