package main_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sameAsReplayed holds a file that was kept against a fresh replay of the log.
func sameAsReplayed(t *testing.T, kept, log string) {
	t.Helper()
	fresh := filepath.Join(t.TempDir(), "fresh.sqlite")
	if got := btda(t, "replay", log, "-o", fresh); got.code != 0 {
		t.Fatalf("btda replay: exit code %d\n%s", got.code, got.stderr)
	}
	if got := btda(t, "diff", kept, fresh); got.code != 0 || strings.Contains(got.stdout, "provenance") {
		t.Errorf("the kept file is not as a fresh replay: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// change works on a file that is kept, as another program may.
func change(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(statement, err)
	}
}

// awaitTables waits until a file that is kept has rows of a table. It is read while it is written, as readers do.
func awaitTables(t *testing.T, file, table string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(patience); ; {
		rows := 0
		err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&rows)
		if rows > 0 {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("no rows of %s came: %v", table, err)
		}
	}
}

func TestRecordFollow(t *testing.T) {
	finisher := startPeer(t, "127.0.0.2", 0b1000_0000, 1, 2, 3)
	half := startPeer(t, "127.0.0.4", 0b1100_0000)
	tr := startTracker(t, finisher, half)
	tr.answerAll()
	kept := filepath.Join(t.TempDir(), "kept.sqlite")
	recording, output := startRecord(t, writeTorrent(t, tr), "--follow", kept)
	await(t, "the recorder to leave the peer that is complete", finisher.left)
	await(t, "the recorder to meet the other peer", half.met)
	recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)
	sameAsReplayed(t, kept, log)
	if got := countRows(t, kept, "peer"); got != 2 {
		t.Errorf("%d peers, want 2", got)
	}
	if got := btda(t, "verify", log, kept); got.code != 1 || !strings.Contains(got.stdout, "as one that was kept by --follow is") {
		t.Errorf("btda verify: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// When the file can no longer be written, the recording goes on, says so, and says how to go on with the file.
func TestRecordingOutlivesItsFollower(t *testing.T) {
	half := startPeer(t, "127.0.0.4", 0b1100_0000)
	tr := startTracker(t, half)
	tr.answerAll()
	kept := filepath.Join(t.TempDir(), "kept.sqlite")
	recording, output := startRecord(t, writeTorrent(t, tr), "--follow", kept, "--statistic-interval", "1s")
	await(t, "the recorder to meet the peer", half.met)
	awaitTables(t, kept, "peer")
	change(t, kept, "DROP TABLE scrape")
	recording.awaitLine("the recording goes on")
	recording.signal(syscall.SIGTERM)
	end := recording.wait()
	if end.code != 1 || !strings.Contains(end.stderr, "go on with btda replay --follow") || !strings.HasPrefix(lastLine(end.stdout), "recorded ") {
		t.Fatalf("exit code %d\n%s%s", end.code, end.stdout, end.stderr)
	}
	log := onlyLog(t, output)
	verifySealed(t, log)
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if got := btda(t, "replay", "--follow", log, "-o", kept); got.code != 0 {
		t.Fatalf("btda replay --follow: exit code %d\n%s", got.code, got.stderr)
	}
	sameAsReplayed(t, kept, log)
}

func TestRecordRefusesAFileThatCannotBeKept(t *testing.T) {
	for file, want := range map[string]string{filepath.Join(t.TempDir(), "no", "such.sqlite"): "cannot open", t.TempDir(): "cannot open"} {
		recording, output := startRecord(t, writeTorrent(t, startTracker(t)), "--follow", file)
		if end := recording.wait(); end.code != 1 || !strings.Contains(end.stderr, want) {
			t.Errorf("exit code %d, want 1 and %q\n%s", end.code, want, end.stderr)
		}
		if logs, _ := filepath.Glob(filepath.Join(output, "*.events")); len(logs) != 0 {
			t.Errorf("something was recorded: %v", logs)
		}
	}
}
