package replay

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/pieces"
	"btda/projections"
)

// verified asks whether a file is what logs give.
func verified(t *testing.T, v Verification) Verdict {
	t.Helper()
	verdict, err := v.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

// Whatever the options were, the file says them, and the same file comes out again.
func TestResultsAreVerifiedWithTheirOptions(t *testing.T) {
	half := pieces.MustFraction("0.5")
	sql := filepath.Join(t.TempDir(), "my.sql")
	if err := os.WriteFile(sql, []byte("CREATE TABLE mine AS SELECT count(*) AS n FROM peer"), 0o600); err != nil {
		t.Fatal(err)
	}
	mine, err := ReadSQL(sql)
	if err != nil {
		t.Fatal(err)
	}
	a, b := recordLog(t, fromText(t, twoTorrents)), recordKilled(t, syntheticRun(2000, 3))
	for name, change := range map[string]func(*Options){
		"defaults":  func(*Options) {},
		"threshold": func(o *Options) { o.Projections.Threshold, o.Projections.Sweep = &half, nil },
		"counting": func(o *Options) {
			o.Projections.Identity, o.Projections.Settle, o.Projections.Revisit = projections.IdentityIP, 0, time.Minute
		},
		"addresses": func(o *Options) { o.Projections.WithAddresses, o.Projections.MixedPseudonyms = true, true },
		"part": func(o *Options) {
			o.Until = Until{Time: syntheticStart.Add(24 * 365 * 20 * time.Hour), Stops: []Stop{{Run: "01", Last: 14}, {Run: "00", Last: 1500}}}
			o.Selection = Selection{From: syntheticStart.Add(time.Minute), Torrents: []events.InfoHash{hashOf(0xbb), hashOf(0)}, Sources: []events.Source{events.SourceIncoming, events.SourceCommandLine}}
		},
		"SQL": func(o *Options) { o.SQL = mine },
		"places": func(o *Options) {
			o.Projections.Places, o.PlaceFiles = nowhere{}, []PlaceFile{{Type: "City", Built: time.Unix(7, 0)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := optionsFor(a, b)
			change(&o)
			v := Verification{Logs: []string{b, copyLog(t, a)}, File: resultOf(t, o), Places: nowhere{}, PlaceFiles: o.PlaceFiles, SQL: mine}
			if verdict := verified(t, v); !verdict.Same || !verdict.Rows || verdict.Program != "" || len(verdict.Result.Runs) != 2 {
				t.Errorf("%+v, want the same", verdict)
			}
		})
	}
}

func TestWhatALogDoesNotGiveIsNamed(t *testing.T) {
	log := recordLog(t, fromText(t, twoTorrents))
	good := resultOf(t, optionsFor(log))
	changed := edit(t, good, "UPDATE peer SET visits = 2 WHERE id = 2", "DELETE FROM download WHERE id = 1")
	var rows []string
	verdict := verified(t, Verification{Logs: []string{log}, File: changed, Report: func(r RowChange) error {
		rows = append(rows, fmt.Sprint(r.Table, r.Old == nil, len(r.Differ)))
		return nil
	}})
	if want := "[downloadtrue 0 peerfalse 1]"; verdict.Same || verdict.Rows || fmt.Sprint(rows) != want {
		t.Errorf("same %v, rows %v; want %s", verdict.Same, rows, want)
	}
	other := verified(t, Verification{Logs: []string{recordLog(t, fromText(t, oneDownload))}, File: good})
	if other.Same || other.Rows || len(other.Differs.Facts) == 0 {
		t.Errorf("another log: %+v", other)
	}
	viewed := verified(t, Verification{Logs: []string{log}, File: edit(t, good, "CREATE VIEW mine AS SELECT 1")})
	if viewed.Same || !viewed.Rows || len(viewed.Differs.Facts) != 0 {
		t.Errorf("a view: %+v, want other bytes and the same rows", viewed)
	}
}

// Another revision of the program may well give the same rows. That it was another one is told.
func TestAnotherProgramIsTold(t *testing.T) {
	o := optionsFor(recordLog(t, fromText(t, twoTorrents)))
	o.program = "0123abcd"
	if verdict := verified(t, Verification{Logs: o.Logs, File: resultOf(t, o)}); !verdict.Same || verdict.Program != "0123abcd" {
		t.Errorf("%+v, want the same, of program 0123abcd", verdict)
	}
}

func TestResultsThatCannotBeVerified(t *testing.T) {
	log := recordLog(t, fromText(t, oneDownload))
	good := resultOf(t, optionsFor(log))
	set := func(name, value string) string {
		return edit(t, good, fmt.Sprintf("UPDATE provenance SET value = '%s' WHERE name = '%s'", value, name))
	}
	for file, want := range map[string]string{
		set("schema.version", "1"):                                             "replay the logs again",
		set("option.identity", "name"):                                         "its provenance says option.identity",
		set("option.settle", "long"):                                           "its provenance says option.settle",
		set("option.settle", "-2s"):                                            "want no negative",
		set("option.threshold", "most"):                                        "its provenance says option.threshold",
		set("option.until", "noon"):                                            "its provenance says option.until",
		set("option.until", "99:1"):                                            "no log is of that run",
		set("option.torrent", "cats"):                                          "its provenance says option.torrent",
		set("option.source", "friends"):                                        "its provenance says option.source",
		set("option.sql", "abc"):                                               "name that file with --sql",
		edit(t, good, "DELETE FROM provenance"):                                "does not say how it was made",
		edit(t, good, "DROP TABLE provenance"):                                 "no such table",
		edit(t, good, "UPDATE provenance SET value = zeroblob(2000000)"):       "does not say how it was made",
		edit(t, good, "INSERT INTO provenance VALUES (99, 'option.new', '1')"): "which this program does not know",
		edit(t, good, "INSERT INTO provenance VALUES (98, 'place.1.type', 'City'), (99, 'place.1.sha256', 'ab')"): "made with the geolocation files City",
		log: "no regular file",
	} {
		_, err := Verification{Logs: []string{log}, File: file}.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// The file of SQL is part of what a result is made from.
func TestSQLIsPartOfTheResult(t *testing.T) {
	folder := t.TempDir()
	write := func(text string) *SQL {
		path := filepath.Join(folder, "my.sql")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		sql, err := ReadSQL(path)
		if err != nil {
			t.Fatal(err)
		}
		return sql
	}
	log := recordLog(t, syntheticRun(5000, rand.Uint64N(99)))
	o := optionsFor(log)
	o.Output = filepath.Join(folder, "result.sqlite")
	o.SQL = write("CREATE TABLE mine AS SELECT client, count(*) AS peers FROM peer GROUP BY client")
	_, first := replayLogs(t, o)
	if _, again := replayLogs(t, o); !bytes.Equal(first, again) {
		t.Error("the same SQL gave other bytes")
	}
	if got := queryColumn(t, o.Output, "SELECT (SELECT sum(peers) FROM mine) - (SELECT count(*) FROM peer)"); got[0] != "0" {
		t.Errorf("mine has %s peers more than peer", got[0])
	}
	if got := queryColumn(t, o.Output, "SELECT value FROM provenance WHERE name = 'option.sql'"); len(got) != 1 || got[0] != o.SQL.Sum() {
		t.Errorf("provenance says %v, want %s", got, o.SQL.Sum())
	}
	o.SQL = write("CREATE TABLE mine (a);\nSELECT nothing")
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "my.sql, statement 2, line 2") {
		t.Errorf("error %v, want one that names file and statement", err)
	}
	if now, err := os.ReadFile(o.Output); err != nil || !bytes.Equal(now, first) {
		t.Errorf("the old result changed, or %v", err)
	}
	if _, err := ReadSQL(filepath.Join(folder, "missing.sql")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// How far a replay is can be asked from outside, and ends with all of it.
func TestProgress(t *testing.T) {
	o := optionsFor(recordLog(t, syntheticRun(20_000, 1)), recordLog(t, syntheticRun(1000, 2)))
	o.Progress = new(Progress)
	if a := o.Progress.Advance(); a != (Advance{}) {
		t.Errorf("before: %+v", a)
	}
	result, _ := replayLogs(t, o)
	var rows int64
	for _, table := range result.Tables {
		rows += table.Rows
	}
	if a := o.Progress.Advance(); a.Events != result.Events() || a.Total != result.Events() || a.Rows != rows || a.Table != provenanceTable {
		t.Errorf("after: %+v, want %d events and %d rows", a, result.Events(), rows)
	}
	o.Until.Stops = []Stop{{Run: "0000000000000001", Last: 100}, {Run: "0000000000000002", Last: 50}}
	o.Progress = new(Progress)
	replayLogs(t, o)
	if a := o.Progress.Advance(); a.Events != 150 || a.Total != 150 {
		t.Errorf("of a part: %+v, want 150 events", a)
	}
}
