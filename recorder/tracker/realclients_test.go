package tracker

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/swarmtest/realclient"
)

// opentracker speaks UDP as others wrote it: peers, counts, a connection id that is used again, and stopped, all held against what it
// says over HTTP.
func TestRealClientsTracker(t *testing.T) {
	if os.Getenv("BTDA_REAL_CLIENTS") == "" {
		t.Skip("needs the opentracker of another project: see BTDA_REAL_CLIENTS in README.md")
	}
	server, err := realclient.StartOpenTracker(t.Context(), realclient.OpenTrackerOptions{
		Address: netip.MustParseAddr("127.0.12.1"), Folder: openFolder(t), Torrents: []events.InfoHash{testHash},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	from := func(address string) *Client {
		return udpClient(t, func(c *Config) { c.Bind = []netip.Addr{netip.MustParseAddr(address)} })
	}
	url := server.URL("udp")
	seed := testRequest()
	seed.Left = 0
	if got := from("127.0.12.2").Announce(t.Context(), url, seed); got.Failure != nil || len(got.Ignored) != 0 {
		t.Fatalf("seed: %+v, %+v", got.Failure, got.Ignored)
	}
	log := eventstest.NewLog()
	client := from("127.0.12.3")
	announcer := &Announcer{Client: client, Log: log, Tracker: url, Request: testRequest(), Interval: time.Hour}
	runUntil(t, announcer, log, eventstest.Has(events.KindTrackerScraped, 1))

	facts := log.Records()
	if len(facts) != 3 {
		t.Fatalf("want started, scrape and stopped:\n%s", eventstest.Format(facts))
	}
	started, _ := facts[0].Event.(*events.TrackerAnnounced)
	scraped, _ := facts[1].Event.(*events.TrackerScraped)
	stopped, _ := facts[2].Event.(*events.TrackerAnnounced)
	if started == nil || scraped == nil || stopped == nil || stopped.Event != events.AnnounceStopped {
		t.Fatalf("want started, scrape and stopped:\n%s", eventstest.Format(facts))
	}
	want := []events.Address{address("127.0.12.2:6884")}
	others := slices.DeleteFunc(slices.Collect(started.Peers.All()), func(a events.Address) bool { return a == address("127.0.12.3:6884") })
	if !slices.Equal(others, want) || started.Seeders != events.Some(1) || started.Interval.Value < 60 {
		t.Errorf("announced %+v, peers %v, want %v", started, others, want)
	}
	if scraped.Seeders != events.Some(1) || scraped.Leechers != events.Some(1) {
		t.Errorf("scraped %+v", scraped)
	}
	checkUnlisted(t, client, url)
	after := client.Scrape(t.Context(), server.URL("http"), testRequest())
	if a := after.Answer; a == nil || a.Seeders != events.Some(1) || a.Leechers != events.Some(0) {
		t.Errorf("over HTTP, after stopped: %+v, %+v", a, after.Failure)
	}
}

// checkUnlisted asks opentracker for a torrent that it does not serve: it answers with the head of an answer and nothing else.
func checkUnlisted(t *testing.T, c *Client, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r := testRequest()
	r.InfoHash[0]++
	got := c.Announce(ctx, url, r)
	if f := got.Failure; f == nil || len(f.Answer) != headSize || len(got.Ignored) != 1 || got.Ignored[0].Reason != events.ReasonTruncated {
		t.Errorf("an unlisted torrent: %+v, %+v", f, got.Ignored)
	}
}

// openFolder is a folder that the tracker can enter once it has become nobody.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "btda-tracker-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}
