//go:build linux

package main_test

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"btda/events"
)

// What the peers said, what was appended, what was acknowledged and what is replayed are the same.
func TestNoWriteIsLost(t *testing.T) {
	l := startContacts(t)
	l.end(t)
}

// Nor is one lost, or held up, where tables are kept beside the recording or by another process.
func TestNoWriteIsLostWhileFollowed(t *testing.T) {
	t.Run("beside", func(t *testing.T) {
		kept := filepath.Join(t.TempDir(), "kept.sqlite")
		l := startContacts(t, "--follow", kept)
		sameAsReplayed(t, kept, l.end(t))
	})
	t.Run("by another process", func(t *testing.T) {
		socket, kept := socketFor(t), filepath.Join(t.TempDir(), "kept.sqlite")
		l := startContacts(t, "--endpoint", socket)
		awaitFile(t, socket)
		follower := start(t, "replay", "--follow", socket, "-o", kept)
		follower.awaitLine("and follows")
		awaitFor(t, "all contacts to end", l.peers.ended.reached, loadTime)
		memory := usageOf(t, follower).memory
		log := l.end(t)
		if end := follower.wait(); end.code != 0 {
			t.Fatalf("the follower: exit code %d\n%s%s", end.code, end.stdout, end.stderr)
		}
		t.Logf("the follower had %d MiB", memory>>20)
		sameAsReplayed(t, kept, log)
	})
}

// contactLoad is a recorder that meets as many peers as it can.
type contactLoad struct {
	load
	peers     *crowd
	recording *running
	output    string
}

// startContacts starts peers that hang up when they have said a few things, and a recorder that contacts them again and again.
func startContacts(t *testing.T, args ...string) *contactLoad {
	t.Helper()
	o := chosenLoad()
	says := frame(events.Bitfield, make([]byte, loadPieces/8)...)
	for piece := range uint32(loadHaves) {
		says = append(says, have(piece)...)
	}
	peers := &crowd{most: int64(o.contacts), play: func(c net.Conn) { _, _ = c.Write(says) }}
	peers.ended.aim(o.contacts)
	peers.start(t)
	open := make(chan struct{})
	close(open)
	torrent := writeSwarmTorrent(t, loadPieces, peers.trackers(t, o.addresses, open)...)
	l := &contactLoad{load: o, peers: peers}
	l.recording, l.output = startRecord(t, torrent, append(args, "--dial-rate", "100000", "--revisit", "2s", "--timeout", "10s")...)
	return l
}

// end waits for the last contact, stops, and checks that all that was said is in the log.
func (l *contactLoad) end(t *testing.T) (log string) {
	t.Helper()
	awaitFor(t, "all contacts to end", l.peers.ended.reached, loadTime)
	took := time.Since(l.recording.begun)
	used := cpuTime(t, l.recording.command.Process.Pid)
	told := l.recording.signal(syscall.SIGTERM)
	log = recorded(t, l.recording.wait(), l.output)
	stopped := time.Since(told)

	counts := countEvents(t, log)
	for kind, want := range map[events.Kind]int{events.KindSessionOpened: l.contacts, events.KindBitfieldReceived: l.contacts,
		events.KindHaveReceived: loadHaves * l.contacts, events.KindSessionClosed: l.contacts} {
		if counts.of[kind] != want {
			t.Errorf("%d events of kind %v, want %d", counts.of[kind], kind, want)
		}
	}
	if len(counts.empty) > 0 {
		t.Errorf("sessions without a message, the first of them %+v", counts.empty)
	}
	counts.checkNothingLost(t, log)
	t.Logf("%d contacts and %d events in %v: %.0f contacts and %.0f events a CPU second of the recorder; %d MiB at the most, %d waits for the log of %v in all, stopped in %v",
		l.contacts, counts.all, took.Round(time.Millisecond), float64(l.contacts)/used.Seconds(), float64(counts.all)/used.Seconds(),
		counts.last.PeakMemory>>20, counts.last.LogWaits, counts.last.LogWaitTime, stopped.Round(time.Millisecond))
	return log
}
