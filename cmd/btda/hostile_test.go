//go:build linux

package main_test

import (
	"database/sql"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
	"btda/events/eventstest"
)

// hostileMemory is what a recording may take among hostile trackers and peers, in bytes.
const hostileMemory = 200 << 20

// Hostile trackers and hostile peers of every sort act at once, peers in both directions, next to one good tracker and some good peers.
// What each did is in the log with its reason, the good ones are observed as if they were alone, memory is bounded, and the recorder
// stops in time.
func TestHostileSwarm(t *testing.T) {
	const timeout = 2 * time.Second
	s, port := startHostileSwarm(t), freePort(t)
	recording, output := startRecord(t, s.torrent, "-ap", "--port", port, "--incoming-sessions", strconv.Itoa(hostileSessions), "--timeout", timeout.String(), "--tracker-interval", "1s", "--revisit", "1s", "--statistic-interval", "1s")
	s.connect(t, net.JoinHostPort(ourAddress, port))
	s.await(t)
	memory := peakMemory(t, recording.command.Process.Pid)
	told := recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)
	if took := time.Since(told); took > timeout+2*time.Second {
		t.Errorf("ended after %v, want within the timeout plus 2 s", took)
	}
	if memory > hostileMemory {
		t.Errorf("peak memory %d MiB, want at most %d", memory>>20, hostileMemory>>20)
	}
	s.good.awaitTold(t, "stopped")
	records := readLog(t, log)
	t.Logf("%d events, peak memory %d MiB", len(records), memory>>20)
	s.checkFacts(t, records)
	s.checkGood(t, log)
}

// hostileSwarm is what the recorder has to do with.
type hostileSwarm struct {
	torrent   string
	good      *tracker
	trackers  []string // announce URLs, as hostileTrackers
	asked     []<-chan struct{}
	hostile   []*scriptedPeer // as hostilePeers
	leechers  []*scriptedPeer // good ones that finish
	seed, few *scriptedPeer   // good ones that do not change
	guests    guests          // who connects to the recorder
}

func startHostileSwarm(t *testing.T) *hostileSwarm {
	t.Helper()
	s := &hostileSwarm{good: startTracker(t)}
	s.good.interval = 1
	s.good.answerAll()
	ip := netip.MustParseAddr("127.0.7.1")
	begin := func(name string, play func(*call)) *scriptedPeer {
		p := &scriptedPeer{name: name, play: play}
		startScripted(t, p, ip)
		ip = ip.Next()
		s.good.name(p.address)
		return p
	}
	for i, h := range hostilePeers {
		s.hostile = append(s.hostile, begin(h.name, h.play))
		if i%5 == 0 {
			s.leechers = append(s.leechers, begin(fmt.Sprintf("leecher %d", i), leech))
		}
	}
	s.seed = begin("seed", func(c *call) { c.shake(frame(events.HaveAll)); c.untilLeft() })
	s.few = begin("a peer with few pieces", func(c *call) {
		c.shake(frame(events.Bitfield, 0xf0, 0, 0, 0, 0, 0, 0, 0))
		c.peer.show()
		c.untilLeft()
	})
	urls := []string{s.good.URL + "/announce"}
	for _, h := range hostileTrackers {
		url, asked := startHostileTracker(t, h)
		s.trackers, s.asked = append(s.trackers, url), append(s.asked, asked)
		urls = append(urls, url)
	}
	s.torrent = writeSwarmTorrent(t, hostilePieces, urls...)
	return s
}

// leech has no piece and downloads one after the other, until the recorder leaves it as complete.
func leech(c *call) {
	c.shake(frame(events.Bitfield, make([]byte, hostilePieces/8)...))
	ticker := time.NewTicker(60 * time.Millisecond)
	defer ticker.Stop()
	for piece := range uint32(hostilePieces) {
		<-ticker.C
		c.say(have(piece))
	}
	c.untilLeft()
}

// await waits until everybody has shown what it is about, and the good tracker was asked again.
func (s *hostileSwarm) await(t *testing.T) {
	t.Helper()
	for _, p := range slices.Concat(s.hostile, s.leechers, s.guests.all(), []*scriptedPeer{s.seed, s.few}) {
		await(t, "the recorder to meet "+p.name, p.shown)
	}
	for i, asked := range s.asked {
		await(t, "the recorder to ask the tracker with "+hostileTrackers[i].name, asked)
	}
	for range 2 {
		s.good.awaitTold(t, "")
	}
}

// readLog reads a whole log.
func readLog(t *testing.T, dir string) []events.Record {
	t.Helper()
	reader, err := eventlog.Open(dir, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	scanner := reader.Scan(1)
	defer scanner.Close()
	kept := eventstest.NewLog() // copies
	for scanner.Next() {
		if _, err := kept.Append(t.Context(), scanner.Record().Time, scanner.Record().Event); err != nil {
			t.Fatal(err)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return kept.Records()
}

// checkFacts compares what is in the log about each that means harm.
func (s *hostileSwarm) checkFacts(t *testing.T, records []events.Record) {
	t.Helper()
	lines := strings.Split(eventstest.Format(records), "\n")
	for i, h := range hostilePeers {
		about := linesOfPeer(lines, s.hostile[i].address)
		checkLines(t, "a peer: "+h.name, about, h.want)
	}
	s.guests.checkFacts(t, lines)
	for i, h := range hostileTrackers {
		var about []string
		for _, l := range lines {
			if hasField(l, "tracker="+s.trackers[i]) || strings.Contains(l, "AddressRejected") {
				about = append(about, l)
			}
		}
		checkLines(t, "a tracker: "+h.name, about, h.want)
	}
	if n := len(linesWith(lines, "SessionOpened", "address="+s.few.address.String())); n != 1 {
		t.Errorf("%d sessions with a peer that stayed, want one", n)
	}
}

// checkLines checks that for each of the wanted facts there is a line with all its parts.
func checkLines(t *testing.T, who string, lines []string, want [][]string) {
	t.Helper()
	for _, parts := range want {
		if len(linesWith(lines, parts...)) == 0 {
			t.Errorf("%s: want an event with %q, recorded is\n%.3000s", who, parts, strings.Join(lines, "\n"))
		}
	}
}

func linesWith(lines []string, parts ...string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return !hasField(l, part) })
	})
}

func hasField(line, field string) bool { return strings.Contains(line+" ", " "+field+" ") }

// linesOfPeer gives the events of the sessions with a peer, and those that name its address.
func linesOfPeer(lines []string, address netip.AddrPort) (about []string) {
	sessions := make(map[string]bool)
	for _, l := range lines {
		session := sessionField(l)
		named := hasField(l, "address="+address.String())
		if named && hasField(l, "SessionOpened") {
			sessions[session] = true
		}
		if named || sessions[session] {
			about = append(about, l)
		}
	}
	return about
}

// sessionField gives the field with the session number, or nothing.
func sessionField(line string) string {
	for _, field := range strings.Fields(line) {
		if strings.HasPrefix(field, "session=") {
			return field
		}
	}
	return ""
}

// checkGood replays the log: the good leechers are confirmed downloads and nobody else, and the tables know every good peer.
func (s *hostileSwarm) checkGood(t *testing.T, log string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hostile.sqlite")
	if got := btda(t, "replay", log, "-o", file, "--with-addresses"); got.code != 0 {
		t.Fatalf("btda replay: exit code %d\n%s", got.code, got.stderr)
	}
	var want []string
	for _, p := range slices.Concat(s.leechers, s.guests.leechers) {
		want = append(want, p.address.String()+" bitfield have")
	}
	got := queryTexts(t, file, "SELECT peer.address || ' ' || below_evidence || ' ' || above_evidence FROM download JOIN peer ON peer.id = download.peer")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("downloads\n%q, want\n%q", got, want)
	}
	for _, p := range []*scriptedPeer{s.seed, s.few} {
		if n := countRows(t, file, fmt.Sprintf("peer WHERE address = '%v' AND first_pieces IN (4, %d)", p.address, hostilePieces)); n != 1 {
			t.Errorf("%d rows for %s, want one", n, p.name)
		}
	}
}

// queryTexts gives the texts of a query of one column.
func queryTexts(t *testing.T, file, query string) (texts []string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}
