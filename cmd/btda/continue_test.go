package main_test

import (
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// again lets a peer take one more connection, when its first one is over.
func (p *peer) again() *peer {
	next := &peer{address: p.address, listener: p.listener, says: p.says, met: make(chan struct{}), left: make(chan struct{})}
	go next.serve() // ends with the listener
	return next
}

// A run that continues another one meets its peers, of whom nobody else tells it, and leaves those alone that were complete.
func TestRecordContinues(t *testing.T) {
	finisher := startPeer(t, "127.0.0.2", 0b1000_0000, 1, 2, 3)
	half := startPeer(t, "127.0.0.4", 0b1100_0000)
	tr := startTracker(t, finisher, half)
	tr.answerAll()
	torrent := writeTorrent(t, tr)
	first, output := startRecord(t, torrent)
	await(t, "the recorder to leave the peer that is complete", finisher.left)
	await(t, "the recorder to meet the other peer", half.met)
	first.signal(syscall.SIGTERM)
	log := recorded(t, first.wait(), output)

	tr.empty.Store(true)
	await(t, "the recorder to leave", half.left)
	half = half.again()
	second, output := startRecord(t, torrent, "--continue", log)
	second.awaitLine("2 peers are known, of which 1 were complete")
	await(t, "the second run to meet the peer that is not complete", half.met)
	second.signal(syscall.SIGTERM)
	continued := eventsOf(t, recorded(t, second.wait(), output))
	var named []any
	for _, l := range continued {
		if l.Kind == "PeersNamed" && l.Event["source"] == "earlier run" {
			named = append(named, l.Event["peers"].([]any)...)
		}
		if a := l.Event["address"]; a == finisher.address.String() {
			t.Errorf("the peer that was complete was contacted: %+v", l)
		}
	}
	if want := []any{finisher.address.String(), half.address.String()}; !slices.Equal(named, want) {
		t.Errorf("named are %v, want %v", named, want)
	}
}

func TestRecordContinuesNoOtherFolder(t *testing.T) {
	recording, output := startRecord(t, writeTorrent(t, startTracker(t)), "--continue", t.TempDir())
	if end := recording.wait(); end.code != 1 {
		t.Errorf("exit code %d, want 1\n%s", end.code, end.stderr)
	}
	if logs, _ := filepath.Glob(filepath.Join(output, "*.events")); len(logs) != 0 {
		t.Errorf("something was recorded: %v", logs)
	}
}
