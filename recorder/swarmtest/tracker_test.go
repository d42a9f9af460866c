package swarmtest_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/swarmtest"
	"btda/recorder/tracker"
)

// The tracker of a swarm speaks as the recorder's client understands it.
func TestTracker(t *testing.T) {
	served, err := swarmtest.StartTracker(swarmtest.TrackerOptions{Interval: 1800 * time.Second, MinInterval: 60 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	hash := events.InfoHash([]byte("\x00\x01%&abcdefghijklmnop"))
	client := func(name string, address string) *tracker.Client {
		c := tracker.NewClient(tracker.Config{PeerID: events.PeerID([]byte(name)), Port: 6881, Timeout: 10 * time.Second,
			Bind: []netip.Addr{netip.MustParseAddr(address)}, Now: func() events.Time { return events.TimeOf(time.Now()) }})
		t.Cleanup(c.Close)
		return c
	}
	seed, leecher := client("-BT0001-aaaaaaaaaaaa", "127.0.9.1"), client("-BT0001-bbbbbbbbbbbb", "127.0.9.2")
	announce := func(c *tracker.Client, event events.AnnounceEvent, left uint64) *events.TrackerAnnounced {
		t.Helper()
		got := c.Announce(t.Context(), served.URL, tracker.Request{Torrent: 1, InfoHash: hash, Event: event, Left: left})
		if got.Failure != nil {
			t.Fatalf("%+v", got.Failure)
		}
		return got.Answer
	}
	announce(seed, events.AnnounceStarted, 0)
	a := announce(leecher, events.AnnounceStarted, 10)
	want := []events.Address{events.AddressOf(netip.MustParseAddrPort("127.0.9.1:6881"))}
	if peers := slices.Collect(a.Peers.All()); !slices.Equal(peers, want) || a.Interval != events.Some(1800) || a.MinInterval != events.Some(60) {
		t.Errorf("%+v, peers %v", a, peers)
	}
	if a.Seeders != events.Some(1) || a.Leechers != events.Some(1) {
		t.Errorf("%+v", a)
	}
	announce(leecher, events.AnnounceCompleted, 0)
	announce(seed, events.AnnounceStopped, 0)
	scraped := seed.Scrape(t.Context(), served.URL, tracker.Request{Torrent: 1, InfoHash: hash})
	if s := scraped.Answer; s == nil || s.Seeders != events.Some(1) || s.Completed != events.Some(1) || s.Leechers != events.Some(0) {
		t.Errorf("%+v, %+v", s, scraped.Failure)
	}
	if !served.Told(events.PeerID([]byte("-BT0001-aaaaaaaaaaaa")), events.AnnounceStopped) {
		t.Errorf("announces %+v", served.Announces())
	}
}

// Peers that announce over IPv6 are named in peers6 (BEP 7).
func TestTrackerOverIPv6(t *testing.T) {
	served, err := swarmtest.StartTracker(swarmtest.TrackerOptions{Address: netip.MustParseAddrPort("[::1]:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	var peers []events.Address
	for port := range uint16(2) {
		c := tracker.NewClient(tracker.Config{PeerID: events.PeerID{19: byte(port)}, Port: 6881 + port, Timeout: 10 * time.Second,
			Bind: []netip.Addr{netip.IPv6Loopback()}, Now: func() events.Time { return events.TimeOf(time.Now()) }})
		got := c.Announce(t.Context(), served.URL, tracker.Request{Torrent: 1, Event: events.AnnounceStarted, Left: 1})
		if got.Failure != nil {
			t.Fatalf("%+v", got.Failure)
		}
		peers = slices.AppendSeq(peers, got.Answer.Peers.All())
	}
	if want := []events.Address{events.AddressOf(netip.MustParseAddrPort("[::1]:6881"))}; !slices.Equal(peers, want) {
		t.Errorf("peers %v, want %v", peers, want)
	}
}

// The same options give the same torrent.
func TestPayload(t *testing.T) {
	o := swarmtest.PayloadOptions{Name: "same", Pieces: 4, PieceLength: 16 << 10, Seed: 3, Trackers: []string{"http://a/announce", "http://b/announce"}}
	a, err := swarmtest.NewPayload(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := swarmtest.NewPayload(o)
	if err != nil || a.InfoHash != b.InfoHash || string(a.Torrent) != string(b.Torrent) {
		t.Errorf("%v and %v, %v", a.InfoHash, b.InfoHash, err)
	}
	o.Seed++
	if c, err := swarmtest.NewPayload(o); err != nil || c.InfoHash == a.InfoHash {
		t.Errorf("another seed gives %v too, %v", c.InfoHash, err)
	}
}
