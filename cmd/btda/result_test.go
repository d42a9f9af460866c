package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
	"btda/events/eventstest"
)

// tutorialLog is a peer that finishes within seconds of its bitfield, one that takes its time, and one that begins without a bitfield.
const tutorialLog = `
	0    RunStarted run=01 setting.threshold=0.98 setting.revisit=5m0s
	0    TorrentAdded torrent=1 info-hash=aa display-name=cats metadata-known=true metadata.piece-count=8 metadata.piece-length=1024
	1    TrackerAnnounced torrent=1 tracker=http://tracker.example/announce peers=[9.2.3.4:6881 9.2.3.5:6881 9.2.3.6:6881]
	1.5  SessionOpened session=1 contact=1 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.4:6881 peer-id=-TR3000-aaaaaaaaaaaa
	1.5  SessionOpened session=2 contact=2 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.5:6881 peer-id=-TR3000-bbbbbbbbbbbb
	1.5  SessionOpened session=3 contact=3 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.6:6881 peer-id=-TR3000-cccccccccccc
	2    BitfieldReceived session=1 bitfield=11111110
	2    BitfieldReceived session=2 bitfield=11111110
	3    HaveReceived session=3 piece=0
	6    HaveReceived session=1 piece=7
	7    SessionClosed session=1 by=us reason=complete
	50   BitfieldReceived session=3 bitfield=11111111
	51   SessionClosed session=3 by=us reason=complete
	60   HaveReceived session=2 piece=7
	61   SessionClosed session=2 by=us reason=complete
	62   RunStopped reason=interrupted`

// writeLog writes a log of events in the form of eventstest.
func writeLog(t *testing.T, folder, text string) {
	t.Helper()
	records, err := eventstest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	writeRecords(t, folder, func(yield func(events.Time, events.Event) bool) {
		for _, r := range records {
			if !yield(r.Time, r.Event) {
				return
			}
		}
	})
}

func writeRecords(t *testing.T, folder string, all func(yield func(events.Time, events.Event) bool)) {
	t.Helper()
	log, err := eventlog.Create(folder, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for at, e := range all {
		if _, err := log.Append(context.Background(), at, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// inFolder runs the program in a folder.
func inFolder(t *testing.T, folder string, args ...string) ended {
	t.Helper()
	command := exec.Command(program, args...)
	command.Dir = folder
	return startCommandIn(t, command).wait()
}

func TestExitCodesOfComparisons(t *testing.T) {
	folder := t.TempDir()
	writeLog(t, filepath.Join(folder, "run.events"), tutorialLog)
	writeLog(t, filepath.Join(folder, "other.events"), strings.ReplaceAll(tutorialLog, "run=01", "run=02"))
	for _, step := range []struct {
		args string
		code int
		want string
	}{
		{"replay run.events -o a.sqlite", 0, "replayed 16 events"},
		{"replay run.events -o b.sqlite --settle 10s", 0, "replayed 16 events"},
		{"replay run.events other.events -o both.sqlite", 0, "replayed 32 events"},
		{"diff a.sqlite a.sqlite", 0, "the rows of all tables are the same"},
		{"diff a.sqlite b.sqlite", 1, "download: 3 rows -> 2; 0 added, 1 removed, 0 changed"},
		{"diff a.sqlite b.sqlite --rows 0", 1, "peer: 3 rows -> 3"},
		{"diff a.sqlite run.events", 1, ""},
		{"verify run.events", 0, "valid and complete"},
		{"verify run.events other.events", 0, "run 02000000000000000000000000000000"},
		{"verify run.events a.sqlite", 0, "valid, these logs give it byte for byte"},
		{"verify run.events b.sqlite", 0, "valid, these logs give it byte for byte"},
		{"verify other.events run.events both.sqlite", 0, "valid, these logs give it byte for byte"},
		{"verify other.events a.sqlite", 1, "not what these logs give"},
		{"verify run.events both.sqlite", 1, "provenance log.2.run: \"02000000000000000000000000000000\" -> not known"},
		{"verify a.sqlite", 2, ""},
		{"diff a.sqlite b.sqlite --explain download:1 run.events", 0, `"kind":"HaveReceived","event":{"session":1,"piece":7}}`},
		{"diff a.sqlite b.sqlite --explain download:7 run.events", 1, ""},
		{"replay run.events --until 99:1", 1, ""},
		{"replay run.events --until 3 -o c.sqlite", 0, "the result is partial"},
		{"replay run.events --until 16 -o c.sqlite", 0, "replayed 16 events"},
		{"replay run.events --until 17 -o c.sqlite", 0, "--until 17 is behind the end and cuts nothing off"},
	} {
		got := inFolder(t, folder, strings.Fields(step.args)...)
		if got.code != step.code || !strings.Contains(got.stdout, step.want) {
			t.Errorf("btda %s: exit code %d, want %d and %q:\n%s%s", step.args, got.code, step.code, step.want, got.stdout, got.stderr)
		}
	}
}

// What somebody wrote into a file cannot move the cursor of who compares it.
func TestDiffIsSafeForATerminal(t *testing.T) {
	folder := t.TempDir()
	writeLog(t, filepath.Join(folder, "run.events"), tutorialLog)
	writeLog(t, filepath.Join(folder, "evil.events"), strings.Replace(tutorialLog, "display-name=cats", `display-name="\x1b[2J\u202ecats\n"`, 1))
	inFolder(t, folder, "replay", "run.events", "-o", "a.sqlite")
	inFolder(t, folder, "replay", "evil.events", "-o", "b.sqlite")
	got := inFolder(t, folder, "diff", "a.sqlite", "b.sqlite")
	if got.code != 1 || !strings.Contains(got.stdout, `display_name "cats" -> "\x1b[2J\u202ecats\n"`) || regexp.MustCompile(`[^\n\x20-\x7e]`).MatchString(got.stdout) {
		t.Errorf("exit code %d\n%q", got.code, got.stdout)
	}
}

// An interrupt ends a replay, and leaves the result that was there before and nothing else.
func TestInterruptedReplayLeavesTheOldResult(t *testing.T) {
	folder := t.TempDir()
	writeLog(t, filepath.Join(folder, "small.events"), tutorialLog)
	inFolder(t, folder, "replay", "small.events", "-o", "result.sqlite")
	old, err := os.ReadFile(filepath.Join(folder, "result.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	running := startEndlessReplay(t, folder, 1)
	running.signal(syscall.SIGINT)
	got := running.wait()
	if got.code != 1 || !strings.Contains(got.stderr, "nothing was written") {
		t.Errorf("exit code %d, want 1\n%s", got.code, got.stderr)
	}
	if now, err := os.ReadFile(filepath.Join(folder, "result.sqlite")); err != nil || string(now) != string(old) {
		t.Errorf("the old result changed, or %v", err)
	}
	if left := temporaries(t, folder); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}

// What a killed replay leaves, the next one to the same name removes, but not what one that is running writes.
func TestReplayRemovesWhatAKilledOneLeft(t *testing.T) {
	folder := t.TempDir()
	writeLog(t, filepath.Join(folder, "small.events"), tutorialLog)
	killed, held := startEndlessReplay(t, folder, 1), startEndlessReplay(t, folder, 2)
	killed.signal(syscall.SIGKILL)
	killed.wait()
	if got := inFolder(t, folder, "replay", "small.events", "-o", "result.sqlite"); got.code != 0 {
		t.Errorf("exit code %d\n%s", got.code, got.stderr)
	}
	if left := temporaries(t, folder); len(left) != 1 {
		t.Errorf("beside the result there are %v, want the file of the replay that is running", left)
	}
	held.signal(syscall.SIGINT)
	held.wait()
	if left := temporaries(t, folder); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}

// startEndlessReplay starts a replay to result.sqlite that does not end by itself, and waits until there are so many temporary files.
func startEndlessReplay(t *testing.T, folder string, files int) *running {
	t.Helper()
	const endless = "WITH RECURSIVE up (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM up) SELECT count(*) FROM up"
	if err := os.WriteFile(filepath.Join(folder, "endless.sql"), []byte(endless), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "replay", "small.events", "-o", "result.sqlite", "--sql", "endless.sql")
	command.Dir = folder
	replay := startCommandIn(t, command)
	awaitTemporaries(t, folder, files)
	return replay
}

func awaitTemporaries(t *testing.T, folder string, count int) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); len(temporaries(t, folder)) < count; <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("no %d temporary files appeared", count)
		}
	}
}

func temporaries(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, ".*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
