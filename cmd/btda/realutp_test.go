package main_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/recorder/swarmtest"
	"btda/recorder/swarmtest/realclient"
)

// The swarm of TestRealClientComesByUTP. 2 % of the pieces are 1.
const (
	comingPieces    = 64
	comingThreshold = 63
	comingRate      = 100_000          // bytes a second: it takes 10 s
	comingPatience  = 50 * time.Second // for all of the test
)

// A client that speaks uTP only learns of a recorder from the tracker and connects to it. Its download is confirmed, and nobody else's is.
func TestRealClientComesByUTP(t *testing.T) {
	if os.Getenv("BTDA_REAL_CLIENTS") == "" {
		t.Skip("needs clients of other projects: see BTDA_REAL_CLIENTS in README.md")
	}
	t.Parallel()
	if missing := realclient.Missing(); len(missing) > 0 {
		t.Fatalf("these Debian packages are missing: apt-get install %s", strings.Join(missing, " "))
	}
	ctx, cancel := context.WithTimeout(t.Context(), comingPatience)
	defer cancel()
	payload, err := swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "coming", Pieces: comingPieces, PieceLength: realPieceLength, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	tracker, err := swarmtest.StartTracker(swarmtest.TrackerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	options := realclient.Options{Kind: realclient.Libtorrent, Folder: realFolder(t), Payload: payload, Trackers: []string{tracker.URL}, UTP: true, NoTCP: true}
	r := recordComing(ctx, t, options)
	defer r.command.Process.Signal(syscall.SIGKILL)
	awaitPeers(ctx, t, tracker, payload, 1)
	startComing(ctx, t, options, realclient.Options{Name: "seed", Address: netip.MustParseAddr("127.0.13.2"), Full: true})
	leecher := startComing(ctx, t, options, realclient.Options{Name: "leecher", Address: netip.MustParseAddr("127.0.13.3"), Rate: comingRate})
	if err := leecher.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(comingAfterglow, func() { r.signal(syscall.SIGINT) })
	r.end(t)
	judgeComing(t, r.replay(t), leecher)
}

// comingAfterglow is how much longer than the download the recording lasts.
const comingAfterglow = 3 * time.Second

// recordComing records clients that connect.
func recordComing(ctx context.Context, t *testing.T, o realclient.Options) *realRecording {
	t.Helper()
	address := netip.MustParseAddr("127.0.13.1")
	port, err := swarmtest.FreePort(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	described, err := o.Payload.TorrentFor(o.Trackers...)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(o.Folder, "coming")
	writeFile(t, name+".torrent", described)
	return &realRecording{mode: realMode{name: "coming"}, events: name + ".events",
		running: start(t, "record", "--passive", "--bind", address.String(), "--port", strconv.Itoa(int(port)), "--tracker-interval", "1s",
			"--duration", comingPatience.String(), "--events", name+".events", name+".torrent")}
}

// awaitPeers waits until so many have told a tracker of themselves.
func awaitPeers(ctx context.Context, t *testing.T, tracker *swarmtest.Tracker, p *swarmtest.Payload, peers int) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for counts := tracker.Counts(p.InfoHash); counts.Seeders+counts.Leechers < peers; counts = tracker.Counts(p.InfoHash) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%d have announced, want %d", counts.Seeders+counts.Leechers, peers)
		}
	}
}

// startComing starts a client with its part of the options that all have in common.
func startComing(ctx context.Context, t *testing.T, common, own realclient.Options) *realclient.Client {
	t.Helper()
	common.Name, common.Address, common.Full, common.Rate = own.Name, own.Address, own.Full, own.Rate
	c, err := realclient.Start(ctx, common)
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

// judgeComing demands that one download is confirmed, that of the client, not before it knew itself of its last pieces but one.
func judgeComing(t *testing.T, peers []countedPeer, c *realclient.Client) {
	t.Helper()
	confirmed := 0
	for _, p := range peers {
		if p.download == nil {
			continue
		}
		confirmed++
		if from := netip.MustParseAddrPort(p.address).Addr(); from != c.Address || p.transport != "utp" || p.source != "incoming" || p.download.belowEvidence == "assumed" {
			t.Errorf("a download of %+v, %+v", p, *p.download)
		}
		crossing, _ := c.CrossedAt(comingThreshold)
		if seen := time.UnixMicro(int64(p.download.firstAbove * 1e6)); seen.Before(crossing.Below.Add(-time.Second)) {
			t.Errorf("it was seen complete at %v, but had fewer pieces until %v", seen, crossing.Below)
		}
	}
	if confirmed != 1 {
		t.Errorf("%d downloads were confirmed, want 1, among %+v", confirmed, peers)
	}
}
