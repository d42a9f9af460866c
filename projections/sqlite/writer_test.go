package sqlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"btda/projections"
	"btda/projections/sqlite"
)

func TestRowsReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result.sqlite")
	torrent := projections.Table{Name: "torrent", Columns: []projections.Column{{Name: "id", Type: projections.Integer},
		{Name: "info_hash", Type: projections.Blob}, {Name: "display_name", Type: projections.Text}, {Name: "gigabyte", Type: projections.Real}},
		Rows: slices.Values([]projections.Row{
			{number(-1 << 63), {Type: projections.Blob, Text: "\x00\xff"}, text("naïve \"'; x"), real(1.25)},
			{number(1<<63 - 1), {Type: projections.Blob}, text(""), real(math.Copysign(0, -1))},
			{number(3), {}, {}, {}},
			{number(4), {}, text("a\xff\x00b\xc3"), {}},
		})}
	mustWrite(t, path, torrent)
	got := query(t, path, "SELECT id, hex(info_hash), typeof(info_hash), display_name, typeof(display_name), gigabyte, announce_url FROM torrent")
	want := []string{
		`-9223372036854775808 00FF blob naïve "'; x text 1.25 <nil>`,
		`3  null <nil> null <nil> <nil>`,
		"4  null a\uFFFD\uFFFDb\uFFFD text <nil> <nil>",
		`9223372036854775807  blob  text 0 <nil>`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryCountOfRowsIsWritten(t *testing.T) {
	for _, n := range []int{0, 1, 2, 15, 16, 17, 31, 32, 33, 5000} {
		path := filepath.Join(t.TempDir(), "result.sqlite")
		mustWrite(t, path, manyScrapes(n))
		if got := query(t, path, "SELECT count(*), coalesce(max(id), 0) FROM scrape"); got[0] != fmt.Sprint(n, n) {
			t.Errorf("%d rows: got count and last id %s", n, got[0])
		}
		if got := query(t, path, "PRAGMA integrity_check"); got[0] != "ok" {
			t.Errorf("%d rows: integrity check: %v", n, got)
		}
	}
}

func TestIndexesAndHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result.sqlite")
	mustWrite(t, path, manyScrapes(3000))
	if got := query(t, path, "SELECT count(*) FROM sqlite_schema WHERE type = 'index'"); got[0] == "0" {
		t.Error("the file has no indexes")
	}
	header, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fields := []struct {
		name   string
		offset int
		want   uint32
	}{{"change counter", 24, 1}, {"pages", 28, uint32(len(header) / 16384)}, {"free pages", 36, 0}, {"auto vacuum", 52, 0}, {"encoding", 56, 1},
		{"schema version", 60, projections.SchemaVersion}, {"application", 68, 0x62746461}, {"version valid for", 92, 1}}
	for _, f := range fields {
		if got := binary.BigEndian.Uint32(header[f.offset:]); got != f.want {
			t.Errorf("%s at %d of the header is %d, want %d", f.name, f.offset, got, f.want)
		}
	}
	if size := binary.BigEndian.Uint16(header[16:]); size != 16384 {
		t.Errorf("page size is %d, want 16384", size)
	}
}

// The same rows give the same bytes whatever the number of cores, the name of the file, the memory used before, or the file that was there.
func TestSameRowsSameBytes(t *testing.T) {
	folder := t.TempDir()
	sums := make(map[[32]byte][]string)
	for i, name := range []string{"a.sqlite", "another name, with spaces.db", "a.sqlite", "b"} {
		before := runtime.GOMAXPROCS(1 + i%2)
		mustWrite(t, filepath.Join(folder, name), scrapes(), manyScrapes(6000))
		runtime.GOMAXPROCS(before)
		file, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(file)
		sums[sum] = append(sums[sum], name)
		mustWrite(t, filepath.Join(folder, "between"), manyScrapes(100*i))
	}
	if len(sums) != 1 {
		t.Errorf("%d different files: %v", len(sums), sums)
	}
}

func TestErrorsNameTheirPlace(t *testing.T) {
	good := func(id int64) projections.Row {
		return projections.Row{number(id), text("t"), number(1), number(2), {}}
	}
	rows := make([]projections.Row, 20)
	for i := range rows {
		rows[i] = good(int64(i))
	}
	tests := []struct {
		name  string
		table projections.Table
		want  string
	}{
		{"value of another type", scrapes(good(1), projections.Row{number(2), number(3), {}, {}, {}}),
			"table scrape, row 2, column tracker: a value of type INTEGER for a column of type TEXT"},
		{"row too short", scrapes(good(1), good(2), projections.Row{number(1)}), "table scrape, row 3: 1 values for 5 columns"},
		{"same id twice in the rest", scrapes(good(1), good(1)), "table scrape, row 2: sqlite: constraint failed: UNIQUE constraint failed: scrape.id"},
		{"same id twice in a batch", scrapes(append(rows[:15:15], good(3))...), "table scrape, one of the rows 1 to 16: sqlite: constraint failed"},
		{"same id twice after a batch", scrapes(append(rows[:18:18], good(3))...), "table scrape, row 19: sqlite: constraint failed"},
		{"unknown column", projections.Table{Name: "scrape", Columns: []projections.Column{{Name: "nonsense"}}}, "table scrape: sqlite: SQL logic error: table scrape has no column named nonsense"},
		{"unknown table", projections.Table{Name: "nonsense", Columns: scrapeColumns}, "table nonsense: sqlite: SQL logic error: no such table: nonsense"},
		{"no columns", projections.Table{Name: "scrape"}, "table scrape: it has no columns"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := write(t.Context(), filepath.Join(t.TempDir(), "result.sqlite"), test.table)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// names lists the files of a folder.
func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestFailureKeepsTheOldFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "result.sqlite")
	mustWrite(t, path, manyScrapes(10))
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	failures := map[string]func() error{
		"bad row":  func() error { return write(t.Context(), path, scrapes(projections.Row{})) },
		"canceled": func() error { return write(canceled, path, manyScrapes(5000)) },
		"canceled while finishing": func() error {
			w, err := sqlite.Create(path)
			if err != nil {
				return err
			}
			return errors.Join(w.Finish(canceled), w.Close())
		},
	}
	cancel()
	for name, fail := range failures {
		if err := fail(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
			t.Errorf("%s: the old file changed, or cannot be read: %v", name, err)
		}
		if got := names(t, folder); !slices.Equal(got, []string{"result.sqlite"}) {
			t.Errorf("%s: the folder holds %v, want only the old file", name, got)
		}
	}
}

func TestSuccessReplacesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result.sqlite")
	mustWrite(t, path, manyScrapes(100))
	mustWrite(t, path, manyScrapes(7))
	if got := query(t, path, "SELECT count(*) FROM scrape"); got[0] != "7" {
		t.Errorf("%s rows, want 7 of the second file", got[0])
	}
}

func TestUnfitNamesAreRefused(t *testing.T) {
	folder := t.TempDir()
	journaled := filepath.Join(folder, "journaled.sqlite")
	if err := os.WriteFile(journaled+"-wal", []byte("pages"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		folder:                                  "is no regular file",
		journaled:                               "a program has changed",
		filepath.Join(file, "x.sqlite"):         "cannot write beside",
		filepath.Join(folder, "no", "x.sqlite"): "cannot write beside",
		"":                                      "is no name of a file",
	}
	for path, want := range tests {
		if _, err := sqlite.Create(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", path, err, want)
		}
	}
}

func TestWritersOfOneNameDoNotMeet(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "result.sqlite")
	first, err := sqlite.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, path, manyScrapes(3))
	if err := errors.Join(first.Finish(t.Context()), first.Close()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, path, "SELECT count(*) FROM scrape"); got[0] != "0" {
		t.Errorf("%s rows, want none: the writer that finished last", got[0])
	}
	if got := names(t, folder); len(got) != 1 {
		t.Errorf("the folder holds %v, want the result only", got)
	}
}
