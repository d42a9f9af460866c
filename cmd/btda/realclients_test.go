package main_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/swarmtest"
	"btda/recorder/swarmtest/realclient"
)

// The tests of this file record a swarm of clients that other people wrote. They need what the README names under Tests.

// TestRealClients demands that exactly those who downloaded are confirmed, in every mode. The truth is what the clients themselves say.
func TestRealClients(t *testing.T) {
	needRealClients(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), realPatience)
	defer cancel()
	s := newRealSwarm(ctx, t)
	recordings := s.record(ctx, t, true)
	s.start(ctx, t, len(recordings))
	recordings = append(recordings, s.record(ctx, t, false)...)
	s.wait(ctx, t)
	for _, r := range recordings {
		r.signal(syscall.SIGINT)
	}
	for _, r := range recordings {
		r.end(t)
	}
	s.checkCast(t)
	for _, r := range recordings {
		t.Run(r.mode.name, func(t *testing.T) { s.judge(t, r) })
	}
}

// needRealClients skips the test unless it is wanted.
func needRealClients(t *testing.T) {
	t.Helper()
	if os.Getenv("BTDA_REAL_CLIENTS") == "" {
		t.Skip("needs clients of other projects: see BTDA_REAL_CLIENTS in README.md")
	}
	if missing := realclient.Missing(); len(missing) > 0 {
		t.Fatalf("these Debian packages are missing: apt-get install %s", strings.Join(missing, " "))
	}
}

// realSwarm is a tracker for each address family, and clients.
type realSwarm struct {
	folder   string
	payload  *swarmtest.Payload
	tracker  *realclient.OpenTracker
	tracker6 *swarmtest.Tracker
	clients  []*realclient.Client
}

// threshold is 98 % of the pieces.
func (s *realSwarm) threshold() int { return (98*s.payload.PieceCount + 99) / 100 }

func newRealSwarm(ctx context.Context, t *testing.T) *realSwarm {
	t.Helper()
	s := &realSwarm{folder: realFolder(t)}
	var err error
	if s.payload, err = swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "payload", Pieces: realPieces, PieceLength: realPieceLength, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if s.tracker6, err = swarmtest.StartTracker(swarmtest.TrackerOptions{Address: netip.AddrPortFrom(netip.IPv6Loopback(), 0), Interval: 30 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.tracker6.Close() })
	s.tracker, err = realclient.StartOpenTracker(ctx, realclient.OpenTrackerOptions{
		Address: netip.MustParseAddr("127.0.10.1"), Folder: s.folder, Torrents: []events.InfoHash{s.payload.InfoHash},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.tracker.Close() })
	return s
}

// realFolder makes a folder that is kept when the test fails.
func realFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "btda-real-clients-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("all that is left of the failed test lies in %s", folder)
		} else if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// trackers are those of a client with some addresses; none where the swarm has no tracker.
func (s *realSwarm) trackers(addresses ...netip.Addr) []string {
	if s.tracker == nil {
		return nil
	}
	var urls []string
	for _, a := range addresses {
		switch {
		case a.Is4():
			urls = append(urls, s.tracker.URL("http"))
		case a.Is6():
			urls = append(urls, s.tracker6.URL)
		}
	}
	return urls
}

// start starts the clients, each once those before it have announced, the recorders among them.
func (s *realSwarm) start(ctx context.Context, t *testing.T, announced int) {
	t.Helper()
	if err := s.tracker.WaitPeers(ctx, s.payload.InfoHash, announced); err != nil {
		t.Fatal(err)
	}
	for _, o := range realCast {
		s.startClient(ctx, t, o)
		if s.clients[len(s.clients)-1].Address.Is4() {
			announced++
		}
		if err := s.tracker.WaitPeers(ctx, s.payload.InfoHash, announced); err != nil {
			t.Fatal(err)
		}
	}
}

// startClient starts a client, at an address of its own unless it has one.
func (s *realSwarm) startClient(ctx context.Context, t *testing.T, o realclient.Options) {
	t.Helper()
	if !o.Address.IsValid() {
		o.Address = netip.AddrFrom4([4]byte{127, 0, 10, byte(2 + len(s.clients))})
	}
	o.Folder, o.Payload = s.folder, s.payload
	if o.Trackers == nil {
		o.Trackers = s.trackers(o.Address, o.Also)
	}
	c, err := realclient.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	s.clients = append(s.clients, c)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// wait waits until every client has what it wants, and then for the afterglow.
func (s *realSwarm) wait(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, c := range s.clients {
		if err := c.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-time.After(afterglow):
	case <-ctx.Done():
		t.Fatalf("the downloads left no time: %v", ctx.Err())
	}
}

// checkCast holds the clients to their parts. Where they do not keep to them, the recorder cannot be judged.
func (s *realSwarm) checkCast(t *testing.T) {
	t.Helper()
	for _, c := range s.clients {
		tell(t, c)
		if want := !c.Full && c.Goal == s.payload.PieceCount; c.Finished() != want {
			t.Errorf("%s: finished %v, want %v", c.Name, c.Finished(), want)
		}
		if c.SlowFrom == 0 {
			continue
		}
		crossing, _ := c.CrossedAt(s.threshold())
		h := c.History()
		if tail := h[len(h)-1].Time.Sub(crossing.Above); tail < leastTail {
			t.Errorf("%s took %v for its last %d pieces, want at least %v", c.Name, tail, s.payload.PieceCount-s.threshold(), leastTail)
		}
	}
}

// realRecording is a btda record of one mode.
type realRecording struct {
	*running
	mode   realMode
	events string         // folder of its log
	at     netip.AddrPort // of its mode, where it listens if it does
}

// record starts the recordings that begin early, or the others.
func (s *realSwarm) record(ctx context.Context, t *testing.T, early bool) []*realRecording {
	t.Helper()
	var all []*realRecording
	for _, m := range realModes {
		if m.early == early {
			all = append(all, s.recordMode(ctx, t, m))
		}
	}
	return all
}

func (s *realSwarm) recordMode(ctx context.Context, t *testing.T, m realMode) *realRecording {
	t.Helper()
	name := filepath.Join(s.folder, strings.ReplaceAll(m.name, " ", "-"))
	described, err := s.payload.TorrentFor(s.tracker.URL(m.tracker), s.tracker6.URL)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, name+".torrent", described)
	return recordReal(ctx, t, m, observed{what: name + ".torrent", events: name + ".events", also: netip.IPv6Loopback()})
}

// observed is what a recording is told beside its mode.
type observed struct {
	what   string     // torrent file or magnet link
	events string     // folder of the log
	also   netip.Addr // to bind to, beside the address of the mode; may be invalid
	args   []string
}

// recordReal starts a recording.
func recordReal(ctx context.Context, t *testing.T, m realMode, o observed) *realRecording {
	t.Helper()
	args := []string{"record", "--bind", m.address, "--revisit", "2s", "--duration", "5m", "--events", o.events}
	bind := []netip.Addr{netip.MustParseAddr(m.address)}
	if o.also.IsValid() {
		bind = append(bind, o.also)
		args = append(args, "--bind", o.also.String())
	}
	port, err := swarmtest.FreePort(ctx, bind...)
	if err != nil {
		t.Fatal(err)
	}
	r := &realRecording{mode: m, events: o.events, at: netip.AddrPortFrom(bind[0], port)}
	r.running = start(t, slices.Concat(args, []string{"--port", strconv.Itoa(int(port))}, m.args, o.args, []string{o.what})...)
	return r
}

// end waits for the end of the recording.
func (r *realRecording) end(t *testing.T) {
	t.Helper()
	if got := r.wait(); got.code != 0 {
		t.Fatalf("btda record, %s: exit code %d\n%s", r.mode.name, got.code, got.stderr)
	}
}

// tables is the file that a replay makes.
func (r *realRecording) tables() string { return strings.TrimSuffix(r.events, ".events") + ".sqlite" }

// replay gives the peers that were counted.
func (r *realRecording) replay(t *testing.T) []countedPeer {
	t.Helper()
	if got := btda(t, "verify", r.events); got.code != 0 {
		t.Fatalf("btda verify: exit code %d\n%s", got.code, got.stderr)
	}
	file := r.tables()
	if got := btda(t, "replay", r.events, "-o", file, "--with-addresses"); got.code != 0 {
		t.Fatalf("btda replay: exit code %d\n%s", got.code, got.stderr)
	}
	peers, err := readCounted(file)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", file, err))
	}
	if len(peers) == 0 {
		t.Fatal(errors.New("nobody was met"))
	}
	return peers
}
