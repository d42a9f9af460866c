package replay

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/projections"
	"btda/projections/sqlite"
)

// resultOf replays logs into a file and gives its path.
func resultOf(t *testing.T, o Options) string {
	t.Helper()
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	replayLogs(t, o)
	return o.Output
}

// edit copies a result and runs statements on the copy.
func edit(t *testing.T, path string, statements ...string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "edited.sqlite")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", copied)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return copied
}

// compareFiles gives the difference of two results, and the rows as text.
func compareFiles(t *testing.T, before, after string) (Difference, []string) {
	t.Helper()
	var lines []string
	d, err := Comparison{Old: before, New: after, Report: func(r RowChange) error {
		line := r.Table
		for _, i := range r.Key {
			row := r.New
			if row == nil {
				row = r.Old
			}
			line += fmt.Sprintf(" %s=%v", r.Columns[i], plain(row[i]))
		}
		switch {
		case r.Old == nil:
			line += " added"
		case r.New == nil:
			line += " removed"
		}
		for _, i := range r.Differ {
			line += fmt.Sprintf(" %s:%v>%v", r.Columns[i], plain(r.Old[i]), plain(r.New[i]))
		}
		lines = append(lines, strings.Clone(line))
		return nil
	}}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d, lines
}

func plain(v projections.Value) any {
	switch v.Type {
	case projections.Null:
		return nil
	case projections.Integer:
		return v.Integer
	case projections.Real:
		return v.Real
	}
	return strings.Clone(v.Text)
}

func TestEqualResultsHaveNoDifference(t *testing.T) {
	o := optionsFor(recordLog(t, randomRun(2000, rand.Uint64N(1<<40))))
	d, lines := compareFiles(t, resultOf(t, o), resultOf(t, o))
	if !d.SameRows() || len(lines) != 0 || len(d.Facts) != 0 || len(d.Tables) != 12 {
		t.Errorf("%+v\n%v", d, lines)
	}
}

// Whatever single row is changed, taken away or put in, it is found and named. The seed of a failure is in its name.
func TestEverySingleRowIsFound(t *testing.T) {
	seed := rand.Uint64N(1 << 40)
	t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 4))
		o := optionsFor(recordLog(t, randomRun(sized(3000), seed)), recordLog(t, fromText(t, twoTorrents)))
		o.Projections.WithAddresses = true
		whole := resultOf(t, o)
		r, err := sqlite.Open(t.Context(), whole)
		if err != nil {
			t.Fatal(err)
		}
		tables, err := r.Tables()
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		for _, l := range tables {
			if ids := queryColumn(t, whole, "SELECT id FROM "+l.Name); l.Name != provenanceTable && len(ids) > 0 {
				id := ids[random.IntN(len(ids))]
				columns := without(l.Columns, append(keyOf(layouts{&l, &l}, l.Columns), "id"))
				random.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
				row := rowOf{whole, l, id}
				for _, column := range columns[:min(len(columns), rounds(3))] {
					checkChange(t, row, column)
				}
				checkRemoval(t, row)
			}
		}
	})
}

// rowOf is a row of a result.
type rowOf struct {
	result string
	layout sqlite.Layout
	id     string
}

// checkChange changes a column of a row.
func checkChange(t *testing.T, row rowOf, column string) {
	t.Helper()
	l := row.layout
	other := edit(t, row.result, fmt.Sprintf("UPDATE %[1]s SET %[2]s = CASE WHEN %[2]s IS NULL THEN 7 WHEN typeof(%[2]s) IN ('text', 'blob') THEN %[2]s || 'x' ELSE %[2]s + 1 END WHERE id = %[3]s", l.Name, column, row.id))
	_, lines := compareFiles(t, row.result, other)
	if len(lines) != 1 || !strings.HasPrefix(lines[0], l.Name+" "+keyOf(layouts{&l, &l}, l.Columns)[0]+"=") || !strings.Contains(lines[0], " "+column+":") {
		t.Errorf("%s of row %s in %s was changed, found was %v", column, row.id, l.Name, lines)
	}
}

func checkRemoval(t *testing.T, row rowOf) {
	t.Helper()
	other := edit(t, row.result, fmt.Sprintf("DELETE FROM %s WHERE id = %s", row.layout.Name, row.id))
	if d, lines := compareFiles(t, row.result, other); len(lines) != 1 || !strings.HasSuffix(lines[0], " removed") || d.SameRows() {
		t.Errorf("row %s of %s was removed, found was %v", row.id, row.layout.Name, lines)
	}
	if _, lines := compareFiles(t, other, row.result); len(lines) != 1 || !strings.HasSuffix(lines[0], " added") {
		t.Errorf("row %s of %s was put in, found was %v", row.id, row.layout.Name, lines)
	}
}

func TestDifferenceNamesWhatAnOptionChanged(t *testing.T) {
	o := optionsFor(recordLog(t, fromText(t, oneDownload)))
	before := resultOf(t, o)
	o.Projections.Settle = 10_000_000_000
	d, lines := compareFiles(t, before, resultOf(t, o))
	want := []string{"download id=1 removed", "peer id=1 first_pieces:7>8 max_speed:0.2>0"}
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("no %q in\n%s", line, strings.Join(lines, "\n"))
		}
	}
	if len(d.Torrents) != 1 || d.Torrents[0].Confirmed != [2]int64{1, 0} || d.Torrents[0].Name != "a" {
		t.Errorf("torrents %+v, want 1 download before and none after", d.Torrents)
	}
	if len(d.Facts) != 1 || d.Facts[0].Name != "option.settle" || *d.Facts[0].Old != "2s" || *d.Facts[0].New != "10s" {
		t.Errorf("facts %+v, want option.settle", d.Facts)
	}
}

// Tables and columns that one result lacks, as of another version or of the user's SQL, are told; the others are compared.
func TestResultsOfOtherTables(t *testing.T) {
	before := resultOf(t, optionsFor(recordLog(t, fromText(t, oneDownload))))
	after := edit(t, before, "ALTER TABLE peer DROP COLUMN city", "ALTER TABLE peer ADD COLUMN town", "ALTER TABLE scrape RENAME TO scraped", "CREATE TABLE mine (a, b)", "INSERT INTO mine VALUES (1, 2), (1, 2), (NULL, 'x')")
	d, lines := compareFiles(t, before, after)
	var told []string
	for _, table := range d.Tables {
		if !table.Same() {
			told = append(told, fmt.Sprint(table.Name, " ", table.OnlyIn, table.OldColumns, table.NewColumns))
		}
	}
	if want := []string{"mine new[] []", "peer [city] [town]", "scrape old[] []", "scraped new[] []"}; !slices.Equal(told, want) || len(lines) != 0 {
		t.Errorf("told %q, rows %q; want %q and none", told, lines, want)
	}
	if _, lines := compareFiles(t, after, edit(t, after, "DELETE FROM mine WHERE rowid = 1", "UPDATE mine SET b = 'y' WHERE a IS NULL")); !slices.Equal(lines, []string{"mine a=<nil> b=x removed", "mine a=<nil> b=y added", "mine a=1 b=2 removed"}) {
		t.Errorf("rows of a table without key: %q", lines)
	}
	bare := edit(t, before, "DROP TABLE download", "DROP TABLE provenance", "CREATE TABLE provenance (name, value)")
	if d, _ := compareFiles(t, bare, before); d.Torrents != nil || len(d.Facts) == 0 {
		t.Errorf("without downloads and facts: %+v, %d facts", d.Torrents, len(d.Facts))
	}
}

// A torrent and a failure are found by what they are, whatever their numbers.
func TestRowsWithAnotherIDAreFoundByWhatTheyAreAbout(t *testing.T) {
	before := resultOf(t, optionsFor(recordLog(t, fromText(t, twoTorrents))))
	d, lines := compareFiles(t, before, edit(t, before, "UPDATE failure SET id = id + 100"))
	i := slices.IndexFunc(d.Tables, func(t TableDifference) bool { return t.Name == "failure" })
	if f := d.Tables[i]; f.Renumbered != 6 || f.Changed+f.Added+f.Removed != 0 || len(lines) != 0 || d.SameRows() {
		t.Errorf("%+v, rows %v; want 6 that are the same but for their id", f, lines)
	}
}

func TestComparisonsThatCannotBeMade(t *testing.T) {
	good := resultOf(t, optionsFor(recordLog(t, fromText(t, oneDownload))))
	if _, err := (Comparison{Old: good, New: "missing"}).Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	loop := edit(t, good, "DROP TABLE provenance", "CREATE VIEW provenance AS WITH RECURSIVE up (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM up) SELECT x AS name, NULL AS value FROM up")
	if _, err := (Comparison{Old: good, New: loop}).Run(t.Context()); err != nil {
		t.Errorf("a view without end as provenance: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := (Comparison{Old: good, New: good}).Run(ctx); !errors.Is(err, enough) {
		t.Errorf("error %v, want the cause", err)
	}
}

// A row is explained by the events of the sessions of its peer, and no others.
func TestExplanation(t *testing.T) {
	log := recordLog(t, fromText(t, twoTorrents+"\n40 ConnectionFailed direction=outgoing torrent=1 address=9.2.3.4:6881 phase=dial reason=timeout\n41 ConnectionFailed direction=outgoing torrent=2 address=9.2.3.4:6881 phase=dial reason=timeout"))
	result := resultOf(t, optionsFor(log))
	o := optionsFor(log)
	o.Projections.WithAddresses = true
	addressed := resultOf(t, o)
	for row, want := range map[string]string{
		"download:1":    "[6 7 8 9 18]",
		"peer:2":        "[11 12 13 14]",
		"timing:2":      "[11 12 13 14]",
		"peer_source:2": "[4 6 7 8 9 18]",
		"endpoint:1":    "[4 6 7 8 9 18]",
		"endpoint:2":    "the address of this endpoint is not in the result: replay with --with-addresses",
		"torrent:2":     "[3]",
		"request:1":     "[4]",
		"scrape:2":      "[16]",
		"statistic:1":   "[10]",
		"download:99":   "download has no row with id 99",
	} {
		if got := eventsBehind(t, explanationOf{row, log, result}); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", row, got, want)
		}
	}
	if got := eventsBehind(t, explanationOf{"endpoint:2", log, addressed}); got != "[4]" {
		t.Errorf("endpoint:2 with addresses: %s, want [4]", got)
	}
	for _, text := range []string{"", "download", "download:x", "failure:1", "provenance:1", "x:1", ":1"} {
		if _, err := ParseRowKey(text); err == nil {
			t.Errorf("%q was taken for a row", text)
		}
	}
}

type explanationOf struct{ row, log, result string }

// eventsBehind gives the numbers of the events behind a row, or the error.
func eventsBehind(t *testing.T, of explanationOf) string {
	t.Helper()
	key, err := ParseRowKey(of.row)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []events.Seq
	err = Explanation{Row: key, Results: []string{of.result}, Logs: []string{of.log}, Report: func(r *events.Record) error {
		numbers = append(numbers, r.Seq)
		return nil
	}}.Run(t.Context())
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(numbers)
}
