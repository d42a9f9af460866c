package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"btda/projections/sqlite"
)

// runScript writes some scrapes, runs a script over them and gives the path of the file.
func runScript(t *testing.T, ctx context.Context, script string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "result.sqlite")
	w, err := sqlite.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(t.Context(), manyScrapes(100)); err != nil {
		t.Fatal(err)
	}
	if err := w.Run(ctx, sqlite.Script{Name: "my.sql", Text: script}); err != nil {
		return path, err
	}
	return path, w.Finish(t.Context())
}

const goodScript = `-- what trackers say
CREATE TABLE mine AS SELECT torrent, count(*) AS n, date(min(time) / 1000000000, 'unixepoch') AS day FROM scrape GROUP BY torrent;
CREATE INDEX mine_n ON mine (n); CREATE INDEX of_scrapes ON scrape (seeders);
CREATE VIEW most AS SELECT * FROM mine ORDER BY n DESC;
CREATE TEMP TABLE passing (a); INSERT INTO passing VALUES (1), (2);
INSERT INTO mine SELECT 99, a, '' FROM passing;
DELETE FROM mine WHERE n = 1;
ALTER TABLE mine ADD COLUMN note;
WITH RECURSIVE up (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM up WHERE x < 10) INSERT INTO mine SELECT 100, x, NULL, NULL FROM up;
ANALYZE;
/* the end */`

func TestScriptsTravelWithTheirResult(t *testing.T) {
	path, err := runScript(t, t.Context(), goodScript)
	if err != nil {
		t.Fatal(err)
	}
	again, err := runScript(t, t.Context(), goodScript)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	second, other := os.ReadFile(again)
	if err := errors.Join(err, other); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the same script gave other bytes, or %v", err)
	}
	db := openResult(t, path)
	var rows, hundred int
	if err := db.QueryRow("SELECT count(*), sum(torrent = 100) FROM most").Scan(&rows, &hundred); err != nil || hundred != 10 || rows < 20 {
		t.Errorf("%d rows, %d of the last statement, %v", rows, hundred, err)
	}
}

func TestEmptyScripts(t *testing.T) {
	for _, script := range []string{"", " ; ;\n", "-- nothing", "/* nothing", ";;-- nothing\n"} {
		if _, err := runScript(t, t.Context(), script); err != nil {
			t.Errorf("%q: %v", script, err)
		}
	}
}

// What a script may not do gives an error that names it and the statement, and no file.
func TestScriptsAreConfined(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.sqlite")
	for script, want := range map[string]string{
		"SELECT 1;\n\nSELEC": "my.sql, statement 2, line 3: sqlite: SQL logic error: near \"SELEC\"",
		"SELECT 1;\n-- a comment\n SELECT nothing FROM scrape": "statement 2, line 2",
		"SELECT 1 \xff":                           "no text in UTF-8",
		"SELECT 1 \x00":                           "no text in UTF-8",
		"ATTACH '" + outside + "' AS other":       "ATTACH",
		"VACUUM INTO '" + outside + "'":           "VACUUM",
		"PRAGMA user_version = 3":                 "PRAGMA",
		"PRAGMA journal_mode = delete":            "PRAGMA",
		"SELECT * FROM pragma_table_info('peer')": "PRAGMA",
		"COMMIT":         "transactions",
		"SAVEPOINT here": "transactions",
		"CREATE TRIGGER t AFTER INSERT ON peer BEGIN SELECT 1; END": "triggers",
		"CREATE VIRTUAL TABLE f USING fts5 (a)":                     "virtual tables",
		"UPDATE scrape SET seeders = 0":                             "it changes scrape",
		"DELETE FROM main.Scrape":                                   "it changes scrape",
		"INSERT INTO provenance (name) VALUES ('x')":                "it changes provenance",
		"DROP TABLE peer":                                           "it changes peer",
		"DROP INDEX peer_torrent":                                   "it changes peer_torrent",
		"ALTER TABLE scrape ADD COLUMN x":                           "it changes scrape",
		"CREATE TEMP TABLE peer (a)":                                "it changes peer",
		"DELETE FROM sqlite_schema":                                 "may not be modified",
		"SELECT random()":                                           "random()",
		"SELECT hex(RandomBlob(4))":                                 "randomblob()",
		"SELECT load_extension('x')":                                "load_extension()",
		"SELECT datetime('now')":                                    "present time",
		"SELECT datetime()":                                         "present time",
		"CREATE TABLE t (a, at DEFAULT current_timestamp); INSERT INTO t (a) VALUES (1)": "statement 2, line 1: it asks for the present time",
		"SELECT datetime(0, 'unixepoch', 'localtime')":                                   "local time",
		"SELECT datetime(0, 'unixepoch', 'utc')":                                         "local time",
	} {
		path, err := runScript(t, t.Context(), script)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "my.sql") {
			t.Errorf("%s: error %v, want one with %q", script, err, want)
		}
		if left := names(t, filepath.Dir(path)); len(left) > 0 {
			t.Errorf("%s: left %v", script, left)
		}
	}
	if _, err := os.Stat(outside); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a script wrote another file, or %v", err)
	}
}

func TestAScriptWithoutEndCanBeStopped(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	_, err := runScript(t, ctx, "WITH RECURSIVE up (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM up) SELECT count(*) FROM up")
	if !errors.Is(err, enough) {
		t.Errorf("error %v, want the cause", err)
	}
}

// A confined connection does not confine another one.
func TestConfinementEnds(t *testing.T) {
	if _, err := runScript(t, t.Context(), "SELECT datetime('now')"); err == nil {
		t.Fatal("no error")
	}
	path, err := runScript(t, t.Context(), "CREATE TABLE mine (a)")
	if err != nil {
		t.Fatal(err)
	}
	r, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tables, err := r.Tables()
	if err != nil || !slices.ContainsFunc(tables, func(l sqlite.Layout) bool { return l.Name == "mine" }) {
		t.Errorf("tables %v, %v", tables, err)
	}
}
