package replay

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

// rowsOf gives the rows of all tables of a result but provenance, as text.
func rowsOf(t *testing.T, path string) (rows []string) {
	t.Helper()
	for _, table := range queryColumn(t, path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'provenance' ORDER BY name") {
		columns := queryColumn(t, path, "SELECT name FROM pragma_table_info('"+table+"')")
		statement := "SELECT '" + table + "' "
		for _, column := range columns {
			statement += "|| ' " + column + "=' || quote(" + column + ")"
		}
		rows = append(rows, queryColumn(t, path, statement+" FROM "+table+" ORDER BY id")...)
	}
	return rows
}

// replayRows replays logs and gives the rows of the result.
func replayRows(t *testing.T, o Options) []string {
	t.Helper()
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	replayLogs(t, o)
	return rowsOf(t, o.Output)
}

// differAt says where two lists of rows differ first.
func differAt(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("row %d is\n%s\nwant\n%s", i, got[i], want[i])
		}
	}
	return fmt.Sprintf("%d rows, want %d", len(got), len(want))
}

// As of a record, a result is that of a log which ends there. The seed of a failure is in its name.
func TestAsOfIsTheReplayOfTheFirstEvents(t *testing.T) {
	for range rounds(3) {
		seed := rand.Uint64N(1 << 40)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			whole := recordLog(t, randomRun(1500, seed))
			for range rounds(3) {
				n := 1 + random.IntN(1600)
				first := recordKilled(t, firstOf(n, randomRun(1500, seed)))
				o := optionsFor(whole)
				o.Until = Until{Stops: []Stop{{Last: events.Seq(n)}}}
				want := replayRows(t, optionsFor(first))
				if got := replayRows(t, o); !slices.Equal(got, want) {
					t.Errorf("as of %d: %s", n, differAt(got, want))
				}
			}
		})
	}
}

// As of a time, each run stops before its first record that is later, wherever its clock goes afterwards.
func TestAsOfATime(t *testing.T) {
	clock := "\n8 AcceptFailed reason=timeout\n20 AcceptFailed reason=timeout\n7 AcceptFailed reason=timeout"
	early := recordLog(t, fromText(t, oneDownload+clock))
	late := recordLog(t, fromText(t, strings.ReplaceAll(oneDownload, "run=01", "run=02")))
	for seconds, want := range map[string]events.Seq{"10.5": 8, "8.5": 5, "19.9": 8, "20": 10, "0": 2} {
		o := optionsFor(early)
		at, err := time.ParseDuration(seconds + "s")
		if err != nil {
			t.Fatal(err)
		}
		o.Until.Time = eventstest.Start.Add(at)
		result, _ := replayLogs(t, o)
		if got := result.Runs[0]; got.Last != want || (got.Ending == Cut) != (want < 10) || result.Partial != (want < 10) {
			t.Errorf("until %s s: %+v, partial %v; want the last record %d", seconds, got, result.Partial, want)
		}
	}
	o := optionsFor(early, late)
	o.Until.Time = eventstest.Start.Add(2 * time.Second)
	if result, _ := replayLogs(t, o); len(result.Runs) != 2 || result.Events() != 10 {
		t.Errorf("of two runs %d events were replayed, want 5 of each", result.Events())
	}
}

// A run that begins later than the end of an as-of replay is not part of it.
func TestRunsThatBeginLaterAreLeftOut(t *testing.T) {
	first, second := recordLog(t, syntheticRun(300, 1)), recordLog(t, fromText(t, oneDownload))
	o := optionsFor(first, second)
	o.Until.Time = syntheticStart.Add(time.Hour)
	result, _ := replayLogs(t, o)
	if len(result.Runs) != 1 || !slices.Equal(result.Later, []string{second}) {
		t.Errorf("runs %v, later %v", result.Runs, result.Later)
	}
	alone := o
	alone.Logs = o.Logs[:1]
	if got, want := replayRows(t, o), replayRows(t, alone); !slices.Equal(got, want) {
		t.Error(differAt(got, want))
	}
}

func TestBoundsNameRuns(t *testing.T) {
	a := recordLog(t, fromText(t, oneDownload))
	b := recordLog(t, fromText(t, strings.ReplaceAll(oneDownload, "run=01", "run=0203")))
	for until, want := range map[string]string{
		"01:3": "3 7", "02:3": "7 3", "01:3,0203:4": "3 4", "01:5,01:2": "2 7", "01:99": "7 7",
		"3": "may mean several runs", "0:3": "may mean several runs", "07:3": "no log is of that run",
	} {
		o := optionsFor(a, b)
		var err error
		if o.Until, err = ParseUntil(strings.Split(until, ",")...); err != nil {
			t.Fatal(err)
		}
		o.Output = filepath.Join(t.TempDir(), "result.sqlite")
		result, err := Run(t.Context(), o)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(result.Runs[0].Last, result.Runs[1].Last)
		}
		if !strings.Contains(got, want) {
			t.Errorf("until %s: %s, want %s", until, got, want)
		}
	}
}

// Who asks for more than there is gets all of it, and is told.
func TestBoundsBehindTheEndAreTold(t *testing.T) {
	a := recordLog(t, fromText(t, oneDownload))
	b := recordLog(t, fromText(t, strings.ReplaceAll(oneDownload, "run=01", "run=0203")))
	for until, want := range map[string]string{
		"01:3": "[]", "01:7": "[]", "01:8": "[01:8]", "01:8,02:99": "[01:8 02:99]", "01:3,2200-01-01": "[]",
		"2200-01-01": "[2200-01-01T00:00:00Z]", eventstest.Start.Add(5 * time.Second).String(): "[]",
	} {
		o := optionsFor(a, b)
		var err error
		if o.Until, err = ParseUntil(strings.Split(until, ",")...); err != nil {
			t.Fatal(err)
		}
		if result, _ := replayLogs(t, o); fmt.Sprint(result.Unreached) != want {
			t.Errorf("until %s: %v was not reached, want %s", until, result.Unreached, want)
		}
	}
}

func TestParseUntil(t *testing.T) {
	noon := events.TimeOf(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	for text, want := range map[string]Until{
		"17":                        {Stops: []Stop{{Last: 17}}},
		"AB01:17":                   {Stops: []Stop{{Run: "ab01", Last: 17}}},
		"2026-01-31T12:00:00Z":      {Time: noon},
		"2026-01-31T13:00:00+01:00": {Time: noon},
		"2026-01-31 12:00:00":       {Time: noon},
		"2026-01-31 12:00":          {Time: noon},
		"2026-01-31":                {Time: noon.Add(-12 * time.Hour)},
		"2026-01-31T12:00:00.5Z":    {Time: noon.Add(time.Second / 2)},
	} {
		if got, err := ParseUntil(text); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "ab:0", "-1", "noon", "99999999999999999999", "1066-10-14", "xyz:3", "2026-02-30", "2026-01-31,"} {
		if got, err := ParseUntil(text); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(text, ",")) {
			t.Errorf("%q: %v, %v; want an error that names it", text, got, err)
		}
	}
	if _, err := ParseUntil("2026-01-31", "2026-01-30"); err == nil {
		t.Error("two times were taken")
	}
}

// Damage behind the end of an as-of replay does not matter to it.
func TestAsOfReadsNothingBehind(t *testing.T) {
	whole := recordLog(t, syntheticRun(30_000, 1))
	o := optionsFor(whole)
	o.Until.Stops = []Stop{{Last: 500}}
	_, want := replayLogs(t, o)
	copied := edited(t, whole, func(key, value []byte) []byte {
		if key[0] == blockSpace && bytes.Compare(key[1:], []byte{0, 0, 0, 0, 0, 0, 0x40, 0}) > 0 {
			value[0]++
		}
		return value
	})
	if _, err := Run(t.Context(), Options{Logs: []string{copied}, Output: filepath.Join(t.TempDir(), "x"), Projections: o.Projections}); err == nil {
		t.Fatal("the copy is not damaged")
	}
	o.Logs = []string{copied}
	if _, got := replayLogs(t, o); !bytes.Equal(got, want) {
		t.Error("another file")
	}
}
