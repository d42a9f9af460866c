package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The first interrupt says what it waits for, tells the tracker, and ends when that has answered.
func TestInterruptWaitsForTheTracker(t *testing.T) {
	held := startPeer(t, "127.0.0.2", 0b1000_0000, 1)
	tr := startTracker(t, held)
	recording, output := startRecord(t, writeTorrent(t, tr), "--timeout", "20s")
	await(t, "the recorder to meet the peer", held.met)

	sent := recording.signal(syscall.SIGINT)
	tr.awaitTold(t, "stopped")
	recording.awaitLine("waiting for ")
	tr.answerAll()
	end := recording.wait()
	if took := time.Since(sent); took > 10*time.Second {
		t.Errorf("it ended %v after the interrupt, although nothing was left to wait for", took)
	}
	lines := eventsOf(t, recorded(t, end, output))
	if last := lines[len(lines)-1]; last.Kind != "RunStopped" || last.Event["reason"] != "interrupted" {
		t.Errorf("the last event is %+v", last)
	}
	i := slices.Index(kinds(lines), "SessionClosed")
	if i < 0 || lines[i].Event["reason"] != "stopping" {
		t.Errorf("the session of the peer was not closed: %q", kinds(lines))
	}
}

// A tracker that never answers holds the end up for the timeout and no more than 2 s.
func TestInterruptEndsWithoutAnAnswer(t *testing.T) {
	held := startPeer(t, "127.0.0.2", 0b1000_0000, 1)
	tr := startTracker(t, held)
	recording, output := startRecord(t, writeTorrent(t, tr), "--timeout", "3s")
	await(t, "the recorder to meet the peer", held.met)

	sent := recording.signal(syscall.SIGINT)
	end := recording.wait()
	if took := time.Since(sent); took > 5*time.Second {
		t.Errorf("it ended %v after the interrupt, want at most 5s", took)
	}
	tr.awaitTold(t, "stopped")
	verifySealed(t, recorded(t, end, output))
}

// The second interrupt ends at once, whatever is waited for, and loses nothing.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	finisher := startPeer(t, "127.0.0.2", 0b1000_0000, 1, 2, 3)
	held := startPeer(t, "127.0.0.4", 0b1000_0000, 1)
	tr := startTracker(t, finisher, held)
	recording, output := startRecord(t, writeTorrent(t, tr), "--timeout", "60s")
	// The recorder hangs up when it has recorded that the peer is complete.
	await(t, "the recorder to leave the peer that is complete", finisher.left)
	await(t, "the recorder to meet the other peer", held.met)

	recording.signal(syscall.SIGINT)
	recording.awaitLine("waiting for ")
	sent := recording.signal(syscall.SIGINT)
	end := recording.wait()
	if took := time.Since(sent); took > 10*time.Second { // of the 60 that the tracker has to answer
		t.Errorf("it ended %v after the second interrupt", took)
	}
	log := recorded(t, end, output)
	verifySealed(t, log)
	lines := eventsOf(t, log)
	if got := havesOf(lines, finisher.address.String()); !slices.Equal(got, []float64{1, 2, 3}) {
		t.Errorf("pieces %v, want 1 to 3", got)
	}
	if last := lines[len(lines)-1]; last.Kind != "RunStopped" {
		t.Errorf("the last event is %+v", last)
	}
}

// A reader of our output that is gone does not keep the log from being sealed.
func TestInterruptWithNobodyToReadTheOutput(t *testing.T) {
	tr := startTracker(t)
	tr.answerAll()
	recording, output := startRecord(t, writeTorrent(t, tr))
	tr.awaitTold(t, "started")
	recording.closeOutput()
	recording.signal(syscall.SIGINT)
	if end := recording.wait(); end.code == -1 {
		t.Errorf("it was ended by a signal: %v", recording.command.ProcessState)
	}
	verifySealed(t, onlyLog(t, output))
}

// Until the recording begins an interrupt ends the program as any other: nothing is there yet that has to be ended in order.
func TestInterruptWhileTheTorrentsAreRead(t *testing.T) {
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "magnet.txt"), []byte(strings.Repeat("no link\n", 5000)))
	complaints, stderr, err := os.Pipe() // has no room for a line about each
	if err != nil {
		t.Fatal(err)
	}
	defer complaints.Close()
	command := exec.Command(program, "record", "--input", folder)
	command.Dir, command.Stderr = t.TempDir(), stderr
	if err := errors.Join(command.Start(), stderr.Close()); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	_, err = complaints.Read(make([]byte, 1))
	if err := errors.Join(err, command.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // its error says what is looked at below
	if by := command.ProcessState.Sys().(syscall.WaitStatus); by.Signal() != syscall.SIGTERM {
		t.Errorf("it was not ended by the signal: %v", command.ProcessState)
	}
}

func verifySealed(t *testing.T, log string) {
	t.Helper()
	if got := btda(t, "verify", log); got.code != 0 || !strings.Contains(got.stdout, "sealed") {
		t.Errorf("btda verify: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
