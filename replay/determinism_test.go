package replay

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"btda/events"
)

// childReplay names the logs, childFollow the endpoint of a log to follow instead, and childOutput the result, of a child process of a test.
const (
	childReplay = "BTDA_TEST_REPLAY_CHILD"
	childFollow = "BTDA_TEST_FOLLOW_CHILD"
	childOutput = "BTDA_TEST_REPLAY_OUTPUT"
)

// TestMain is also that child process.
func TestMain(m *testing.M) {
	output := os.Getenv(childOutput)
	switch logs, endpoint := os.Getenv(childReplay), os.Getenv(childFollow); {
	case logs != "":
		endChild(replayInChild(output, filepath.SplitList(logs)...))
	case endpoint != "":
		endChild(followInChild(output, endpoint))
	}
	os.Exit(m.Run())
}

func endChild(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// The same logs give the same bytes: again, on one core, on two and on four, in another process, copied to another place, stored
// otherwise, and named in any order.
func TestSameLogsSameBytes(t *testing.T) {
	log, other := recordLog(t, syntheticRun(sized(20_000), 1)), recordKilled(t, syntheticRun(sized(3000), 2))
	results := map[string][]byte{}
	_, results["once"] = replayLogs(t, optionsFor(log, other))
	_, results["again"] = replayLogs(t, optionsFor(log, other))
	for _, cores := range []int{1, 2, 4} {
		before := runtime.GOMAXPROCS(cores)
		_, results[fmt.Sprint("cores: ", cores)] = replayLogs(t, optionsFor(log, other))
		runtime.GOMAXPROCS(before)
		results[fmt.Sprint("child process, cores: ", cores)] = replayElsewhere(t, cores, log, other)
	}
	_, results["copied"] = replayLogs(t, optionsFor(copyLog(t, log), copyLog(t, other)))
	_, results["compacted"] = replayLogs(t, optionsFor(compacted(t, log), other))
	_, results["in another order"] = replayLogs(t, optionsFor(other, log))
	_, results["compacted, in another order"] = replayLogs(t, optionsFor(other, compacted(t, log)))
	for name, result := range results {
		if sha256.Sum256(result) != sha256.Sum256(results["once"]) {
			t.Errorf("%s: SHA-256 %s of %d bytes, want %s of %d", name, sumOf(result), len(result), sumOf(results["once"]), len(results["once"]))
		}
	}
}

// replayElsewhere replays in a child process.
func replayElsewhere(t *testing.T, cores int, logs ...string) []byte {
	t.Helper()
	output := filepath.Join(t.TempDir(), "result.sqlite")
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childReplay+"="+strings.Join(logs, string(os.PathListSeparator)), childOutput+"="+output, fmt.Sprint("GOMAXPROCS=", cores))
	if said, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	result, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// compacted writes what a log holds into another folder, in two halves that overlap, so that Pebble has to merge them.
func compacted(t *testing.T, log string) string {
	t.Helper()
	from, err := pebble.Open(copyLog(t, log), &pebble.Options{Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	folder := filepath.Join(t.TempDir(), "compacted.events")
	to, err := pebble.Open(folder, &pebble.Options{Logger: silent{}, FormatMajorVersion: from.FormatMajorVersion()})
	if err != nil {
		t.Fatal(err)
	}
	for half := range 2 {
		if err := errors.Join(copyHalf(to, from, half), to.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(to.Compact(t.Context(), []byte{0}, []byte{0xff}, false), to.Close()); err != nil {
		t.Fatal(err)
	}
	return folder
}

// copyHalf copies every second key.
func copyHalf(to, from *pebble.DB, half int) error {
	iter, err := from.NewIter(nil)
	if err != nil {
		return err
	}
	n := 0
	for iter.First(); iter.Valid(); iter.Next() {
		if n++; n%2 == half {
			err = errors.Join(err, to.Set(iter.Key(), iter.Value(), pebble.NoSync))
		}
	}
	return errors.Join(err, iter.Error(), iter.Close())
}

// Several logs give the same bytes in any order, and one given twice counts once.
func TestNamingOrderDoesNotMatter(t *testing.T) {
	a, b, c := recordLog(t, syntheticRun(sized(3000), 1)), recordLog(t, syntheticRun(sized(2000), 2)), recordKilled(t, syntheticRun(sized(1000), 3))
	first, want := replayLogs(t, optionsFor(a, b, c))
	if len(first.Runs) != 3 || len(first.Duplicates) != 0 {
		t.Fatalf("%d runs, duplicates %v; want 3 and none", len(first.Runs), first.Duplicates)
	}
	for _, order := range [][]string{{c, b, a}, {b, c, a}, {a, b, copyLog(t, b), c, a}} {
		result, got := replayLogs(t, optionsFor(order...))
		if !bytes.Equal(got, want) {
			t.Errorf("%v: SHA-256 %s, want %s", order, sumOf(got), sumOf(want))
		}
		if twice := len(order) - 3; len(result.Duplicates) != twice || len(result.Runs) != 3 {
			t.Errorf("%v: %d runs, duplicates %v; want 3 runs and %d duplicates", order, len(result.Runs), result.Duplicates, twice)
		}
	}
}

// Of two logs of one run the longer one counts, whatever their order: a copy that was made while the run went on, and the whole.
func TestTheLongestLogOfARunCounts(t *testing.T) {
	part, whole := recordKilled(t, firstOf(1200, syntheticRun(3000, 1))), recordLog(t, syntheticRun(3000, 1))
	_, want := replayLogs(t, optionsFor(whole))
	for _, order := range [][]string{{part, whole}, {whole, part}} {
		result, got := replayLogs(t, optionsFor(order...))
		if !bytes.Equal(got, want) || len(result.Duplicates) != 1 || result.Duplicates[0].Path != part {
			t.Errorf("%v: duplicates %v; want the part, and the result of the whole", order, result.Duplicates)
		}
	}
	longer := recordKilled(t, firstOf(1201, syntheticRun(3000, 1)))
	result, _ := replayLogs(t, optionsFor(longer, part))
	if result.Runs[0].Path != longer || result.Events() != 1201 {
		t.Errorf("of 1200 and 1201 unsealed records, %d were replayed", result.Events())
	}
}

// Of two logs of one run that hold as much the sealed one counts, wherever they lie: provenance says that its end is proven.
func TestTheSealedLogOfARunCounts(t *testing.T) {
	killed, sealed, killedToo := recordKilled(t, syntheticRun(1000, 1)), recordLog(t, syntheticRun(1000, 1)), recordKilled(t, syntheticRun(1000, 1))
	_, want := replayLogs(t, optionsFor(sealed))
	for _, other := range []string{killed, killedToo} {
		result, got := replayLogs(t, optionsFor(other, sealed))
		if !bytes.Equal(got, want) || len(result.Duplicates) != 1 || result.Duplicates[0].Path != other {
			t.Errorf("%s and %s: duplicates %v, want the unsealed one", other, sealed, result.Duplicates)
		}
	}
}

// Geolocation files give the same bytes in any order: a folder is searched in the order of its names.
func TestOrderOfPlaceFilesDoesNotMatter(t *testing.T) {
	city := PlaceFile{Type: "GeoLite2-City", Built: time.Unix(1, 0)}
	systems := PlaceFile{Type: "GeoLite2-ASN", Built: time.Unix(2, 0)}
	o := optionsFor(recordLog(t, fromText(t, oneDownload)))
	o.Projections.Places = nowhere{}
	o.PlaceFiles = []PlaceFile{city, systems}
	_, want := replayLogs(t, o)
	o.PlaceFiles = []PlaceFile{systems, city}
	if _, got := replayLogs(t, o); !bytes.Equal(got, want) {
		t.Errorf("SHA-256 %s, want %s", sumOf(got), sumOf(want))
	}
}

type nowhere struct{}

func (nowhere) Find(netip.Addr) (events.Place, bool) { return events.Place{}, false }
