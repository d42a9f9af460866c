package sqlite_test

import (
	"context"
	"database/sql"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"btda/projections"
	"btda/projections/sqlite"
)

func openResult(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// writeResult writes a file with some scrapes.
func writeResult(t *testing.T, rows int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a result?#%41.sqlite") // a name that means something in an URI
	w, err := sqlite.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(t.Context(), manyScrapes(rows)); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll reads every row of every table, and gives how many there were.
func readAll(ctx context.Context, path string) (rows int, err error) {
	r, err := sqlite.Open(ctx, path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	tables, err := r.Tables()
	for _, l := range tables {
		if err != nil || len(l.Columns) == 0 {
			break
		}
		err = func() error {
			c, err := r.Scan(sqlite.Order{Table: l.Name, Columns: l.Columns, Key: l.Columns[:1]})
			if err != nil {
				return err
			}
			defer c.Close()
			for c.Next() && rows < 1_000_000 {
				rows++
			}
			return c.Err()
		}()
	}
	return rows, err
}

func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	r, err := sqlite.Open(t.Context(), writeResult(t, 3000))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	order := sqlite.Order{Table: "scrape", Key: []string{"id"}}
	for _, column := range scrapeColumns {
		order.Columns = append(order.Columns, column.Name)
	}
	c, err := r.Scan(order)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := 0
	for want := range manyScrapes(3000).Rows {
		n++
		if !c.Next() || !slices.Equal(c.Row(), want) {
			t.Fatalf("row %d: %.200v, want %.200v; %v", n, c.Row(), want, c.Err())
		}
	}
	if c.Next() || c.Err() != nil {
		t.Errorf("more than %d rows, or %v", n, c.Err())
	}
}

func TestReadingWritesNothing(t *testing.T) {
	path := writeResult(t, 10)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	before := names(t, filepath.Dir(path))
	r, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := r.Query("DELETE FROM scrape RETURNING id")
	if err == nil {
		if c.Next() || c.Err() == nil {
			t.Error("a row was deleted")
		}
		c.Close()
	}
	if after := names(t, filepath.Dir(path)); !slices.Equal(before, after) {
		t.Errorf("the folder holds %v, before %v", after, before)
	}
}

// changed copies a result and lets somebody work on it.
func changed(t *testing.T, statements ...string) string {
	t.Helper()
	path := writeResult(t, 100)
	plain := filepath.Join(t.TempDir(), "changed.sqlite")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plain, content, 0o600); err != nil {
		t.Fatal(err)
	}
	db := openResult(t, plain)
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestFilesThatAreNoResults(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(folder, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	journal := changed(t)
	if err := os.WriteFile(journal+"-journal", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "missing"): "no such file",
		folder:                           "no regular file",
		fifo:                             "no regular file",
		write("empty", ""):               "no SQLite database",
		write("text", strings.Repeat("no database\n", 100)):                                                  "no SQLite database",
		write("head", "SQLite format 3\x00"+strings.Repeat("\x00", 500)):                                     "no result of btda",
		write("hollow", "SQLite format 3\x00"+strings.Repeat("\x00", 52)+"btda"+strings.Repeat("\x00", 500)): "cannot read",
		changed(t, "PRAGMA application_id = 7"):                                                              "no result of btda",
		journal:                                                                                              "has changed",
	} {
		if _, err := readAll(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q", path, err, want)
		}
	}
}

// What is no plain table is not looked at: it could do anything when it is read.
func TestOnlyPlainTablesAreSeen(t *testing.T) {
	path := changed(t, "DROP TABLE peer", "CREATE VIEW peer AS WITH RECURSIVE up (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM up) SELECT x AS id FROM up",
		"CREATE VIRTUAL TABLE words USING fts5 (a)", "CREATE TABLE heavy (id INTEGER PRIMARY KEY, big AS (zeroblob(1000000000)))", "INSERT INTO heavy (id) VALUES (1)")
	r, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tables, err := r.Tables()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range tables {
		if l.Name == "peer" || strings.HasPrefix(l.Name, "words") || l.Name == "heavy" && !slices.Equal(l.Columns, []string{"id"}) {
			t.Errorf("%v is seen", l)
		}
	}
	if rows, err := readAll(t.Context(), path); err != nil || rows != 101 {
		t.Errorf("%d rows, %v; want 101", rows, err)
	}
}

// A file may be damaged anywhere: then there is an error, or rows, and an end.
func TestDamagedFiles(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	content, err := os.ReadFile(writeResult(t, 300))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.sqlite")
	failures, rounds := 0, 150
	if testing.Short() {
		rounds = 40
	}
	for range rounds {
		broken := slices.Clone(content)
		for range 1 + random.IntN(20) {
			page := random.IntN(len(broken)/16384) * 16384
			broken[100+page+random.IntN(300)] = byte(random.Uint32())
		}
		if random.IntN(4) == 0 {
			broken = broken[:random.IntN(len(broken))]
		}
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(t.Context(), path); err != nil {
			failures++
		}
	}
	if failures == 0 {
		t.Error("no damage was noticed at all")
	}
}

func TestReadingStopsWhenItIsToldTo(t *testing.T) {
	path := writeResult(t, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := r.Query("WITH RECURSIVE up (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM up) SELECT x FROM up")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := 0; c.Next(); n++ {
		if n == 10 {
			cancel()
		}
	}
	if c.Err() == nil || !strings.Contains(c.Err().Error(), "interrupt") {
		t.Errorf("error %v, want that of an interruption", c.Err())
	}
}

// Values are in the order in which SQLite sorts them.
func TestCompareIsTheOrderOfSQLite(t *testing.T) {
	values := []projections.Value{
		{}, number(0), number(-1), number(1 << 53), number(1<<53 + 1), number(math.MaxInt64), number(math.MinInt64), real(0), real(0.5), real(-0.5),
		real(1 << 53), real(math.MaxInt64), real(math.Inf(1)), real(math.Inf(-1)), real(1e300), real(-1e300), text(""), text("a"), text("A"), text("ab"), text("é"),
		{Type: projections.Blob}, {Type: projections.Blob, Text: "a"}, {Type: projections.Blob, Text: "\x00"},
	}
	db := openResult(t, filepath.Join(t.TempDir(), "empty.sqlite"))
	for _, a := range values {
		for _, b := range values {
			var got int
			err := db.QueryRow("SELECT CASE WHEN ?1 IS ?2 THEN 0 WHEN (SELECT a FROM (SELECT ?1 AS a, 1 AS n UNION ALL SELECT ?2, 2) ORDER BY a, n DESC LIMIT 1) IS ?1 THEN -1 ELSE 1 END", argument(a), argument(b)).Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if want := sqlite.Compare(a, b); got != want {
				t.Errorf("%v against %v: %d, SQLite has %d", a, b, want, got)
			}
		}
	}
}

func argument(v projections.Value) any {
	switch v.Type {
	case projections.Integer:
		return v.Integer
	case projections.Real:
		return v.Real
	case projections.Text:
		return v.Text
	case projections.Blob:
		return []byte(v.Text)
	}
	return nil
}
