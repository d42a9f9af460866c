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

// The tracker of a swarm speaks as the recorder's client understands it, over HTTP and UDP and both families.
func TestTracker(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		served, err := swarmtest.StartTracker(swarmtest.TrackerOptions{
			Address: netip.AddrPortFrom(netip.MustParseAddr(host), 0), Interval: 1800 * time.Second, MinInterval: 60 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer served.Close()
		for i, url := range []string{served.URL, served.URLUDP} {
			t.Run(url, func(t *testing.T) {
				hash := events.InfoHash([]byte("\x00\x01%&abcdefghijklmnop"))
				hash[0] = byte(i)
				checkTracker(t, served, tracked{url: url, host: netip.MustParseAddr(host), hash: hash})
			})
		}
	}
}

// tracked is a torrent of a tracker to be tested.
type tracked struct {
	url  string
	host netip.Addr // that everybody announces from
	hash events.InfoHash
}

func checkTracker(t *testing.T, served *swarmtest.Tracker, to tracked) {
	client := func(name string, port uint16) *tracker.Client {
		c := tracker.NewClient(tracker.Config{PeerID: events.PeerID([]byte(name)), Port: port, Timeout: 10 * time.Second,
			Bind: []netip.Addr{to.host}, Now: func() events.Time { return events.TimeOf(time.Now()) }})
		t.Cleanup(c.Close)
		return c
	}
	seed, leecher := client("-BT0001-aaaaaaaaaaaa", 6881), client("-BT0001-bbbbbbbbbbbb", 6882)
	announce := func(c *tracker.Client, event events.AnnounceEvent, left uint64) *events.TrackerAnnounced {
		t.Helper()
		got := c.Announce(t.Context(), to.url, tracker.Request{Torrent: 1, InfoHash: to.hash, Event: event, Sizes: tracker.Sizes{Left: left}})
		if got.Failure != nil {
			t.Fatalf("%+v", got.Failure)
		}
		return got.Answer
	}
	announce(seed, events.AnnounceStarted, 0)
	a := announce(leecher, events.AnnounceStarted, 10)
	want := []events.Address{events.AddressOf(netip.AddrPortFrom(to.host, 6881))}
	if peers := slices.Collect(a.Peers.All()); !slices.Equal(peers, want) || a.Interval != events.Some(1800) {
		t.Errorf("%+v, peers %v", a, peers)
	}
	least := events.Optional{} // BEP 15 has none
	if to.url == served.URL {
		least = events.Some(60)
	}
	if a.MinInterval != least {
		t.Errorf("min interval %v, want %v", a.MinInterval, least)
	}
	if a.Seeders != events.Some(1) || a.Leechers != events.Some(1) {
		t.Errorf("%+v", a)
	}
	announce(leecher, events.AnnounceCompleted, 0)
	announce(seed, events.AnnounceStopped, 0)
	scraped := seed.Scrape(t.Context(), to.url, tracker.Request{Torrent: 1, InfoHash: to.hash})
	if s := scraped.Answer; s == nil || s.Seeders != events.Some(1) || s.Completed != events.Some(1) || s.Leechers != events.Some(0) {
		t.Errorf("%+v, %+v", s, scraped.Failure)
	}
	if !served.Told(events.PeerID([]byte("-BT0001-aaaaaaaaaaaa")), events.AnnounceStopped) {
		t.Errorf("announces %+v", served.Announces())
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
