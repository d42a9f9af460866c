package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// readmeFolder is a folder in which somebody types commands of the README. Settings that a test needs are in the environment.
type readmeFolder struct {
	t      *testing.T
	path   string
	output string
	words  map[string]string // what the README calls FILE.torrent and LOG
}

func newReadmeFolder(t *testing.T, peers ...*peer) *readmeFolder {
	t.Helper()
	tr := startTracker(t, peers...)
	tr.answerAll()
	// The path of a socket is short.
	path, err := os.MkdirTemp("", "btda")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(path) })
	return &readmeFolder{t, path, filepath.Join(path, "output"), map[string]string{"FILE.torrent": writeTorrent(t, tr)}}
}

// start starts the one command of the README that begins with some words.
func (f *readmeFolder) start(words string) *running {
	f.t.Helper()
	var found []string
	for _, command := range readmeCommands(readReadme(f.t), "./btda") {
		if strings.HasPrefix(command, words+" ") {
			found = append(found, command)
		}
	}
	if len(found) != 1 {
		f.t.Fatalf("README.md has the commands %q that begin with btda %s, want one", found, words)
	}
	args := strings.Fields(found[0])
	for i, arg := range args {
		if meant, ok := f.words[arg]; ok {
			args[i] = meant
		}
	}
	command := exec.Command(program, args...)
	command.Dir = f.path
	command.Env = append(os.Environ(), "BTDA_BIND="+ourAddress, "BTDA_PORT=16884", "BTDA_TIMEOUT=10s", "BTDA_OUTPUT="+f.output)
	return startCommandIn(f.t, command)
}

// stop ends a recording in order. Its log is the LOG of later commands.
func (f *readmeFolder) stop(recording *running) {
	f.t.Helper()
	recording.signal(syscall.SIGTERM)
	f.words["LOG"] = recorded(f.t, recording.wait(), f.output)
}

// wantReplayed checks that now.sqlite has what a replay of the log gives.
func (f *readmeFolder) wantReplayed() {
	f.t.Helper()
	kept := filepath.Join(f.path, "now.sqlite")
	sameAsReplayed(f.t, kept, f.words["LOG"])
	if got := countRows(f.t, kept, "peer"); got != 1 {
		f.t.Errorf("%d peers, want 1", got)
	}
}

// The README's commands keep tables beside a recording, and a later run begins with the peers of the earlier one.
func TestReadmeCommandsFollowAndContinue(t *testing.T) {
	half := startPeer(t, "127.0.0.4", 0b1100_0000)
	f := newReadmeFolder(t, half)
	first := f.start("record --follow now.sqlite")
	await(t, "the recorder to meet the peer", half.met)
	f.stop(first)
	f.wantReplayed()

	await(t, "the recorder to leave", half.left)
	half = half.again()
	second := f.start("record --continue LOG")
	second.awaitLine("1 peers are known, of which 0 were complete")
	await(t, "the second run to meet the peer", half.met)
	f.stop(second)
}

// The README's commands keep tables in another process, while the recorder is there and afterwards.
func TestReadmeCommandsOfferAndFollow(t *testing.T) {
	half := startPeer(t, "127.0.0.4", 0b1100_0000)
	f := newReadmeFolder(t, half)
	recording := f.start("record --endpoint btda.sock")
	awaitFile(t, filepath.Join(f.path, "btda.sock"))
	follower := f.start("replay --follow btda.sock")
	follower.awaitLine("and follows")
	await(t, "the recorder to meet the peer", half.met)
	f.stop(recording)
	if end := follower.wait(); end.code != 0 {
		t.Fatalf("exit code %d\n%s%s", end.code, end.stdout, end.stderr)
	}
	f.wantReplayed()
	if err := os.Remove(filepath.Join(f.path, "now.sqlite")); err != nil {
		t.Fatal(err)
	}
	if end := f.start("replay --follow LOG").wait(); end.code != 0 {
		t.Fatalf("exit code %d\n%s%s", end.code, end.stdout, end.stderr)
	}
	f.wantReplayed()
}
