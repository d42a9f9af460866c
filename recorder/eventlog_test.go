package recorder_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"btda/events"
	"btda/events/eventlog"
	"btda/events/eventstest"
	"btda/input"
	"btda/recorder"
	"btda/recorder/swarmtest"
)

// diskLog is a real log, beside which the test sees what was appended.
type diskLog struct {
	*eventlog.Log
	seen *eventstest.Log
}

func (l diskLog) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	seq, err := l.Log.Append(ctx, at, e)
	if err == nil {
		_, err = l.seen.Append(context.WithoutCancel(ctx), at, e)
	}
	return seq, err
}

// recordToDisk starts a recording into a real log, and gives it.
func recordToDisk(t testing.TB, o eventlog.Options, settings recorder.Settings, torrents ...input.Torrent) (*recording, *eventlog.Log) {
	t.Helper()
	seen := eventstest.NewLog()
	created := make(chan *eventlog.Log, 1)
	r := recordTo(t, seen, func(dir string) (recorder.Log, error) {
		log, err := eventlog.Create(dir, o)
		created <- log
		return diskLog{log, seen}, err
	}, settings, torrents...)
	return r, <-created
}

// scan reads a log back.
func scan(t *testing.T, dir string, o eventlog.Options) (records []events.Record, sealed bool) {
	t.Helper()
	reader, err := eventlog.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	scanner := reader.Scan(1)
	defer scanner.Close()
	kept := eventstest.NewLog() // copies
	for scanner.Next() {
		if _, err := kept.Append(t.Context(), scanner.Record().Time, scanner.Record().Event); err != nil {
			t.Fatal(err)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	_, sealed = reader.Sealed()
	return kept.Records(), sealed
}

func diskSettings(t *testing.T) recorder.Settings {
	s := testSettings()
	s.Events, s.TrackerInterval = filepath.Join(t.TempDir(), "output", "run.events"), time.Second
	return s
}

func TestARealSwarmIsInTheLog(t *testing.T) {
	swarm, err := swarmtest.New(swarmtest.Options{Payload: swarmtest.PayloadOptions{Name: "real", Pieces: 64, PieceLength: 16 << 10, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer swarm.Close()
	torrent, err := input.ParseTorrent(swarm.Payload.Torrent)
	if err != nil {
		t.Fatal(err)
	}
	r, log := recordToDisk(t, eventlog.Options{}, diskSettings(t), torrent)
	r.await(events.KindTrackerAnnounced, 1)
	if err := swarm.Start(swarmtest.ClientOptions{Name: "slow", Rate: 150_000}, swarmtest.ClientOptions{Name: "fast", Rate: 250_000},
		swarmtest.ClientOptions{Name: "half", Rate: 250_000, Goal: 32}); err != nil {
		t.Fatal(err)
	}
	r.await(events.KindHaveNoneReceived, len(swarm.Clients)) // before there is anything to download
	if err := swarm.Start(swarmtest.ClientOptions{Name: "seed", Full: true}); err != nil {
		t.Fatal(err)
	}
	r.awaitThat(func(records []events.Record) bool { return completed(records) >= 3 })
	if r.stop(nil); r.err != nil {
		t.Fatal(r.err)
	}
	if ctx := t.Context(); swarm.Tracker.WaitTold(ctx, ownID(r), events.AnnounceStopped) != nil {
		t.Error("the tracker was not told that the recorder stopped")
	}
	records, sealed := scan(t, r.Events(), eventlog.Options{})
	checkEnds(t, records, events.ReasonInterrupted)
	checkOneContactAtATime(t, records)
	checkClients(t, records, swarm)
	appended := len(r.log.Records())
	if !sealed || len(records) != appended || log.Appended() != events.Seq(appended) || log.Durable() != events.Seq(appended) {
		t.Errorf("sealed %v; %d events scanned, %d appended, %d counted, %d durable: want all equal", sealed, len(records), appended, log.Appended(), log.Durable())
	}
}

func ownID(r *recording) events.PeerID {
	return of[*events.RunStarted](r.log.Records())[0].PeerID
}

// checkClients compares, for every client, whether it was first seen below the threshold and left when complete.
func checkClients(t *testing.T, records []events.Record, swarm *swarmtest.Swarm) {
	t.Helper()
	for _, c := range swarm.Clients {
		below, complete := false, false
		sessions := make(map[events.SessionNumber]bool)
		for _, r := range records {
			switch e := r.Event.(type) {
			case *events.SessionOpened:
				sessions[e.Session] = e.PeerID == c.PeerID
			case *events.HaveNoneReceived:
				below = below || sessions[e.Session]
			case *events.BitfieldReceived:
				below = below || sessions[e.Session] && !allSet(e.Bitfield)
			case *events.SessionClosed:
				complete = complete || sessions[e.Session] && e.Reason == events.ReasonComplete
			}
		}
		if want := !c.Full; below != want {
			t.Errorf("%s was seen below the threshold: %v, want %v", c.Name, below, want)
		}
		if want := c.Full || c.Finishes(); complete != want {
			t.Errorf("%s was seen complete: %v, want %v", c.Name, complete, want)
		}
	}
}

func allSet(bitfield []byte) bool {
	return bytes.Count(bitfield, []byte{0xff}) == len(bitfield)
}

func TestAFullDiskStopsTheRecordingAndLeavesALogThatOpens(t *testing.T) {
	if !inChild(t) {
		return
	}
	disk := vfs.NewCrashableMem()
	var full atomic.Bool
	failing := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
	tracker := startTracker(t, &testTracker{peers: addressesOf(startPeer(t, idle), startPeer(t, leech))})
	settings := diskSettings(t)
	settings.StatisticInterval = 20 * time.Millisecond
	r, log := recordToDisk(t, eventlog.Options{FS: failing}, settings, testTorrent(tracker.url()))
	r.await(events.KindBitfieldReceived, 2)
	acknowledged := events.Seq(len(r.log.Records()))
	if err := log.WaitDurable(t.Context(), acknowledged); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	full.Store(true)
	if took := r.ended(began); took > settings.Timeout+2*time.Second {
		t.Errorf("ended %v after the disk was full, want within the timeout plus 2 s", took)
	}
	if !errors.Is(r.err, syscall.ENOSPC) || !strings.Contains(r.err.Error(), r.Events()) {
		t.Errorf("error %v, want one that wraps %v and names the log", r.err, syscall.ENOSPC)
	}
	records, sealed := scan(t, r.Events(), eventlog.Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})}) // only what was synced
	if sealed || events.Seq(len(records)) < acknowledged {
		t.Errorf("sealed %v, %d events; want no seal and at least the %d that were acknowledged", sealed, len(records), acknowledged)
	}
}

func TestALogThatCannotBeCreatedIsNamed(t *testing.T) {
	settings := diskSettings(t)
	settings.Events = "/proc/nowhere/run.events"
	r, _ := recordToDisk(t, eventlog.Options{}, settings, testTorrent())
	r.ended(time.Now())
	if r.err == nil || !strings.Contains(r.err.Error(), settings.Events) {
		t.Errorf("error %v, want one that names %s", r.err, settings.Events)
	}
}

// inChild runs the test in a process of its own; true in that process.
func inChild(t *testing.T) bool {
	t.Helper()
	if os.Getenv(recorder.FailingLog) != "" {
		return true
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), recorder.FailingLog+"=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}
