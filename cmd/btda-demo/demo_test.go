package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"btda/events/eventlog"
)

// In both ways to observe, and when all come to the recorder, every leecher that finishes is one confirmed download, and nobody else is.
// All are played at once, whatever -parallel is, since they do little but wait.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 15 s")
	}
	t.Parallel()
	var playing sync.WaitGroup
	for _, how := range [][]string{{"stay"}, {"visit"}, {"stay", "-p"}} {
		playing.Go(func() { checkDemo(t, t.TempDir(), how) })
	}
	playing.Wait()
}

// checkDemo plays the demo in a way to observe, with more options.
func checkDemo(t *testing.T, folder string, how []string) {
	var out, failures bytes.Buffer
	code := run(t.Context(), append([]string{"--output", folder, "--pieces", "64", "--pace", "8s", "--timeout", "2s", "--revisit", "1s", "--observe"}, how...),
		terminal{&out, &failures})
	if code != exitDone || failures.Len() > 0 {
		t.Errorf("%v: exit code %d, %s\n%s", how, code, &failures, &out)
	}
	for _, name := range []string{"demo-" + how[0] + ".events", "demo-" + how[0] + ".sqlite"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil || !strings.Contains(out.String(), filepath.Join(folder, name)) {
			t.Errorf("%v: %s: %v, or not named in the output:\n%s", how, name, err, &out)
		}
	}
}

// An interrupt ends the demo soon and leaves a log that is sealed.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	folder := t.TempDir()
	var out, failures bytes.Buffer
	code := run(ctx, []string{"--output", folder, "--timeout", "2s"}, terminal{&out, &failures})
	if code != exitFailed || !strings.Contains(failures.String(), errInterrupted.Error()) {
		t.Errorf("exit code %d, %s", code, &failures)
	}
	log, err := eventlog.Open(filepath.Join(folder, "demo-stay.events"), eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if _, sealed := log.Sealed(); !sealed {
		t.Error("the log is not sealed")
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"--observe", "sometimes"}, {"--unknown"}, {"argument"}, {"--pieces", "1"}, {"--pace", "1s"}, {"--timeout", "-1s"},
		{"--peers", "0"}, {"--turns", "1000"}} {
		var out, failures bytes.Buffer
		if code := run(t.Context(), args, terminal{&out, &failures}); code != exitUsage || failures.Len() == 0 {
			t.Errorf("%v: exit code %d, %s", args, code, &failures)
		}
	}
	var out, failures bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, terminal{&out, &failures}); code != exitDone || !strings.Contains(out.String(), "--observe") {
		t.Errorf("--help: exit code %d, %s", code, &out)
	}
}

// What the demo calls a disagreement.
func TestJudge(t *testing.T) {
	crossed := time.Unix(100, 0)
	download := func(below, above float64, evidence string) *downloadRow {
		return &downloadRow{lastBelow: below, firstAbove: above, belowEvidence: evidence, aboveEvidence: "have"}
	}
	cases := []struct {
		name     string
		finishes bool
		peers    []peerRow
		problem  string
	}{
		{"exact", true, []peerRow{{address: "a", download: download(99.9, 100.1, "bitfield")}}, ""},
		{"a wide interval", true, []peerRow{{address: "a", download: download(50, 150, "have_none")}}, ""},
		{"the have before the last came late", true, []peerRow{{address: "a", download: download(100.5, 100.6, "bitfield")}}, ""},
		{"missed", true, []peerRow{{address: "a"}}, "a: its download was missed"},
		{"never met", false, nil, "a: never met"},
		{"no download", false, []peerRow{{address: "a"}}, ""},
		{"a wrong download", false, []peerRow{{address: "a", download: download(1, 2, "bitfield")}}, "a: it did not download"},
		{"only assumed", true, []peerRow{{address: "a", download: download(99, 101, "assumed")}}, "a: its download is only assumed"},
		{"too early", true, []peerRow{{address: "a", download: download(90, 99, "bitfield")}}, "a: it crossed the threshold at"},
		{"too late", true, []peerRow{{address: "a", download: download(102, 103, "bitfield")}}, "a: it crossed the threshold at"},
		{"a stranger", false, []peerRow{{address: "a"}, {address: "b"}}, "b is one peer too many"},
		{"counted twice", false, []peerRow{{address: "a"}, {address: "a"}}, "a is one peer too many"},
	}
	for _, c := range cases {
		verdicts, strangers := judge([]truth{{name: "a", address: "a", finishes: c.finishes, crossed: crossed}}, c.peers)
		problems := strings.Join(problemsOf(verdicts, strangers), "; ")
		if (c.problem == "") != (problems == "") || !strings.HasPrefix(problems, c.problem) {
			t.Errorf("%s: %q, want %q", c.name, problems, c.problem)
		}
	}
}
