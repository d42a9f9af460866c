package main_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"btda/recorder/swarmtest"
	"btda/recorder/swarmtest/realclient"
)

// dhtMode is a way to record the swarm of the DHT.
type dhtMode struct {
	realMode
	sources []string // how the clients that were there before can have been found
}

var dhtModes = []dhtMode{
	{realMode{name: "active stay", args: []string{"--active", "--observe", "stay"}, address: "127.0.15.1", meets: everyClient, assumes: noClient},
		[]string{"dht"}},
	{realMode{name: "passive stay", args: []string{"--passive", "--observe", "stay"}, address: "127.0.15.2", meets: dialsByTheDHT, assumes: noClient},
		[]string{"incoming"}},
	{realMode{name: "both visit", args: []string{"--active", "--passive", "--observe", "visit"}, address: "127.0.15.3", meets: everyClient, assumes: noClient},
		[]string{"dht", "incoming"}},
}

// dialsByTheDHT tells of a client that connects to a recorder when the DHT names it. One that is complete need not.
func dialsByTheDHT(c *realclient.Client) bool { return !c.Full }

// dhtLeechers take part from the beginning. The first begins alone at ::1, where others begin with it; all else begins with npm's nodes.
var dhtLeechers = []realclient.Options{
	{Name: "libtorrent on ::1", Kind: realclient.Libtorrent, Rate: 400_000, Address: netip.IPv6Loopback()},
	{Name: "aria2", Kind: realclient.Aria2, Rate: 420_000},
	{Name: "another aria2", Kind: realclient.Aria2, Rate: 370_000},
	{Name: "libtorrent", Kind: realclient.Libtorrent, Rate: 410_000},
	{Name: "stops half way", Kind: realclient.Libtorrent, Rate: 320_000, Goal: realPieces / 2},
}

// dhtSeeds come when the recorders are there. The one that listens at ::1 too brings the content to those who are there only.
var dhtSeeds = []realclient.Options{
	{Name: "complete from the start", Kind: realclient.Aria2, Full: true, Rate: 1000},
	{Name: "seed", Kind: realclient.Libtorrent, Full: true, Also: netip.IPv6Loopback()},
}

// TestRealClientsDHT demands that exactly those who downloaded are confirmed when nothing but the DHT tells who takes part.
func TestRealClientsDHT(t *testing.T) {
	needRealClients(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), realPatience)
	defer cancel()
	s := newDHTSwarm(ctx, t)
	s.join(ctx, t, dhtLeechers)
	recordings := s.recordAll(ctx, t)
	s.join(ctx, t, dhtSeeds)
	s.wait(ctx, t)
	for _, r := range recordings {
		r.signal(syscall.SIGINT)
	}
	for _, r := range recordings {
		r.end(t)
	}
	s.checkCast(t)
	for i, r := range recordings {
		t.Run(r.mode.name, func(t *testing.T) {
			s.judge(t, r)
			s.judgeSources(t, dhtModes[i], r)
		})
	}
}

// dhtSwarm is a swarm without a tracker.
type dhtSwarm struct {
	realSwarm
	nodes *realclient.Nodes
}

func newDHTSwarm(ctx context.Context, t *testing.T) *dhtSwarm {
	t.Helper()
	s := &dhtSwarm{realSwarm: realSwarm{folder: realFolder(t)}}
	var err error
	if s.payload, err = swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "payload", Pieces: realPieces, PieceLength: realPieceLength, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	addresses := []netip.Addr{netip.MustParseAddr("127.0.14.1"), netip.MustParseAddr("127.0.14.2"), netip.MustParseAddr("127.0.14.3")}
	if s.nodes, err = realclient.StartNodes(ctx, realclient.NodesOptions{Addresses: addresses, Near: s.payload.InfoHash, Folder: s.folder}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.nodes.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// join starts clients, each once the one before has announced itself to the DHT.
func (s *dhtSwarm) join(ctx context.Context, t *testing.T, cast []realclient.Options) {
	t.Helper()
	for _, o := range cast {
		if !o.Address.IsValid() {
			o.Address = netip.AddrFrom4([4]byte{127, 0, 14, byte(10 + len(s.clients))})
		}
		o.DHT, o.Bootstrap = true, s.bootstrap(o.Address, o.Also)
		s.startClient(ctx, t, o)
		if o.Address.Is4() {
			s.awaitAnnounced(ctx, t, netip.AddrPortFrom(o.Address, s.clients[len(s.clients)-1].Port))
		}
	}
}

// bootstrap gives nodes to begin with, of the families of some addresses: npm's, and at ::1 the first client.
func (s *dhtSwarm) bootstrap(addresses ...netip.Addr) (first []netip.AddrPort) {
	for _, a := range addresses {
		switch {
		case a.Is4():
			first = append(first, s.nodes.Addresses()[0])
		case a.Is6() && len(s.clients) > 0:
			first = append(first, s.clients[0].AddrPorts()...)
		}
	}
	return first
}

func (s *dhtSwarm) awaitAnnounced(ctx context.Context, t *testing.T, peer netip.AddrPort) {
	t.Helper()
	if err := s.nodes.WaitPeer(ctx, s.payload.InfoHash, peer); err != nil {
		t.Fatal(err)
	}
}

// recordAll starts a recording of each mode, and waits until those that listen are announced.
func (s *dhtSwarm) recordAll(ctx context.Context, t *testing.T) (all []*realRecording) {
	t.Helper()
	for _, m := range dhtModes {
		all = append(all, s.recordDHT(ctx, t, m.realMode))
	}
	for _, r := range all {
		if slices.Contains(r.mode.args, "--passive") {
			s.awaitAnnounced(ctx, t, r.at)
		}
	}
	return all
}

func (s *dhtSwarm) recordDHT(ctx context.Context, t *testing.T, m realMode) *realRecording {
	t.Helper()
	folder := filepath.Join(s.folder, strings.ReplaceAll(m.name, " ", "-")) // of its own, since the routing table is kept beside the log
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	described := filepath.Join(folder, "payload.torrent")
	writeFile(t, described, s.payload.Torrent)
	own := netip.MustParseAddr(m.address)
	port, err := swarmtest.FreePort(ctx, own, netip.IPv6Loopback())
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--dht", "--dht-interval", "2s", "--dht-port", strconv.Itoa(int(port))}
	for _, node := range s.bootstrap(own, netip.IPv6Loopback()) {
		args = append(args, "--dht-bootstrap", node.String())
	}
	return recordReal(ctx, t, m, observed{what: described, events: filepath.Join(folder, "dht.events"), also: netip.IPv6Loopback(), args: args})
}

// judgeSources demands that whoever took part before the recorder was found in the way that a mode leaves it, and that the DHT named all
// where it was asked for them. Of those that come later others may tell first.
func (s *dhtSwarm) judgeSources(t *testing.T, m dhtMode, r *realRecording) {
	t.Helper()
	peers, err := readCounted(r.tables())
	if err != nil {
		t.Fatal(err)
	}
	named, err := readSources(r.tables())
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range s.clients {
		at := c.AddrPorts()[0].String()
		if slices.Contains(m.sources, "dht") && !slices.Contains(strings.Split(named[at], ","), "dht") {
			t.Errorf("%s was not named by the DHT", c.Name)
		}
		for _, p := range peers {
			if p.address == at && i < len(dhtLeechers) && !slices.Contains(m.sources, p.source) {
				t.Errorf("%s was found by %s, want %q", c.Name, p.source, m.sources)
			}
		}
	}
}
