package replay

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// timeImport has the sqlite3 program import all rows of a result from files of comma-separated values, with the pragmas of a replay and the
// same indexes made at the end. It gives false where there is no such program.
func timeImport(b *testing.B, result string) (time.Duration, bool) {
	b.Helper()
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		return 0, false
	}
	folder := b.TempDir()
	ask := func(file string, statements ...string) []string {
		b.Helper()
		said, err := exec.CommandContext(b.Context(), program, append([]string{file}, statements...)...).CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, said)
		}
		return strings.Split(strings.TrimSpace(string(said)), "\n")
	}
	schema := func(kind string) string {
		file := filepath.Join(folder, kind+".sql")
		ask(result, ".output "+file, "SELECT sql || ';' FROM sqlite_schema WHERE type = '"+kind+"' ORDER BY rowid")
		return ".read " + file
	}
	load := []string{"PRAGMA page_size=16384; PRAGMA journal_mode=off; PRAGMA synchronous=off; PRAGMA cache_size=-65536;", schema("table")}
	for _, table := range ask(result, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		values := filepath.Join(folder, table+".csv")
		ask(result, ".mode csv", ".output "+values, "SELECT * FROM "+table)
		load = append(load, ".import --csv "+values+" "+table)
	}
	load = append(load, schema("index"))
	start := time.Now()
	imported := filepath.Join(folder, "imported.sqlite")
	ask(imported, load...)
	took := time.Since(start)
	for _, table := range []string{"endpoint", "peer", "provenance"} {
		count := "SELECT count(*) FROM " + table
		if got, want := ask(imported, count), ask(result, count); got[0] != want[0] {
			b.Fatalf("%s rows of %s were imported, want %s", got[0], table, want[0])
		}
	}
	return took, true
}
