package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// failingTracker fails in its own words.
func failingTracker(t *testing.T, reason string) (tr *tracker, heard <-chan struct{}) {
	t.Helper()
	scraped := make(chan struct{})
	heardAll := sync.OnceFunc(func() { close(scraped) })
	tr = &tracker{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/scrape" { // which follows the announce
			heardAll()
		}
		_, _ = fmt.Fprintf(w, "d14:failure reason%d:%se", len(reason), reason)
	}))}
	t.Cleanup(tr.Server.Close)
	return tr, scraped
}

// Where no tracker answers, a user who gives up early has been told why nothing comes.
func TestFailingTrackersAreNamedInPlainLines(t *testing.T) {
	tr, heard := failingTracker(t, "unregistered torrent")
	recording, output := startRecord(t, writeTorrent(t, tr))
	await(t, "the recorder to have heard the failure", heard)
	recording.signal(syscall.SIGINT)
	end := recording.wait()
	recorded(t, end, output)
	want := "trackers that fail: 1 of 1: " + tr.URL + "/announce: it says \"unregistered torrent\"\n"
	if n := strings.Count(end.stderr, want); n != 1 {
		t.Errorf("the tracker is named %d times, want once %q:\n%s", n, want, end.stderr)
	}
}

func TestFailingTrackersAreNamedOnATerminal(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	user, command, shown, done := onTerminal(t, "record", "--bind", ourAddress, "--timeout", "10s", writeTorrent(t, &tracker{Server: closed}))
	shown.awaitText(t, "trackers that fail: 1 of 1\r\n  "+closed.URL+"/announce: refused\r\n", 2)
	if _, err := user.WriteString("\x03"); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	done.Wait()
}
