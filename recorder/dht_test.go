package recorder_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder"
	"btda/recorder/swarmtest"
)

// dhtSettings is a recording that asks the DHT, from loopback.
func dhtSettings(t testing.TB, bootstrap ...string) recorder.Settings {
	t.Helper()
	s := testSettings()
	s.DHT, s.DHTBootstrap, s.DHTPort = true, bootstrap, freeUDPPort(t)
	s.Bind = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	s.Events = filepath.Join(t.TempDir(), "a.events")
	return s
}

// freeUDPPort is one that nobody listens on at 127.0.0.1 and ::1.
func freeUDPPort(t testing.TB) uint16 {
	t.Helper()
	for range 100 {
		four, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := four.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		six, err := net.ListenPacket("udp6", fmt.Sprintf("[::1]:%d", port))
		four.Close()
		if err == nil {
			six.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func startDHT(t testing.TB, nodes int, first string) *swarmtest.DHT {
	t.Helper()
	d, err := swarmtest.StartDHT(swarmtest.DHTOptions{Nodes: nodes, First: netip.MustParseAddr(first)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// announce lets a node of a DHT announce a port for the test torrent.
func announce(t testing.TB, d *swarmtest.DHT, node int, port uint16) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	if _, err := d.Announce(ctx, node, testHash, port); err != nil {
		t.Fatal(err)
	}
}

// A torrent without trackers is observed through the DHT alone, and others find us there.
func TestPeersOfTheDHTAreContacted(t *testing.T) {
	d := startDHT(t, 20, "127.0.23.1")
	peer := startPeerAt(t, "127.0.23.4:0", idle)
	announce(t, d, 3, peer.addr().Port())
	settings := dhtSettings(t, d.Bootstrap())
	settings.Passive, settings.Port = true, freePort(t)
	r := record(t, settings, testTorrent())
	r.await(events.KindSessionOpened, 1)
	r.await(events.KindDHTLookupEnded, 1)
	if took := r.stop(nil); r.err != nil || took > settings.Timeout+2*time.Second {
		t.Errorf("ended after %v with %v", took, r.err)
	}
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	if end := of[*events.DHTLookupEnded](records)[0]; end.Torrent != 1 || end.DistinctPeers != 1 || end.Announced == 0 {
		t.Errorf("%s", eventstest.FormatEvent(end))
	}
	ours := netip.AddrPortFrom(settings.Bind[0], settings.Port)
	if stored := d.Stored(testHash); len(stored) != 2 || !stored[ours] || !stored[peer.addr()] {
		t.Errorf("the DHT keeps %v, want %v and %v", stored, ours, peer.addr())
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(settings.Events), "dht-ipv4.nodes")); err != nil {
		t.Errorf("the routing table is not kept: %v", err)
	}
}

// Nothing is announced unless peers can come, and the user wants it.
func TestThePortIsAnnouncedOnlyWhenItIsOfUse(t *testing.T) {
	for name, set := range map[string]func(*recorder.Settings){
		"not listening":     func(s *recorder.Settings) { s.Passive = false },
		"--no-dht-announce": func(s *recorder.Settings) { s.NoDHTAnnounce = true },
		"--dht-read-only":   func(s *recorder.Settings) { s.DHTReadOnly = true },
	} {
		t.Run(name, func(t *testing.T) {
			d := startDHT(t, 10, "127.0.23.1")
			settings := dhtSettings(t, d.Bootstrap())
			settings.Passive, settings.Port = true, freePort(t)
			set(&settings)
			r := record(t, settings, testTorrent())
			r.await(events.KindDHTLookupEnded, 1)
			r.stop(nil)
			if end := of[*events.DHTLookupEnded](r.log.Records())[0]; end.Answered == 0 || end.Announced != 0 || len(d.Stored(testHash)) != 0 {
				t.Errorf("%s, and the DHT keeps %v", eventstest.FormatEvent(end), d.Stored(testHash))
			}
		})
	}
}

// A private torrent never touches the DHT (BEP 27), beside one that does.
func TestPrivateTorrentsNeverTouchTheDHT(t *testing.T) {
	d := startDHT(t, 10, "127.0.23.1")
	announce(t, d, 3, 6881)
	public, private := testTorrent(), testTorrent()
	public.InfoHash = events.InfoHash([]byte("another torrent....."))
	private.Metadata.Private = true
	settings := dhtSettings(t, d.Bootstrap())
	settings.DHTInterval = 100 * time.Millisecond
	r := record(t, settings, private, public)
	r.await(events.KindDHTLookupEnded, 3)
	r.stop(nil)
	for _, e := range of[*events.DHTLookupEnded](r.log.Records()) {
		if e.Torrent != 2 {
			t.Errorf("torrent %d was looked up", e.Torrent)
		}
	}
	for _, e := range of[*events.DHTLookedUp](r.log.Records()) {
		if e.Torrent != 2 {
			t.Errorf("torrent %d was looked up", e.Torrent)
		}
	}
}

// Without anybody in the DHT the recording goes on with what else there is, says why, and ends in time.
func TestARecordingWithoutADHTGoesOn(t *testing.T) {
	tracker := startTracker(t, &testTracker{peers: addressesOf(startPeer(t, idle))})
	mute, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	settings, log, advice := dhtSettings(t, mute.LocalAddr().String()), newMemoryLog(), make(chan string, 10)
	settings.Sessions = 16 // which any limit of descriptors allows, so that there is no advice about that
	r := recordWith(t, recorder.Deps{
		CreateLog: func(string) (recorder.Log, error) { return log, nil }, Advise: func(a string) { advice <- a },
	}, log.Log, settings, testTorrent(tracker.url()))
	r.await(events.KindSessionOpened, 1)
	r.await(events.KindDHTLookupEnded, 1)
	if took := r.stop(nil); r.err != nil || took > settings.Timeout+2*time.Second {
		t.Errorf("ended after %v with %v", took, r.err)
	}
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	if end := of[*events.DHTLookupEnded](records)[0]; end.Reason != events.ReasonTimeout || end.Asked != 0 {
		t.Errorf("%s", eventstest.FormatEvent(end))
	}
	if said := awaitAdvice(t, advice); !strings.Contains(said, "no node of the DHT has answered (timeout)") || len(advice) > 0 {
		t.Errorf("the user is told %q, and %d more", said, len(advice))
	}
}

// In a hurry nothing of the DHT is waited for.
func TestTheDHTIsNotWaitedForInAHurry(t *testing.T) {
	d := startDHT(t, 10, "127.0.23.1")
	settings := dhtSettings(t, d.Bootstrap())
	r := record(t, settings, testTorrent())
	r.await(events.KindDHTLookedUp, 1)
	began := time.Now()
	r.hurry()
	if took := r.ended(began); r.err != nil || took > 2*time.Second {
		t.Errorf("ended after %v with %v", took, r.err)
	}
}

// A node in another network may not make us dial what lies in ours; nor is port 0 dialled.
func TestPeersOfTheDHTAreJudged(t *testing.T) {
	d := startDHT(t, 10, "127.0.23.1")
	announce(t, d, 3, 6881)
	settings := dhtSettings(t, d.Bootstrap())
	settings.Exclude = filepath.Join(t.TempDir(), "excluded")
	if err := os.WriteFile(settings.Exclude, []byte("127.0.23.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := record(t, settings, testTorrent())
	r.await(events.KindAddressRejected, 1)
	r.await(events.KindDHTLookupEnded, 1)
	r.stop(nil)
	records := r.log.Records()
	got := of[*events.AddressRejected](records)
	if len(got) != 1 || got[0].Source != events.SourceDHT || got[0].Reason != events.ReasonExcluded || got[0].Address.String() != "127.0.23.4:6881" {
		t.Errorf("%s", eventstest.Format(records))
	}
	for _, e := range of[*events.DHTLookedUp](records) {
		if e.Node.Addr() == netip.MustParseAddr("127.0.23.4") {
			t.Error("a node in an excluded network was asked")
		}
	}
}

func TestThePortOfTheDHTIsInUse(t *testing.T) {
	settings := dhtSettings(t)
	taken, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", settings.DHTPort))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := record(t, settings, testTorrent())
	r.ended(time.Now())
	if r.err == nil || !strings.Contains(r.err.Error(), "--dht-port") {
		t.Errorf("%v, want an error that names --dht-port", r.err)
	}
}

// Sessions speak of the DHT node, and the node of a peer is taken in (BEP 5).
func TestSessionsTellOfTheDHTNode(t *testing.T) {
	d := startDHT(t, 10, "127.0.23.1")
	node := netip.MustParseAddrPort(d.Bootstrap())
	peer := startPeerAt(t, "127.0.23.1:0", func(conn net.Conn) {
		conn.Write(frame(events.Port, byte(node.Port()>>8), byte(node.Port())))
		idle(conn)
	})
	tracker := startTracker(t, &testTracker{peers: addressesOf(peer)})
	nobody, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	r := record(t, dhtSettings(t, nobody.LocalAddr().String()), testTorrent(tracker.url()))
	r.await(events.KindPortReceived, 1)
	r.awaitThat(func(records []events.Record) bool {
		return slices.ContainsFunc(of[*events.DHTLookupEnded](records), func(e *events.DHTLookupEnded) bool { return e.Answered > 0 })
	})
}
