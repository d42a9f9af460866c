package recorder_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"btda/events"
	"btda/input"
	"btda/recorder"
	"btda/recorder/swarmtest"
)

// magnetPieces makes metadata of three pieces.
const magnetPieces = 2000

// startMagnetSwarm starts whole clients of a torrent whose metadata nobody has but they.
func startMagnetSwarm(t *testing.T, private bool, clients ...swarmtest.ClientOptions) *swarmtest.Swarm {
	t.Helper()
	swarm, err := swarmtest.New(swarmtest.Options{Payload: swarmtest.PayloadOptions{Name: "magnet", Pieces: magnetPieces, PieceLength: 1 << 10, Seed: 1, Private: private}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := swarm.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := swarm.Start(clients...); err != nil {
		t.Fatal(err)
	}
	return swarm
}

func magnetSettings(t *testing.T) recorder.Settings {
	s := testSettings()
	s.Events = filepath.Join(t.TempDir(), "magnet.events")
	return s
}

func magnetOf(hash events.InfoHash, peers ...netip.AddrPort) input.Torrent {
	return input.Torrent{InfoHash: hash, Magnet: true, Peers: peers}
}

// A magnet link that names a peer is all that is needed: the metadata comes from that peer, and the peer is observed to its end. It is
// there again at the next run.
func TestMagnetIsResolvedFromAPeerThatItNames(t *testing.T) {
	swarm := startMagnetSwarm(t, false, swarmtest.ClientOptions{Name: "seed", Full: true})
	settings, torrent := magnetSettings(t), magnetOf(swarm.Payload.InfoHash, swarm.Clients[0].AddrPort())
	r := record(t, settings, torrent)
	r.await(events.KindSessionClosed, 1)
	if shown := r.Snapshot().Torrents[0]; shown.Name != "magnet" || !shown.MetadataKnown {
		t.Errorf("shown is %+v", shown)
	}
	r.stop(nil)
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	named, received := of[*events.PeersNamed](records), of[*events.MetadataReceived](records)
	if len(named) != 1 || named[0].Source != events.SourceMagnet || named[0].Peers.Len() != 1 {
		t.Errorf("named %+v", named)
	}
	want, err := input.ParseTorrent(swarm.Payload.Torrent)
	if err != nil {
		t.Fatal(err)
	}
	if len(received) != 1 || received[0].Session != 1 || received[0].Metadata != want.Metadata {
		t.Fatalf("received %+v, want %+v", received, want.Metadata)
	}
	if closed := of[*events.SessionClosed](records); closed[0].Reason != events.ReasonComplete {
		t.Errorf("the seed was left because of %v, want that it is complete", closed[0].Reason)
	}
	checkKept(t, settings, torrent, want)
}

// As long as nobody gives the metadata of a magnet link without a name, its info hash is shown.
func TestMagnetThatNobodyResolves(t *testing.T) {
	hash := events.InfoHash([]byte("hash of a lonely one"))
	r := record(t, magnetSettings(t), magnetOf(hash, startPeer(t, mute).addr()))
	r.await(events.KindSessionOpened, 1)
	shown := r.Snapshot().Torrents
	if len(shown) != 1 || shown[0].Name != hash.String() || shown[0].MetadataKnown {
		t.Errorf("shown is %+v", shown)
	}
	r.stop(nil)
	checkEnds(t, r.log.Records(), events.ReasonInterrupted)
}

// Metadata that is larger than the user wants is not taken, though it is the true one.
func TestMetadataThatIsTooLarge(t *testing.T) {
	swarm := startMagnetSwarm(t, false, swarmtest.ClientOptions{Name: "seed", Full: true})
	settings := magnetSettings(t)
	settings.MaxMetadata = 20 * magnetPieces // bytes: the hashes alone
	r := record(t, settings, magnetOf(swarm.Payload.InfoHash, swarm.Clients[0].AddrPort()))
	r.await(events.KindMetadataFailed, 1)
	r.stop(nil)
	records := r.log.Records()
	if failed := of[*events.MetadataFailed](records); failed[0].Reason != events.ReasonTooLarge || failed[0].Session == 0 {
		t.Errorf("failed %+v, want that it is too large", failed[0])
	}
	if received := of[*events.MetadataReceived](records); len(received) > 0 {
		t.Errorf("received %+v", received)
	}
}

// checkKept demands that a second run needs nobody for the metadata.
func checkKept(t *testing.T, settings recorder.Settings, torrent input.Torrent, want input.Torrent) {
	t.Helper()
	torrent.Peers = nil
	kept := filepath.Join(filepath.Dir(settings.Events), "metadata", torrent.InfoHash.String()+".torrent")
	if got, err := input.ReadTorrent(kept); err != nil || got.InfoHash != want.InfoHash || !reflect.DeepEqual(got.Metadata, want.Metadata) {
		t.Fatalf("kept is %+v, %v, want %+v", got, err, want)
	}
	r := record(t, settings, torrent)
	r.await(events.KindMetadataReceived, 1)
	r.stop(nil)
	if received := of[*events.MetadataReceived](r.log.Records()); len(received) != 1 || received[0].Session != 0 || received[0].Metadata != want.Metadata {
		t.Errorf("received %+v, want %+v of session 0", received, want.Metadata)
	}
	if failed := of[*events.MetadataFailed](r.log.Records()); len(failed) > 0 {
		t.Errorf("failed %+v", failed)
	}
}

// Metadata that was kept is as little trusted as any other.
func TestKeptMetadataIsChecked(t *testing.T) {
	swarm := startMagnetSwarm(t, false, swarmtest.ClientOptions{Name: "seed", Full: true})
	other, err := swarmtest.NewPayload(swarmtest.PayloadOptions{Name: "other", Pieces: 1, PieceLength: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		want    events.Reason
	}{
		"of another torrent": {other.Torrent, events.ReasonHashMismatch},
		"cut off":            {swarm.Payload.Torrent[:100], events.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			settings := magnetSettings(t)
			kept := filepath.Join(filepath.Dir(settings.Events), "metadata", swarm.Payload.InfoHash.String()+".torrent")
			if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(kept, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			r := record(t, settings, magnetOf(swarm.Payload.InfoHash, swarm.Clients[0].AddrPort()))
			r.await(events.KindMetadataReceived, 1)
			r.stop(nil)
			failed := of[*events.MetadataFailed](r.log.Records())
			if len(failed) != 1 || failed[0].Reason != c.want || failed[0].Session != 0 {
				t.Errorf("failed %+v, want %v of session 0", failed, c.want)
			}
			if got, err := input.ReadTorrent(kept); err != nil || got.InfoHash != swarm.Payload.InfoHash {
				t.Errorf("kept afterwards: %+v, %v", got, err)
			}
		})
	}
}
