package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"btda/projections"
	"btda/projections/sqlite"
)

// keep changes a file in one transaction.
func keep(t *testing.T, k *sqlite.Keeper, change func() error) (known bool) {
	t.Helper()
	known, err := k.Begin()
	if err == nil {
		err = errors.Join(change(), k.Commit(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func openKeeper(t *testing.T, path string) *sqlite.Keeper {
	t.Helper()
	k, err := sqlite.Keep(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func closeKeeper(t *testing.T, k *sqlite.Keeper) {
	t.Helper()
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
}

// scrapesWith gives rows of the table scrape by their ids, all with one count.
func scrapesWith(count int64, ids ...int64) projections.Table {
	var rows []projections.Row
	for _, id := range ids {
		rows = append(rows, projections.Row{number(id), number(count)})
	}
	return projections.Table{Name: "scrape", Columns: []projections.Column{{Name: "id", Type: projections.Integer}, {Name: "seeders", Type: projections.Integer}},
		Rows: slices.Values(rows)}
}

const allScrapes = "SELECT id, seeders FROM scrape ORDER BY id"

func wantScrapes(t *testing.T, path string, want ...string) {
	t.Helper()
	if got := query(t, path, allScrapes); !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func TestRowsAreReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.sqlite")
	k := openKeeper(t, path)
	for _, ids := range [][]int64{{2, 3, 5, 9}, {1, 3, 4, 5}, nil, {7}, {1, 2, 3}, {2}} {
		var want []string
		for _, id := range ids {
			want = append(want, fmt.Sprint(id, " ", len(ids)))
		}
		keep(t, k, func() error { return k.Replace(t.Context(), scrapesWith(int64(len(ids)), ids...)) })
		wantScrapes(t, path, want...)
	}
	closeKeeper(t, k)
	if left := names(t, filepath.Dir(path)); len(left) != 1 {
		t.Errorf("there are %v, want one file", left)
	}
	if got := query(t, path, "PRAGMA journal_mode"); got[0] == "wal" {
		t.Error("the file is still in WAL mode")
	}
}

func TestRowsAreUpdated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.sqlite")
	k := openKeeper(t, path)
	defer closeKeeper(t, k)
	keep(t, k, func() error { return k.Replace(t.Context(), scrapesWith(1, 1, 2, 3)) })
	table := scrapesWith(0)
	table.Changed = func(since projections.Position) iter.Seq[projections.Change] {
		if since != 17 {
			t.Errorf("asked for changes since %d, want 17", since)
		}
		return slices.Values([]projections.Change{{ID: 1}, {ID: 2, Row: projections.Row{number(2), {}}}, {ID: 4, Row: projections.Row{number(4), number(5)}}, {ID: 8}})
	}
	if known := keep(t, k, func() error { return k.Update(t.Context(), table, 17) }); !known {
		t.Error("the file is said to have been changed by others")
	}
	wantScrapes(t, path, "2 <nil>", "3 1", "4 5")
}

// A reader sees what one transaction left, for as long as it reads, and holds up nobody.
func TestReadersSeeWholeTransactions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.sqlite")
	k := openKeeper(t, path)
	defer closeKeeper(t, k)
	keep(t, k, func() error { return k.Replace(t.Context(), scrapesWith(1, 1, 2)) })
	reading, err := openResult(t, path).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Rollback()
	sum := func() (n int) {
		if err := reading.QueryRow("SELECT sum(seeders) FROM scrape").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := sum()
	for count := range int64(50) {
		keep(t, k, func() error {
			err := k.Replace(t.Context(), scrapesWith(count, 1, 2))
			if got := query(t, path, "SELECT min(seeders) = max(seeders) FROM scrape"); got[0] != "1" {
				t.Errorf("a reader sees half a transaction: %v", got)
			}
			return err
		})
	}
	if after := sum(); before != 2 || after != 2 {
		t.Errorf("a reader sees %d, then %d, want 2", before, after)
	}
	wantScrapes(t, path, "1 49", "2 49")
}

func TestWhatOthersWroteIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.sqlite")
	k := openKeeper(t, path)
	defer closeKeeper(t, k)
	nothing := func() error { return nil }
	if keep(t, k, nothing) || !keep(t, k, nothing) {
		t.Error("the first transaction knows what is there, or the second does not")
	}
	other := openResult(t, path)
	if _, err := other.Exec("INSERT INTO scrape (id) VALUES (6)"); err != nil {
		t.Fatal(err)
	}
	if keep(t, k, nothing) || !keep(t, k, nothing) {
		t.Error("a change by another program was not noticed, or twice")
	}
	locking, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer locking.Close()
	if _, err := locking.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Begin(); !errors.Is(err, sqlite.ErrBusy) {
		t.Errorf("while another program writes: error %v, want ErrBusy", err)
	}
	if _, err := locking.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if !keep(t, k, nothing) {
		t.Error("a lock of another program is taken for a change")
	}
}

// What was not committed is not there, whether it was stopped, failed, or the process ended.
func TestUncommittedRowsAreGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.sqlite")
	k := openKeeper(t, path)
	keep(t, k, func() error { return k.Replace(t.Context(), scrapesWith(1, 1)) })
	if _, err := k.Begin(); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancelCause(t.Context())
	stop(errors.New("enough"))
	if err := k.Replace(stopped, manyScrapes(5000)); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("error %v, want that it was stopped", err)
	}
	if err := k.Rollback(); err != nil {
		t.Fatal(err)
	}
	wantScrapes(t, path, "1 1")
	if keep(t, k, func() error { return nil }) {
		t.Error("after a failure the file is taken for known")
	}
	if _, err := k.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := k.Replace(t.Context(), scrapesWith(2, 2)); err != nil {
		t.Fatal(err)
	}
	closeKeeper(t, k)
	wantScrapes(t, path, "1 1")
}

func TestKeepersRefuseForeignFiles(t *testing.T) {
	folder := t.TempDir()
	garbage := filepath.Join(folder, "garbage.sqlite")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(folder, "foreign.sqlite")
	query(t, foreign, "CREATE TABLE scrape (id INTEGER PRIMARY KEY)")
	for path, want := range map[string]string{
		"": "no name of a file", folder: "cannot open", filepath.Join(folder, "no", "such.sqlite"): "cannot open",
		garbage: "not a database", foreign: "name another file",
		changed(t, "PRAGMA user_version = 1"): "it has version 1 of the tables",
	} {
		if k, err := sqlite.Keep(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", path, err, want)
			if err == nil {
				k.Close()
			}
		}
	}
	if got := query(t, foreign, "PRAGMA journal_mode"); got[0] != "delete" {
		t.Errorf("the foreign file was changed: journal mode %s", got[0])
	}
}
