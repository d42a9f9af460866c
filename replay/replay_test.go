package replay

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // reads results back

	"btda/events"
	"btda/events/pieces"
	"btda/projections"
)

const oneDownload = `
	0    RunStarted run=01 program="btda 1.0" setting.threshold=0.98 setting.revisit=5m0s setting.sessions=1024
	0    TorrentAdded torrent=1 info-hash=aa path=a.torrent display-name=a metadata-known=true metadata.piece-count=8 metadata.piece-length=1024
	1    TrackerAnnounced torrent=1 tracker=http://tracker.example/announce peers=[9.2.3.4:6881 9.2.3.5:6881]
	1.5  SessionOpened session=1 contact=1 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.4:6881 peer-id=-TR3000-aaaaaaaaaaaa
	2    BitfieldReceived session=1 bitfield=11111110
	9    HaveReceived session=1 piece=7
	10   SessionClosed session=1 by=us reason=complete`

// queryColumn gives the first column of the rows that a statement selects from the result.
func queryColumn(t *testing.T, path, statement string) (values []string) {
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
	for rows.Next() {
		var value any
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, fmt.Sprint(value))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestResultSaysWhatWasReplayed(t *testing.T) {
	folder := recordLog(t, fromText(t, oneDownload+"\n11 RunStopped reason=interrupted"))
	result, _ := replayLogs(t, optionsFor(folder))
	if len(result.Runs) != 1 {
		t.Fatalf("runs %+v, want one", result.Runs)
	}
	run := result.Runs[0]
	if run.Digest == ([32]byte{}) {
		t.Error("the run has no digest")
	}
	run.Digest = [32]byte{}
	want := Recording{ID: events.RunID{1}, Path: folder, Program: "btda 1.0", First: 1, Last: 8, Ending: Sealed, Start: run.Start, End: run.Start.Add(11 * time.Second)}
	if got := fmt.Sprintf("%+v", run); got != fmt.Sprintf("%+v", want) {
		t.Errorf("got\n%s\nwant\n%+v", got, want)
	}
	if result.Events() != 8 || len(result.Skipped()) != 0 || len(result.Duplicates) != 0 {
		t.Errorf("%d events, %v skipped, duplicates %v; want 8 and nothing", result.Events(), result.Skipped(), result.Duplicates)
	}
	if !slices.ContainsFunc(result.Tables, func(t Table) bool { return t.Name == "provenance" && t.Rows > 0 }) {
		t.Errorf("tables %v, want provenance with rows", result.Tables)
	}
}

func TestADownloadReachesTheFile(t *testing.T) {
	o := optionsFor(recordLog(t, fromText(t, oneDownload)))
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	replayLogs(t, o)
	if got := queryColumn(t, o.Output, "SELECT below_evidence || ' ' || above_evidence FROM download"); !slices.Equal(got, []string{"bitfield have"}) {
		t.Errorf("downloads %q, want one, from a bitfield to a have", got)
	}
	if got := queryColumn(t, o.Output, "SELECT count(*) FROM endpoint"); got[0] != "2" {
		t.Errorf("%s endpoints, want 2", got[0])
	}
}

func TestKilledRunReplays(t *testing.T) {
	folder := recordKilled(t, fromText(t, oneDownload))
	result, _ := replayLogs(t, optionsFor(folder))
	if run := result.Runs[0]; run.Ending != Open || run.Last != 7 {
		t.Errorf("%s, last record %d; want an unsealed run of 7 records", run.Ending, run.Last)
	}
}

func TestProvenance(t *testing.T) {
	threshold := pieces.MustFraction("0.5")
	folder := recordLog(t, fromText(t, oneDownload))
	o := optionsFor(folder)
	o.Projections.Threshold = &threshold
	o.Projections.Sweep = []pieces.Fraction{pieces.MustFraction("1"), pieces.MustFraction("0.25"), threshold}
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	result, _ := replayLogs(t, o)
	got := queryColumn(t, o.Output, "SELECT name || '=' || coalesce(value, 'NULL') FROM provenance ORDER BY id")
	want := []string{"program.revision=" + revision(), fmt.Sprint("schema.version=", projections.SchemaVersion), "partial=false", "option.threshold=0.5",
		"option.sweep=0.25,0.5,1", "option.identity=endpoint", "option.settle=2s",
		"option.revisit=NULL", "option.with_addresses=false", "option.mixed_pseudonyms=false", "option.until=NULL", "option.from=NULL",
		"option.torrent=NULL", "option.source=NULL", "option.sql=NULL", "log.1.run=" + events.RunID{1}.String(), "log.1.program=btda 1.0", "log.1.first_sequence=1",
		"log.1.last_sequence=7", fmt.Sprintf("log.1.digest=%x", result.Runs[0].Digest), "log.1.end=sealed"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRevision(t *testing.T) {
	built := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "abc"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for want, info := range map[string]*debug.BuildInfo{
		"unknown":      built("(devel)"),
		"v1.2.3":       built("v1.2.3"),
		"abc":          built("v0.0.0-2026", revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"}),
		"abc+modified": built("(devel)", revision, changed),
	} {
		if got := revisionOf(info); got != want {
			t.Errorf("revision %s, want %s", got, want)
		}
	}
}

func TestFailureKeepsTheOldResult(t *testing.T) {
	folder := recordLog(t, fromText(t, oneDownload))
	o := optionsFor(folder)
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	_, old := replayLogs(t, o)
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, err := Run(canceled, o); err == nil || err.Error() != "enough" {
		t.Errorf("canceled: error %v, want the cause", err)
	}
	bad := o
	bad.Logs = []string{damaged(t, folder)}
	if _, err := Run(t.Context(), bad); err == nil {
		t.Error("damaged log: no error")
	}
	if now, err := os.ReadFile(o.Output); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the old result changed, or cannot be read: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(o.Output)); err != nil || len(entries) != 1 {
		t.Errorf("the output folder holds %v, %v; want the old result only", entries, err)
	}
	o.Projections.WithAddresses = true
	if _, now := replayLogs(t, o); bytes.Equal(now, old) {
		t.Error("a successful replay with other options did not replace the result")
	}
}

// brokenPlaces is a geolocation file that can no longer be read, which shows when it is asked.
type brokenPlaces struct{ err error }

func (p *brokenPlaces) Find(netip.Addr) (events.Place, bool) {
	p.err = errors.New("page 7 cannot be read")
	return events.Place{}, false
}

func (p *brokenPlaces) Err() error { return p.err }

func TestPlacesThatCannotBeReadGiveNoFile(t *testing.T) {
	o := optionsFor(recordLog(t, fromText(t, oneDownload)))
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	o.Projections.Places = new(brokenPlaces)
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "page 7 cannot be read") {
		t.Errorf("error %v, want that of the places", err)
	}
	if _, err := os.Stat(o.Output); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file, or %v", err)
	}
}
