package main_test

import (
	"context"
	"database/sql"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/recorder/swarmtest"
	"btda/recorder/swarmtest/realclient"
)

// waysPatience is for all of the test.
const waysPatience = 50 * time.Second

// realWays are clients that a plain connection by TCP does not reach, and the way by which each is.
var realWays = []struct {
	realclient.Options
	transport, encryption string
}{
	{realclient.Options{Name: "encrypting transmission", Kind: realclient.Transmission, Encrypts: true}, "tcp", "mse"},
	{realclient.Options{Name: "rc4 libtorrent", Kind: realclient.Libtorrent, Encrypts: true}, "tcp", "mse rc4"},
	{realclient.Options{Name: "utp libtorrent", Kind: realclient.Libtorrent, UTP: true, NoTCP: true}, "utp", "plain"},
	{realclient.Options{Name: "rc4 utp libtorrent", Kind: realclient.Libtorrent, UTP: true, NoTCP: true, Encrypts: true}, "utp", "mse rc4"},
}

// Clients that insist on encryption or speak uTP only are met, in the way that is theirs.
func TestRealClientsByOtherWays(t *testing.T) {
	needRealClients(t)
	ctx, cancel := context.WithTimeout(t.Context(), waysPatience)
	defer cancel()
	folder := realFolder(t)
	payload, err := swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "ways", Pieces: 16, PieceLength: realPieceLength, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	tracker, err := swarmtest.StartTracker(swarmtest.TrackerOptions{Address: netip.MustParseAddrPort("127.0.0.1:0"), Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	for i, w := range realWays {
		w.Address, w.Folder, w.Payload, w.Trackers, w.Full = netip.AddrFrom4([4]byte{127, 0, 12, byte(2 + i)}), folder, payload, []string{tracker.URL}, true
		c, err := realclient.Start(ctx, w.Options)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	name := filepath.Join(folder, "ways")
	described, err := payload.TorrentFor(tracker.URL)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, name+".torrent", described)
	r := start(t, "record", "--active", "--bind", "127.0.12.1", "--revisit", "2s", "--tracker-interval", "1s", "--duration", "20s",
		"--events", name+".events", name+".torrent")
	defer r.command.Process.Signal(syscall.SIGKILL)
	if got := r.wait(); got.code != 0 {
		t.Fatalf("btda record: exit code %d\n%s", got.code, got.stderr)
	}
	if got := btda(t, "replay", name+".events", "-o", name+".sqlite", "--with-addresses"); got.code != 0 {
		t.Fatalf("btda replay: exit code %d\n%s", got.code, got.stderr)
	}
	met := waysMet(t, name+".sqlite")
	for i, w := range realWays {
		got := met[netip.AddrFrom4([4]byte{127, 0, 12, byte(2 + i)})]
		t.Logf("%s was met by %q", w.Name, got)
		if !strings.HasPrefix(got, w.transport+" "+w.encryption) {
			t.Errorf("%s was met by %q, want %s %s", w.Name, got, w.transport, w.encryption)
		}
	}
}

// waysMet gives how each peer was met first.
func waysMet(t *testing.T, file string) map[netip.Addr]string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT address, transport || ' ' || encryption FROM peer")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	met := map[netip.Addr]string{}
	for rows.Next() {
		var address, way string
		if err := rows.Scan(&address, &way); err != nil {
			t.Fatal(err)
		}
		met[netip.MustParseAddrPort(address).Addr()] = way
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return met
}
