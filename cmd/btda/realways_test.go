package main_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/recorder/swarmtest"
	"btda/recorder/swarmtest/realclient"
)

// How the swarm is made. 2 % of the pieces are 5.
const (
	waysPieces   = 256
	waysSlowFrom = 236
	waysSlowRate = 18_000
	waysPatience = 2 * time.Minute // for all of the test
)

// wayClient is a client, and the ways by which it is met first: by a recorder that contacts it, and by one that it contacts. Where the latter is
// empty, it need not contact anybody.
type wayClient struct {
	realclient.Options
	active, passive string
}

// waysLeechers are clients that a plain connection by TCP does not reach, and two that it does.
var waysLeechers = []wayClient{
	{realclient.Options{Name: "encrypting transmission", Kind: realclient.Transmission, Encrypts: true, Rate: 330_000}, "tcp mse", ""},
	{realclient.Options{Name: "rc4 libtorrent", Kind: realclient.Libtorrent, Encrypts: true, Rate: 300_000}, "tcp mse rc4", "tcp mse rc4"},
	{realclient.Options{Name: "rc4 libtorrent that stops", Kind: realclient.Libtorrent, Encrypts: true, Rate: 250_000, Goal: waysPieces / 2}, "tcp mse rc4", "tcp mse rc4"},
	{realclient.Options{Name: "utp libtorrent", Kind: realclient.Libtorrent, UTP: true, NoTCP: true, Rate: 280_000}, "utp plain", "utp"},
	{realclient.Options{Name: "rc4 utp libtorrent", Kind: realclient.Libtorrent, UTP: true, NoTCP: true, Encrypts: true, Rate: 260_000}, "utp mse rc4", "utp mse rc4"},
	{realclient.Options{Name: "rtorrent", Kind: realclient.RTorrent, Rate: 340_000, SlowFrom: waysSlowFrom, SlowRate: waysSlowRate}, "tcp plain", "tcp"},
	{realclient.Options{Name: "libtorrent", Kind: realclient.Libtorrent, Rate: 290_000}, "tcp plain", "tcp"},
}

// waysHidden knows the last of the leechers and no tracker: only those that it meets can tell of it, by PEX.
var waysHidden = wayClient{realclient.Options{Name: "hidden libtorrent", Kind: realclient.Libtorrent, Rate: 270_000}, "tcp plain", ""}

// waysSeeds come when the recorders are there. One for each way, because libtorrent tries a plain connection first, and an encrypted one a minute
// later.
var waysSeeds = []wayClient{
	{realclient.Options{Name: "seed", Kind: realclient.Libtorrent, Full: true}, "tcp plain", ""},
	{realclient.Options{Name: "rc4 seed", Kind: realclient.Libtorrent, Full: true, Encrypts: true}, "tcp mse rc4", ""},
	{realclient.Options{Name: "rc4 utp seed", Kind: realclient.Libtorrent, Full: true, UTP: true, NoTCP: true, Encrypts: true}, "utp mse rc4", ""},
}

var waysModes = []realMode{
	{name: "passive stay", args: []string{"--passive"}, address: "127.0.12.201", meets: dialsByOtherWays, assumes: startsSilently},
	{name: "active stay", args: []string{"--active"}, address: "127.0.12.202", meets: everyClient, assumes: noClient},
}

// dialsByOtherWays tells of a client that connects to a recorder when the tracker names it.
func dialsByOtherWays(c *realclient.Client) bool { return dialsOnLoopback(c) && len(c.Trackers) > 0 }

// TestRealClientsByOtherWays demands that clients which insist on encryption, speak uTP only or are known to their peers only are met, in the
// way that is theirs, and that exactly those who downloaded are confirmed.
func TestRealClientsByOtherWays(t *testing.T) {
	needRealClients(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), waysPatience)
	defer cancel()
	s := newWaysSwarm(ctx, t)
	passive := s.record(ctx, t, waysModes[0])
	s.join(ctx, t, waysLeechers...)
	s.hide(ctx, t)
	active := s.record(ctx, t, waysModes[1])
	s.join(ctx, t, waysSeeds...)
	s.wait(ctx, t)
	for _, r := range []*realRecording{passive, active} {
		r.signal(syscall.SIGINT)
	}
	for _, r := range []*realRecording{passive, active} {
		r.end(t)
	}
	s.checkCast(t)
	for _, r := range []*realRecording{passive, active} {
		t.Run(r.mode.name, func(t *testing.T) {
			s.judge(t, r)
			s.judgeWays(t, r, r == active)
		})
	}
	s.judgeHidden(t, active)
}

// waysSwarm is a swarm with a tracker that some do not know.
type waysSwarm struct {
	realSwarm
	told      *swarmtest.Tracker
	announced int // to the tracker
	cast      []wayClient
}

func newWaysSwarm(ctx context.Context, t *testing.T) *waysSwarm {
	t.Helper()
	s := &waysSwarm{realSwarm: realSwarm{folder: realFolder(t)}}
	var err error
	if s.payload, err = swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "ways", Pieces: waysPieces, PieceLength: realPieceLength, Seed: 2}); err != nil {
		t.Fatal(err)
	}
	if s.told, err = swarmtest.StartTracker(swarmtest.TrackerOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.told.Close() })
	return s
}

// record starts a recording, and waits until the tracker knows of it.
func (s *waysSwarm) record(ctx context.Context, t *testing.T, m realMode) *realRecording {
	t.Helper()
	name := filepath.Join(s.folder, strings.ReplaceAll(m.name, " ", "-"))
	described, err := s.payload.TorrentFor(s.told.URL)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, name+".torrent", described)
	r := recordReal(ctx, t, m, observed{what: name + ".torrent", events: name + ".events", args: []string{"--tracker-interval", "1s"}})
	s.announced++
	awaitPeers(ctx, t, s.told, s.payload, s.announced)
	return r
}

// join starts clients, each once the tracker knows of the one before.
func (s *waysSwarm) join(ctx context.Context, t *testing.T, cast ...wayClient) {
	t.Helper()
	for _, w := range cast {
		w.Trackers = []string{s.told.URL}
		s.begin(ctx, t, w)
		s.announced++
		awaitPeers(ctx, t, s.told, s.payload, s.announced)
	}
}

// hide starts the client that knows one of the others only.
func (s *waysSwarm) hide(ctx context.Context, t *testing.T) {
	t.Helper()
	hidden := waysHidden
	hidden.Knows = s.clients[len(s.clients)-1].AddrPorts()
	s.begin(ctx, t, hidden)
}

func (s *waysSwarm) begin(ctx context.Context, t *testing.T, w wayClient) {
	t.Helper()
	w.Address = netip.AddrFrom4([4]byte{127, 0, 12, byte(2 + len(s.clients))})
	s.cast = append(s.cast, w)
	s.startClient(ctx, t, w.Options)
}

// judgeWays demands that everybody was met first in the way that is his.
func (s *waysSwarm) judgeWays(t *testing.T, r *realRecording, active bool) {
	t.Helper()
	peers, err := readCounted(r.tables())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		i := slices.IndexFunc(s.cast, func(w wayClient) bool { return w.Address == netip.MustParseAddrPort(p.address).Addr() })
		if i < 0 {
			continue
		}
		want := s.cast[i].passive
		if active {
			want = s.cast[i].active
		}
		if got := p.transport + " " + p.encryption; !strings.HasPrefix(got, want) {
			t.Errorf("%s was met by %s, want %s", s.cast[i].Name, got, want)
		}
	}
}

// judgeHidden demands that nobody but peers told of the client that no tracker knows.
func (s *waysSwarm) judgeHidden(t *testing.T, r *realRecording) {
	t.Helper()
	hidden := s.clients[slices.IndexFunc(s.clients, func(c *realclient.Client) bool { return c.Name == waysHidden.Name })]
	if slices.ContainsFunc(s.told.Announces(), func(a swarmtest.Announce) bool { return a.Peer.Addr() == hidden.Address }) {
		t.Errorf("%s was announced to the tracker", hidden.Name)
	}
	named, err := readSources(r.tables())
	if err != nil {
		t.Fatal(err)
	}
	if got := named[hidden.AddrPorts()[0].String()]; got != "pex" {
		t.Errorf("%s was named by %q, want pex only", hidden.Name, got)
	}
	peers, err := readCounted(r.tables())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if netip.MustParseAddrPort(p.address).Addr() == hidden.Address && p.source != "pex" {
			t.Errorf("%s has the source %s, want pex", hidden.Name, p.source)
		}
	}
}
