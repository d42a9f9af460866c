package main_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	_ "modernc.org/sqlite"
)

// startRecord begins a recording of a torrent into a folder. Its timeout is one that a slow machine does not reach, unless args say otherwise.
func startRecord(t *testing.T, torrent string, args ...string) (r *running, output string) {
	t.Helper()
	output = filepath.Join(t.TempDir(), "output")
	args = append([]string{"record", "--output", output, "--bind", ourAddress, "--port", "16884", "--timeout", "10s"}, args...)
	return start(t, append(args, torrent)...), output
}

// recorded gives the log that the last line on standard output names, and checks that it is in the folder.
func recorded(t *testing.T, e ended, output string) (log string) {
	t.Helper()
	log, ok := strings.CutPrefix(lastLine(e.stdout), "recorded ")
	if e.code != 0 || !ok || filepath.Dir(log) != output || !strings.HasSuffix(log, ".events") {
		t.Fatalf("exit code %d, standard output %q, standard error\n%s", e.code, e.stdout, e.stderr)
	}
	return log
}

// onlyLog gives the one log in a folder.
func onlyLog(t *testing.T, output string) string {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(output, "*.events"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs %q, %v, want one", logs, err)
	}
	return logs[0]
}

// await waits for a channel to be closed.
func await(t *testing.T, what string, closed <-chan struct{}) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

// line is a line of `btda events`.
type line struct {
	Run   string
	Seq   int
	Time  time.Time
	Kind  string
	Event map[string]any
}

// eventsOf reads the events of a log through the program.
func eventsOf(t *testing.T, log string) (lines []line) {
	t.Helper()
	got := btda(t, "events", log)
	if got.code != 0 {
		t.Fatalf("btda events: exit code %d\n%s", got.code, got.stderr)
	}
	for text := range strings.Lines(got.stdout) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		lines = append(lines, l)
	}
	return lines
}

func kinds(lines []line) (kinds []string) {
	for _, l := range lines {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}

// havesOf gives the pieces of the haves from an address.
func havesOf(lines []line, address string) (pieces []float64) {
	var session any
	for _, l := range lines {
		switch {
		case l.Kind == "SessionOpened" && l.Event["address"] == address:
			session = l.Event["session"]
		case l.Kind == "HaveReceived" && l.Event["session"] == session:
			pieces = append(pieces, l.Event["piece"].(float64))
		}
	}
	return pieces
}

// A tiny swarm is recorded, and its log verified, written as text and replayed.
func TestRecordVerifyEventsReplay(t *testing.T) {
	finisher := startPeer(t, "127.0.0.2", 0b1000_0000, 1, 2, 3)
	half := startPeer(t, "127.0.0.4", 0b1100_0000)
	tr := startTracker(t, finisher, half)
	tr.answerAll()

	recording, output := startRecord(t, writeTorrent(t, tr))
	await(t, "the recorder to leave the peer that is complete", finisher.left)
	await(t, "the recorder to meet the other peer", half.met)
	recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)

	if text, err := os.ReadFile(strings.TrimSuffix(log, ".events") + ".log"); err != nil || len(text) == 0 {
		t.Errorf("the text log has %d bytes, %v", len(text), err)
	}
	if got := btda(t, "verify", log); got.code != 0 || !strings.Contains(got.stdout, "valid") || !strings.Contains(got.stdout, log) {
		t.Errorf("btda verify: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	lines := eventsOf(t, log)
	for i, l := range lines {
		if l.Seq != i+1 || l.Run != lines[0].Run || l.Time.IsZero() {
			t.Errorf("event %d is %+v", i+1, l)
		}
	}
	if k := kinds(lines); k[0] != "RunStarted" || k[len(k)-1] != "RunStopped" || lines[len(lines)-1].Event["reason"] != "terminated" {
		t.Errorf("kinds %q, ended by %v", k, lines[len(lines)-1].Event)
	}
	if got := havesOf(lines, finisher.address.String()); !slices.Equal(got, []float64{1, 2, 3}) {
		t.Errorf("pieces %v, want 1 to 3", got)
	}
	replayAndCount(t, log)
	replayWithThresholds(t, log)
	replayWithPlaces(t, log)
	verifyDamaged(t, log)
}

// replayAndCount replays the log of one download by two peers twice, to two names.
func replayAndCount(t *testing.T, log string) {
	t.Helper()
	named := filepath.Join(t.TempDir(), "named.sqlite")
	for file, args := range map[string][]string{strings.TrimSuffix(log, ".events") + ".sqlite": nil, named: {"-o", named}} {
		got := btda(t, append([]string{"replay", log, "--settle", "0s"}, args...)...)
		if got.code != 0 || !strings.Contains(got.stderr, "no geolocation file") || !strings.HasSuffix(lastLine(got.stdout), "events into "+file) {
			t.Fatalf("btda replay: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		for table, want := range map[string]int{"download": 1, "peer": 2, "torrent": 1} {
			if rows := countRows(t, file, table); rows != want {
				t.Errorf("%s has %d rows, want %d", table, rows, want)
			}
		}
	}
}

// replayWithThresholds replays with one threshold, repeated ones and a list: the first counts, and several replace the default sweep.
func replayWithThresholds(t *testing.T, log string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.sqlite")
	for _, c := range []struct {
		flags     []string
		threshold string
		sweep     string
	}{
		{nil, "option.threshold' AND value IS NULL", "0.5,0.8,0.9,0.95,0.98,0.99,1"},
		{[]string{"--threshold", "0.6"}, "option.threshold' AND value = '0.6'", "0.5,0.6,0.8,0.9,0.95,0.98,0.99,1"},
		{[]string{"--threshold", "0.75,0.25", "--threshold", "1"}, "option.threshold' AND value = '0.75'", "0.25,0.75,1"},
	} {
		if got := btda(t, append([]string{"replay", log, "-o", file}, c.flags...)...); got.code != 0 {
			t.Fatalf("btda replay %q: exit code %d\n%s%s", c.flags, got.code, got.stdout, got.stderr)
		}
		if n := countRows(t, file, "provenance WHERE name = '"+c.threshold); n != 1 {
			t.Errorf("%q: provenance does not say %s", c.flags, c.threshold)
		}
		if n := countRows(t, file, "provenance WHERE name = 'option.sweep' AND value = '"+c.sweep+"'"); n != 1 {
			t.Errorf("%q: provenance does not say the sweep %s", c.flags, c.sweep)
		}
		for threshold := range strings.SplitSeq(c.sweep, ",") {
			if n := countRows(t, file, "threshold_sweep WHERE threshold = "+threshold); n != 1 {
				t.Errorf("%q: %d rows of threshold %s, want 1", c.flags, n, threshold)
			}
		}
	}
}

// replayWithPlaces replays with a geolocation file for 127.0.0.0/8.
func replayWithPlaces(t *testing.T, log string) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "DBIP-City-Lite", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	loopback := &net.IPNet{IP: net.IPv4(127, 0, 0, 0), Mask: net.CIDRMask(8, 32)}
	if err := tree.Insert(loopback, mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("AQ")}}); err != nil {
		t.Fatal(err)
	}
	var places bytes.Buffer
	if _, err := tree.WriteTo(&places); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "city.mmdb"), places.Bytes())
	file := filepath.Join(folder, "a.sqlite")
	for _, source := range [][]string{{"--places", filepath.Join(folder, "city.mmdb")}, {"--input", folder}} {
		got := btda(t, append([]string{"replay", log, "-o", file}, source...)...)
		if got.code != 0 || got.stderr != "" {
			t.Fatalf("btda replay %q: exit code %d\n%s%s", source, got.code, got.stdout, got.stderr)
		}
		if n := countRows(t, file, "peer WHERE country = 'AQ'"); n != 2 {
			t.Errorf("%q gives %d peers a place, want 2", source, n)
		}
		if n := countRows(t, file, fmt.Sprintf("provenance WHERE instr(value, '%x')", sha256.Sum256(places.Bytes()))); n != 1 {
			t.Errorf("%q: provenance names the geolocation file %d times, want once", source, n)
		}
	}
}

// verifyDamaged changes a byte in the first table of a closed log: there lie the events.
func verifyDamaged(t *testing.T, log string) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(log, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %q, %v, want one at least", tables, err)
	}
	data, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/4] ^= 0xff
	writeFile(t, tables[0], data)
	if got := btda(t, "verify", log); got.code != 1 || !strings.Contains(got.stderr, strings.TrimSuffix(filepath.Base(tables[0]), ".sst")) || got.stdout != "" {
		t.Errorf("btda verify after a change in %s: exit code %d\n%s%s", tables[0], got.code, got.stdout, got.stderr)
	}
}

// countRows counts the rows of a table, or of what follows FROM.
func countRows(t *testing.T, file, from string) (rows int) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM " + from).Scan(&rows); err != nil {
		t.Fatalf("%s: %v", from, err)
	}
	return rows
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRecordSkipsBrokenFilesAndDuplicates(t *testing.T) {
	tr := startTracker(t)
	tr.answerAll()
	torrent := writeTorrent(t, tr)
	data, err := os.ReadFile(torrent)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range map[string][]byte{
		"a.torrent": data, "b.torrent": data, "c.torrent": []byte("no"), "nest.torrent": bytes.Repeat([]byte("l"), 8<<20), "long.torrent": []byte("d4:info2147483647:"),
	} {
		writeFile(t, filepath.Join(folder, name), content)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe.torrent"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "exact.events")
	got := btda(t, "record", "--input", folder, "--events", log, "--log-file", filepath.Join(dir, "text"), "--duration", "500ms", "--port", "16884")
	if got.code != 0 || got.stdout != "recorded "+log+"\n" {
		t.Fatalf("exit code %d, standard output %q\n%s", got.code, got.stdout, got.stderr)
	}
	for _, want := range []string{"skipped b.torrent: the same torrent as a.torrent", "skipped c.torrent", "skipped nest.torrent", "skipped long.torrent", "skipped pipe.torrent", "recording 1 torrent"} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("standard error has no %q:\n%s", want, got.stderr)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "text")); err != nil || len(text) == 0 {
		t.Errorf("the text log has %d bytes, %v", len(text), err)
	}
	lines := eventsOf(t, log)
	if i := slices.Index(kinds(lines), "TorrentAdded"); lines[i].Event["path"] != "a.torrent" || lines[len(lines)-1].Event["reason"] != "duration over" {
		t.Errorf("torrent %v, end %v", lines[i].Event, lines[len(lines)-1].Event)
	}
	if again := btda(t, "record", "--input", folder, "--events", log, "--duration", "1s"); again.code != 1 || !strings.Contains(again.stderr, log) {
		t.Errorf("a second recording into the same folder: exit code %d\n%s", again.code, again.stderr)
	}
}

// A torrent file that is named is called as if it had been found, where it lies in the input folder. A log that is the current
// folder is replayed into a file beside it, not into it.
func TestNamesFollowFolders(t *testing.T) {
	tr := startTracker(t)
	tr.answerAll()
	data, err := os.ReadFile(writeTorrent(t, tr))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	named := filepath.Join(folder, "input", "films", "a.torrent")
	if err := os.MkdirAll(filepath.Dir(named), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, named, data)
	log := filepath.Join(folder, "a.events")
	got := btda(t, "record", "--input", filepath.Join(folder, "input"), "--events", log, "--duration", "100ms", "--port", "16884", named)
	if got.code != 0 {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	lines := eventsOf(t, log)
	if i := slices.Index(kinds(lines), "TorrentAdded"); lines[i].Event["path"] != "films/a.torrent" {
		t.Errorf("the path is %v, want films/a.torrent", lines[i].Event["path"])
	}
	replay := exec.Command(program, "replay", ".")
	replay.Dir = log
	if output, err := replay.CombinedOutput(); err != nil {
		t.Fatalf("btda replay .: %v\n%s", err, output)
	}
	if n := countRows(t, filepath.Join(folder, "a.sqlite"), "torrent WHERE filepath = 'films/a.torrent'"); n != 1 {
		t.Errorf("%d torrents, want 1", n)
	}
}

// What cannot begin leaves nothing behind.
func TestRecordThatDoesNotFitLeavesNoFile(t *testing.T) {
	tr := startTracker(t)
	dir := t.TempDir()
	for flag, value := range map[string]string{"--exclude": "nowhere", "--bind": "198.51.100.7"} {
		got := btda(t, "record", "--events", filepath.Join(dir, "a.events"), flag, value, writeTorrent(t, tr))
		left, err := os.ReadDir(dir)
		if got.code != 2 || !strings.Contains(got.stderr, flag) || err != nil || len(left) > 0 {
			t.Errorf("%s: exit code %d, %q left, %v\n%s", flag, got.code, left, err, got.stderr)
		}
	}
}
