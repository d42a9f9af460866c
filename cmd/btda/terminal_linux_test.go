package main_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal gives the two ends of a terminal of 12 rows and 100 columns: the user's and the program's.
func openTerminal(t *testing.T) (user, programs *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	programs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(programs.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 12, Col: 100}); err != nil {
		t.Fatal(err)
	}
	return user, programs
}

// onTerminal starts the program at a terminal. What it shows goes into shown, until done is done.
func onTerminal(t *testing.T, args ...string) (user *os.File, command *exec.Cmd, shown *watched, done *sync.WaitGroup) {
	t.Helper()
	user, programs := openTerminal(t)
	command = exec.Command(program, args...)
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), "TERM=xterm")
	command.Stdin, command.Stdout, command.Stderr = programs, programs, programs
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err := command.Start()
	programs.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	shown, done = newWatched(), new(sync.WaitGroup)
	done.Go(func() { _, _ = io.Copy(shown, user) })
	return user, command, shown, done
}

// awaitText waits until something was written often enough.
func (w *watched) awaitText(t *testing.T, part string, times int) {
	t.Helper()
	timeout := time.After(patience)
	for {
		text, changed := w.look()
		if strings.Count(text, part) >= times {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("%q did not come %d times:\n%s", part, times, text)
		}
	}
}

// screenText gives what a terminal shows after a text: \r\n, going up and clearing from there on are all that is used.
func screenText(text string) []string {
	lines := []string{""}
	for len(text) > 0 {
		last := len(lines) - 1
		var up int
		switch {
		case strings.HasPrefix(text, "\r\n"):
			lines, text = append(lines, ""), text[2:]
		case strings.HasPrefix(text, "\r\x1b["):
			if n, err := fmt.Sscanf(text, "\r\x1b[%dA\x1b[J", &up); n != 1 || err != nil {
				return append(lines, fmt.Sprintf("cannot read %.20q", text))
			}
			lines = append(lines[:last-up], "")
			text = text[len(fmt.Sprintf("\r\x1b[%dA\x1b[J", up)):]
		default:
			lines[last] += text[:1]
			text = text[1:]
		}
	}
	return lines
}

func TestATerminalShowsALineForEachTorrentInPlace(t *testing.T) {
	finisher := startPeer(t, "127.0.0.2", 0b1000_0000, 1, 2, 3)
	tr := startTracker(t, finisher)
	tr.answerAll()
	log := filepath.Join(t.TempDir(), "run.events")
	user, command, shown, done := onTerminal(t, "record", "--bind", ourAddress, "--port", "16884", "--timeout", "10s", "--events", log, writeTorrent(t, tr))
	await(t, "the recorder to leave the peer that is complete", finisher.left)
	shown.awaitText(t, "1 left for good", 2)
	if _, err := user.WriteString("\x03"); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	shown.awaitText(t, "recorded "+log, 1)
	done.Wait()
	lines := screenText(strings.TrimSuffix(shown.text(), "\r\n"))
	if last := lines[len(lines)-1]; last != "recorded "+log {
		t.Errorf("the last line is %q", last)
	}
	var torrents, heads int
	for _, line := range lines {
		if strings.HasPrefix(line, "  cats ") && strings.Contains(line, "1 known") && strings.Contains(line, "1 left for good") {
			torrents++
		}
		if strings.Contains(line, " 1 torrent, ") {
			heads++
		}
	}
	if torrents != 1 || heads != 1 {
		t.Errorf("%d lines for the torrent and %d for all, want one of each:\n%s", torrents, heads, strings.Join(lines, "\n"))
	}
}
