//go:build linux

package main_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
)

// load is how much the tests of this file do. With BTDA_LOAD=1 they do what the design asks for, and print figures (-v).
type load struct {
	contacts  int // of which no event may be lost
	addresses int // of these contacts
	held      int // sessions at one time
	limited   int // peers, when the descriptor limit is below them
	visited   int // of these, that are to be met in turn
}

func chosenLoad() load {
	if os.Getenv("BTDA_LOAD") != "" {
		return load{contacts: 50_000, addresses: 12_000, held: 10_000, limited: 10_000, visited: 10_000}
	}
	return load{contacts: 1000, addresses: 400, held: 400, limited: 600, visited: 300}
}

const (
	loadPieces = 64
	// loadHaves is how many pieces each contact brings: below the threshold, so that the peers are contacted again.
	loadHaves = 20
	// loadTime is how long all contacts may take at the full load.
	loadTime = 90 * time.Second
)

// Many peers are held at once. Each takes little, and all of them end in time.
func TestManyPeersAreHeld(t *testing.T) {
	o := chosenLoad()
	needDescriptors(t, o.held+1000)
	peers := &crowd{play: stay}
	peers.met.aim(o.held)
	peers.start(t)
	open := make(chan struct{})
	torrent := writeSwarmTorrent(t, loadPieces, peers.trackers(t, o.held, open)...)
	const timeout = 20 * time.Second
	recording, output := startRecord(t, torrent, "--dial-rate", "2000", "--revisit", "1h", "--timeout", timeout.String(), "--sessions", strconv.Itoa(o.held))
	recording.awaitLine("interrupt to stop")
	before := usageOf(t, recording)
	close(open)
	awaitFor(t, "all peers to be met", peers.met.reached, loadTime)
	after := usageOf(t, recording)
	told := recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)
	if took := time.Since(told); took > timeout+2*time.Second {
		t.Errorf("ended after %v, want within the timeout plus 2 s", took)
	}
	counts := countEvents(t, log)
	if opened, failed := counts.of[events.KindSessionOpened], counts.of[events.KindConnectionFailed]; opened != o.held || failed != 0 || counts.stopped != o.held {
		t.Errorf("%d sessions opened, %d failed, %d held to the end: want %d, none and all", opened, failed, counts.stopped, o.held)
	}
	perSession := float64(after.memory-min(after.memory, before.memory)) / float64(o.held) / 1024
	if os.Getenv("BTDA_LOAD") != "" && perSession > mostPerSession {
		t.Errorf("%.1f KiB a session, want at most %d", perSession, mostPerSession)
	}
	t.Logf("%d sessions held: %.1f KiB each (%d MiB in all, %d MiB before), met at %.0f a CPU second of the recorder", o.held, perSession,
		after.memory>>20, before.memory>>20, float64(o.held)/(after.cpu-before.cpu).Seconds())
}

// mostPerSession bounds the memory of a session in the whole process, in KiB, while garbage of the dialling is still there.
const mostPerSession = 10

// stay tells about some pieces and waits until the recorder hangs up.
func stay(c net.Conn) {
	_, _ = c.Write(frame(events.Bitfield, append([]byte{0xf0}, make([]byte, loadPieces/8-1)...)...))
	_, _ = io.Copy(io.Discard, c)
}

// spareDescriptors are what a recorder keeps for all that is no session.
const spareDescriptors = 128

// Where fewer files may be open than there are peers, the limit of sessions follows, and recording goes on: peers give way to others, until each
// had its turn. Nothing is lost.
func TestDescriptorLimitBelowThePeers(t *testing.T) {
	o := chosenLoad()
	limit := o.limited * 2 / 3
	fitted := limit - spareDescriptors
	needDescriptors(t, limit+1000)
	peers := &crowd{play: stay}
	peers.visited.aim(o.visited)
	peers.start(t)
	open := make(chan struct{})
	torrent := writeSwarmTorrent(t, loadPieces, peers.trackers(t, o.limited, open)...)
	const timeout = 3 * time.Second
	output := filepath.Join(t.TempDir(), "output")
	recording := startCommand(t, exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, limit), program,
		"record", "--output", output, "--bind", ourAddress, "--port", "16884", "--dial-rate", "2000", "--timeout", timeout.String(),
		"--statistic-interval", "1s", "--revisit", "10s", "--sessions", strconv.Itoa(o.limited), torrent))
	recording.awaitLine("interrupt to stop")
	before := usageOf(t, recording)
	close(open)
	awaitFor(t, "peers to be met in turn", peers.visited.reached, loadTime)
	after := usageOf(t, recording)
	told := recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)
	if took := time.Since(told); took > timeout+2*time.Second {
		t.Errorf("ended after %v, want within the timeout plus 2 s", took)
	}
	counts := countEvents(t, log)
	counts.checkFitted(t, fittedSessions{descriptors: limit, sessions: fitted})
	counts.checkNothingLost(t, log)
	if text := textLog(t, log); !strings.Contains(text, "ulimit -n") {
		t.Errorf("the text log does not say what to do about the limit:\n%.2000s", text)
	}
	opened := counts.of[events.KindSessionOpened]
	t.Logf("of %d peers %d met in %v with %d open files and %d sessions at one time; %d sessions in all, of which %d gave way; %.1f KiB for each at one time, %.0f sessions a CPU second of the recorder",
		o.limited, peers.visited.count.Load(), told.Sub(recording.begun).Round(time.Second), limit, fitted, opened, counts.gaveWay,
		float64(after.memory-min(after.memory, before.memory))/float64(fitted)/1024, float64(opened)/(after.cpu-before.cpu).Seconds())
}

// fittedSessions are the sessions that a limit of open files leaves.
type fittedSessions struct{ descriptors, sessions int }

// checkFitted checks that sessions gave way within their limit, and that none failed for want of a descriptor.
func (c *eventCounts) checkFitted(t *testing.T, want fittedSessions) {
	t.Helper()
	s := c.last
	if s.DescriptorLimit != events.Some(uint64(want.descriptors)) || s.OutgoingLimit != uint64(want.sessions) || c.mostActive > uint64(want.sessions) {
		t.Errorf("limit of open files %v and of sessions %d, %d at one time; want %+v", s.DescriptorLimit, s.OutgoingLimit, c.mostActive, want)
	}
	if c.noDescriptor > 0 || c.of[events.KindLimitReached] == 0 || c.gaveWay == 0 {
		t.Errorf("%d connections had no descriptor, want none; %d limits reached and %d sessions gave way, want some of both",
			c.noDescriptor, c.of[events.KindLimitReached], c.gaveWay)
	}
}

// checkNothingLost checks that all sessions ended in the log, and that what was appended was acknowledged and is replayed.
func (c *eventCounts) checkNothingLost(t *testing.T, log string) {
	t.Helper()
	if opened, closed := c.of[events.KindSessionOpened], c.of[events.KindSessionClosed]; opened != closed {
		t.Errorf("%d sessions opened and %d closed", opened, closed)
	}
	appended, acknowledged := appendedCounts(t, log)
	if replayed := replayedCount(t, log); appended != c.all || acknowledged != c.all || replayed != c.all {
		t.Errorf("%d appended, %d acknowledged, %d in the log, %d replayed: want all equal", appended, acknowledged, c.all, replayed)
	}
}

// awaitFor waits for a channel to be closed, for some time.
func awaitFor(t *testing.T, what string, closed <-chan struct{}, most time.Duration) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(most):
		t.Fatalf("waited %v in vain for %s", most, what)
	}
}

// eventCounts sums up a log.
type eventCounts struct {
	all     int
	of      map[events.Kind]int
	stopped int                    // sessions that lasted until the recording was stopped
	gaveWay int                    // sessions that were ended for another peer
	empty   []events.SessionClosed // those of sessions without a message
	last    events.StatisticSampled

	mostActive   uint64 // outgoing sessions in a sample
	noDescriptor int    // connections that failed for want of a descriptor
}

// countEvents scans a log that was sealed.
func countEvents(t *testing.T, dir string) eventCounts {
	t.Helper()
	reader, err := eventlog.Open(dir, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	scanner := reader.Scan(1)
	defer scanner.Close()
	counts := eventCounts{of: make(map[events.Kind]int)}
	for scanner.Next() {
		counts.add(scanner.Record())
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	if _, sealed := reader.Sealed(); !sealed {
		t.Errorf("%s is not sealed", dir)
	}
	return counts
}

func (c *eventCounts) add(r *events.Record) {
	c.all++
	c.of[r.Event.Kind()]++
	switch e := r.Event.(type) {
	case *events.SessionClosed:
		if e.MessagesReceived == 0 && len(c.empty) < 10 {
			c.empty = append(c.empty, *e)
		}
		switch e.Reason {
		case events.ReasonStopping:
			c.stopped++
		case events.ReasonSlotNeeded:
			c.gaveWay++
		}
	case *events.ConnectionFailed:
		if e.Reason == events.ReasonDescriptorLimit {
			c.noDescriptor++
		}
	case *events.StatisticSampled:
		c.last = *e
		c.mostActive = max(c.mostActive, e.ActiveOutgoing)
	}
}

// textLog is the text log beside an event log.
func textLog(t *testing.T, log string) string {
	t.Helper()
	text, err := os.ReadFile(strings.TrimSuffix(log, ".events") + ".log")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var lastCounts = regexp.MustCompile(` count=(\d+) acknowledged=(\d+)\n`)

// appendedCounts are the recorder's own, from the last line of its text log.
func appendedCounts(t *testing.T, log string) (appended, acknowledged int) {
	t.Helper()
	text := textLog(t, log)
	found := lastCounts.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no counts in the text log:\n%.2000s", text)
	}
	return number(t, found[1]), number(t, found[2])
}

var replayedEvents = regexp.MustCompile(`^replayed (\d+) events`)

// replayedCount replays a log and gives the number of events that were.
func replayedCount(t *testing.T, log string) int {
	t.Helper()
	got := btda(t, "replay", log)
	found := replayedEvents.FindStringSubmatch(lastLine(got.stdout))
	if got.code != 0 || found == nil {
		t.Fatalf("btda replay: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	return number(t, found[1])
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// usage is what a process has used so far.
type usage struct {
	memory uint64 // bytes, resident now
	cpu    time.Duration
}

func usageOf(t *testing.T, r *running) usage {
	t.Helper()
	pid := r.command.Process.Pid
	return usage{memory: memoryOf(t, pid, "VmRSS:"), cpu: cpuTime(t, pid)}
}

// cpuTime is the time that a process has had of all processors, in user mode and in the system.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	const user, system, ticks = 11, 12, 100 // fields after the name of the program; Linux shows 100 ticks a second
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	return time.Duration(number(t, fields[user])+number(t, fields[system])) * time.Second / ticks
}
