package recorder_test

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/input"
	"btda/recorder/swarmtest"
	"btda/recorder/swarmtest/realclient"
)

// Nodes that others wrote take our announce and give it to clients that know nothing but the DHT: these dial in. And what they announce
// to our node is recorded, with the port of their node or another.
func TestRealClientsComeByTheDHT(t *testing.T) {
	if os.Getenv("BTDA_REAL_CLIENTS") == "" {
		t.Skip("needs clients of other projects: see BTDA_REAL_CLIENTS in README.md")
	}
	if missing := realclient.Missing(); len(missing) > 0 {
		t.Fatalf("these Debian packages are missing: apt-get install %s", strings.Join(missing, " "))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	payload, err := swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "payload", Pieces: 64, PieceLength: 16 << 10, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	nodes, err := realclient.StartNodes(ctx, realclient.NodesOptions{
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.16.1"), netip.MustParseAddr("127.0.16.2")}, Near: payload.InfoHash, Folder: folder,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer nodes.Close()
	settings := dhtSettings(t, nodes.Addresses()[0].String())
	settings.Active, settings.Passive, settings.Port = false, true, freePort(t)
	torrent, err := input.ParseTorrent(payload.Torrent)
	if err != nil {
		t.Fatal(err)
	}
	r := record(t, settings, torrent)
	if err := nodes.WaitPeer(ctx, payload.InfoHash, netip.AddrPortFrom(settings.Bind[0], settings.Port)); err != nil {
		t.Fatal(err)
	}
	var clients []*realclient.Client
	for i, kind := range []realclient.Kind{realclient.Libtorrent, realclient.Aria2} {
		clients = append(clients, startClient(ctx, t, realclient.Options{
			Name: string(kind), Kind: kind, Address: netip.AddrFrom4([4]byte{127, 0, 16, byte(3 + i)}), Folder: folder, Payload: payload,
			UTP: true, DHT: true, Bootstrap: nodes.Addresses()[1:],
		}))
	}
	err = r.log.Wait(ctx, func(records []events.Record) bool {
		for _, c := range clients {
			if announceBy(records, c) == nil || !dialledInBy(records, c) {
				return false
			}
		}
		return true
	})
	r.stop(nil)
	records := r.log.Records()
	if err != nil {
		t.Fatalf("%v\n%s", err, eventstest.Format(records))
	}
	for _, c := range clients {
		checkAnnounce(t, announceBy(records, c), c)
	}
}

func startClient(ctx context.Context, t *testing.T, o realclient.Options) *realclient.Client {
	t.Helper()
	c, err := realclient.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// announceBy gives an announce of a client to our node; nil where there is none.
func announceBy(records []events.Record, c *realclient.Client) *events.DHTPeerAnnounced {
	for _, e := range of[*events.DHTPeerAnnounced](records) {
		if e.Node.Addr() == c.Address {
			return e
		}
	}
	return nil
}

// dialledInBy tells whether a client has connected to us.
func dialledInBy(records []events.Record, c *realclient.Client) bool {
	for _, e := range of[*events.SessionOpened](records) {
		if e.Direction == events.Incoming && e.Address.Addr() == c.Address {
			return true
		}
	}
	return false
}

// checkAnnounce holds an announce to where its client listens. The node of libtorrent is on the port on which it takes peers by uTP, and
// says so; that of aria2 is on another.
func checkAnnounce(t *testing.T, e *events.DHTPeerAnnounced, c *realclient.Client) {
	t.Helper()
	port := e.Port
	if e.ImpliedPort {
		port = e.Node.Port()
	}
	if e.Torrent != 1 || e.InfoHash != c.Payload.InfoHash || port != c.Port || e.ImpliedPort != (c.Kind == realclient.Libtorrent) || e.NodeID == (events.NodeID{}) {
		t.Errorf("%s at port %d: %s", c.Name, c.Port, eventstest.FormatEvent(e))
	}
}
