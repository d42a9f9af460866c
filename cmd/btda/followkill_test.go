package main_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"btda/recorder/swarmtest"
)

var followerKills = flag.Int("follower-kills", 4, "how often TestFollowerIsKilled kills a follower while a swarm is recorded")

// startRealSwarm starts a tracker, a seed and leechers that take about as long as said, and gives the torrent file.
func startRealSwarm(t *testing.T, pace time.Duration) (torrent string) {
	t.Helper()
	const pieces, pieceLength = 64, 16 << 10
	swarm, err := swarmtest.New(swarmtest.Options{Payload: swarmtest.PayloadOptions{Name: "follow", Pieces: pieces, PieceLength: pieceLength, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { swarm.Close() })
	rate := int(pieces * pieceLength / pace.Seconds())
	if err := swarm.Start(swarmtest.ClientOptions{Name: "seed", Full: true}, swarmtest.ClientOptions{Name: "slow", Rate: rate},
		swarmtest.ClientOptions{Name: "fast", Rate: 2 * rate}, swarmtest.ClientOptions{Name: "half", Rate: rate, Goal: pieces / 2}); err != nil {
		t.Fatal(err)
	}
	torrent = filepath.Join(t.TempDir(), "follow.torrent")
	writeFile(t, torrent, swarm.Payload.Torrent)
	return torrent
}

// socketFor gives a short path.
func socketFor(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "btda")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return filepath.Join(folder, "log.sock")
}

// However often a follower is killed while a swarm is recorded, in the end its tables are those of a fresh replay.
func TestFollowerIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("records a swarm of real clients")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	torrent := startRealSwarm(t, time.Duration(*followerKills)*time.Second)
	socket, kept := socketFor(t), filepath.Join(t.TempDir(), "kept.sqlite")
	recording, output := startRecord(t, torrent, "--endpoint", socket, "--tracker-interval", "1s", "--statistic-interval", "1s")
	recording.awaitLine("recording")
	awaitFile(t, socket)
	for range *followerKills {
		follower := start(t, "replay", "--follow", socket, "-o", kept)
		if random.IntN(3) > 0 {
			follower.awaitLine("and follows")
		}
		<-time.After(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
		follower.signal(syscall.SIGKILL)
		follower.wait()
	}
	last := start(t, "replay", "--follow", socket, "-o", kept)
	last.awaitLine("and follows")
	recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)
	if end := last.wait(); end.code != 0 {
		t.Fatalf("the last follower: exit code %d\n%s%s", end.code, end.stdout, end.stderr)
	}
	sameAsReplayed(t, kept, log)
	if got := countRows(t, kept, "peer"); got != 4 {
		t.Errorf("%d peers, want 4", got)
	}
	if _, err := os.Lstat(socket); !os.IsNotExist(err) {
		t.Errorf("the recorder left its socket: %v", err)
	}
}

// awaitFile waits until there is a file.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(patience); ; {
		if _, err := os.Lstat(path); err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("%s did not come", path)
		}
	}
}
