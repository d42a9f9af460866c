package realclient

import (
	"context"
	"net/netip"
	"os"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/swarmtest"
)

// Every kind of client downloads from a seed that it, or that knows it, through the tracker, and tells its progress.
func TestRealClientsDownload(t *testing.T) {
	if os.Getenv("BTDA_REAL_CLIENTS") == "" {
		t.Skip("needs clients of other projects: see BTDA_REAL_CLIENTS in README.md")
	}
	if missing := Missing(); len(missing) > 0 {
		t.Fatalf("not installed: %q", missing)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	payload, err := swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "payload", Pieces: 64, PieceLength: 16 << 10, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	tracker, err := StartOpenTracker(ctx, OpenTrackerOptions{
		Address: netip.MustParseAddr("127.0.8.1"), Folder: folder, Torrents: []events.InfoHash{payload.InfoHash},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	next := tracker.Address.Addr()
	begin := func(o Options) *Client {
		next = next.Next()
		o.Folder, o.Payload, o.Address, o.Trackers = folder, payload, next, []string{tracker.URL("http")}
		c, err := Start(ctx, o)
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
	var leechers []*Client
	for _, kind := range []Kind{Transmission, Aria2, RTorrent, Libtorrent} {
		leechers = append(leechers, begin(Options{Name: string(kind), Kind: kind, Rate: 500_000}))
	}
	if err := tracker.WaitPeers(ctx, payload.InfoHash, len(leechers)); err != nil {
		t.Fatal(err)
	}
	begin(Options{Name: "seed", Kind: Libtorrent, Full: true})
	for _, c := range leechers {
		if err := c.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		if !c.Finished() {
			t.Errorf("%s: %v", c.Name, c.History())
		}
	}
}
