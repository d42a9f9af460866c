package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
)

// following is a log that is being written, and a file that followers keep.
type following struct {
	t      *testing.T
	folder string
	log    *eventlog.Log
	next   func() (events.Time, events.Event, bool)
	file   string
	socket string // of the endpoint; empty while the log is not offered

	endpoint *eventlog.Endpoint
}

// startFollowing begins a log of which nothing is appended yet.
func startFollowing(t *testing.T, all iter.Seq2[events.Time, events.Event]) *following {
	t.Helper()
	next, stop := iter.Pull2(all)
	t.Cleanup(stop)
	folder := filepath.Join(t.TempDir(), "run.events")
	log, err := eventlog.Create(folder, eventlog.Options{BlockEvents: 7, SyncInterval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return &following{t: t, folder: folder, log: log, next: next, file: filepath.Join(t.TempDir(), "kept.sqlite")}
}

// append appends up to count events, waits until they are on disk, and reports whether there are more.
func (f *following) append(count int) bool {
	f.t.Helper()
	for range count {
		at, e, ok := f.next()
		if !ok {
			return false
		}
		if _, err := f.log.Append(f.t.Context(), at, e); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := f.log.WaitDurable(f.t.Context(), f.log.Appended()); err != nil {
		f.t.Fatal(err)
	}
	return true
}

// follower gives one that makes no pauses.
func (f *following) follower() *Follower {
	o := DefaultOptions()
	o.Output = f.file
	return &Follower{Tail: f.log, Options: o, Interval: time.Nanosecond}
}

// followFolder follows the log when it was sealed.
func (f *following) followFolder() (Result, error) {
	f.t.Helper()
	finished, err := OpenFinished(f.folder)
	if err != nil {
		f.t.Fatal(err)
	}
	defer finished.Close()
	follower := f.follower()
	follower.Tail = finished
	return follower.Run(f.t.Context())
}

// finish follows to the end.
func (f *following) finish() {
	f.t.Helper()
	if _, err := f.followFolder(); err != nil {
		f.t.Fatal(err)
	}
}

// seal ends the log.
func (f *following) seal() {
	f.t.Helper()
	err := f.log.Close()
	if f.endpoint != nil {
		err = errors.Join(err, f.endpoint.Close(f.t.Context()))
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// wantReplayed holds a kept file against a fresh replay of the log, rows and provenance.
func (f *following) wantReplayed() {
	f.t.Helper()
	o := optionsFor(f.folder)
	o.Output = filepath.Join(f.t.TempDir(), "fresh.sqlite")
	replayLogs(f.t, o)
	if d, lines := compareFiles(f.t, f.file, o.Output); !d.SameRows() || len(d.Facts) > 0 {
		f.t.Errorf("the kept file is not as a fresh replay:\n%s\n%+v", strings.Join(lines, "\n"), d.Facts)
	}
	if got := queryColumn(f.t, f.file, "PRAGMA integrity_check"); got[0] != "ok" {
		f.t.Errorf("integrity check: %v", got)
	}
}

const lateMetadata = `
	0    RunStarted run=01 program="btda 1.0" setting.threshold=0.98 setting.revisit=5m0s
	0    TorrentAdded torrent=1 info-hash=aa magnet=true
	1    TrackerAnnounced torrent=1 tracker=http://tracker.example/announce peers=[9.2.3.4:6881 9.2.3.5:6881]
	1.5  SessionOpened session=1 contact=1 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.4:6881 peer-id=-TR3000-aaaaaaaaaaaa
	2    BitfieldReceived session=1 bitfield=11111110
	9    HaveReceived session=1 piece=7
	10   MetadataReceived torrent=1 metadata.piece-count=8 metadata.piece-length=1024 metadata.name=a
	11   SessionClosed session=1 by=us reason=complete
	12   RunStopped reason=interrupted`

// Metadata that comes behind the messages that it gives meaning to makes a download of them, also in a file that had none.
func TestFollowerIsToldOfMetadataLate(t *testing.T) {
	f := startFollowing(t, fromText(t, lateMetadata))
	f.append(6)
	follower := f.follower()
	reached, goOn := make(chan events.Seq, 100), make(chan struct{})
	follower.Advanced = func(at Position) {
		if reached <- at.Last; at.Last >= 6 {
			<-goOn
		}
	}
	done := make(chan error, 1)
	var result Result
	go func() {
		var err error
		result, err = follower.Run(t.Context())
		done <- err
	}()
	for <-reached < 6 {
	}
	if got := queryColumn(t, f.file, "SELECT count(*) FROM download"); got[0] != "0" {
		t.Errorf("%s downloads before the metadata", got[0])
	}
	f.append(100)
	f.seal()
	close(goOn) // which folds again when the log is closed
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := queryColumn(t, f.file, "SELECT count(*) FROM download"); got[0] != "1" {
		t.Errorf("%s downloads, want one", got[0])
	}
	if run := result.Runs[0]; run.Last != 9 || run.Ending != Sealed {
		t.Errorf("followed up to %d, %s; want 9, sealed", run.Last, run.Ending)
	}
	f.wantReplayed()
}

// A replay in one go is the same as following in random slices with followers that are stopped or killed anywhere, and each of them left
// what a replay up to its position gives. The seed of a failure is in its name.
func TestFollowingInSlicesIsReplayingInOneGo(t *testing.T) {
	for i := range 4 {
		seed := rand.Uint64N(1 << 40)
		all := randomRun(600, seed)
		if i%2 == 1 {
			all = syntheticRun(3000, seed)
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { testSlices(t, all, rand.New(rand.NewPCG(seed, 6))) })
	}
}

func testSlices(t *testing.T, all iter.Seq2[events.Time, events.Event], random *rand.Rand) {
	f := startFollowing(t, all)
	var left []string // by followers that were stopped or killed
	for more := true; more; {
		end, most := f.followUntilStopped, 30*time.Millisecond
		if random.IntN(3) == 0 {
			end, most = f.followUntilKilled, 150*time.Millisecond // a process takes a while to begin
		}
		ended := end(time.Duration(random.Int64N(int64(most))))
		for range random.IntN(4) {
			more = f.append(1+random.IntN(200)) && more
		}
		<-ended
		if _, err := os.Stat(f.file); err == nil {
			left = append(left, f.keepCopy(len(left)))
		}
	}
	f.seal()
	f.finish()
	f.wantReplayed()
	for i, path := range left {
		if len(left) <= 5 || i%(len(left)/5) == 0 {
			f.wantReplayedTo(path)
		}
	}
}

// followUntilStopped starts a follower that is stopped after a while. The channel is closed when it ended.
func (f *following) followUntilStopped(after time.Duration) <-chan struct{} {
	ctx, stop := context.WithTimeout(f.t.Context(), after)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer stop()
		if _, err := f.follower().Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			f.t.Errorf("a follower ended with %v, want that it was stopped", err)
		}
	}()
	return ended
}

// followUntilKilled starts a process that follows through an endpoint, and kills it after a while. The channel is closed when it ended.
func (f *following) followUntilKilled(after time.Duration) <-chan struct{} {
	f.t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFollow+"="+f.offer(), childOutput+"="+f.file)
	var said strings.Builder
	child.Stderr = &said
	if err := child.Start(); err != nil {
		f.t.Fatal(err)
	}
	ended := make(chan struct{})
	timer := time.AfterFunc(after, func() { _ = child.Process.Kill() })
	go func() {
		defer close(ended)
		defer timer.Stop()
		if err := child.Wait(); err == nil || said.Len() > 0 {
			f.t.Errorf("a follower ended with %v, %s; want that it was killed", err, said.String())
		}
	}()
	return ended
}

// offer offers the log at an endpoint until it is sealed, and gives the path of its socket.
func (f *following) offer() string {
	f.t.Helper()
	if f.endpoint != nil {
		return f.socket
	}
	folder, err := os.MkdirTemp("", "btda") // a path that is short enough for a socket
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { os.RemoveAll(folder) })
	f.socket = filepath.Join(folder, "s")
	if f.endpoint, err = eventlog.Offer(f.log, f.socket); err != nil {
		f.t.Fatal(err)
	}
	return f.socket
}

// followInChild follows the log at an endpoint without pauses, until it is killed.
func followInChild(output, socket string) error {
	remote, err := eventlog.Dial(context.Background(), socket)
	if err != nil {
		return err
	}
	defer remote.Close()
	o := DefaultOptions()
	o.Output = output
	_, err = (&Follower{Tail: remote, Options: o, Interval: time.Nanosecond}).Run(context.Background())
	return err
}

// keepCopy copies the file, and what a follower that was killed left beside it.
func (f *following) keepCopy(number int) string {
	f.t.Helper()
	path := filepath.Join(filepath.Dir(f.file), fmt.Sprintf("%d.sqlite", number))
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(f.file + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, os.WriteFile(path+suffix, data, 0o600)); err != nil {
			f.t.Fatal(err)
		}
	}
	return path
}

// wantReplayedTo holds what a follower left against a replay up to its position.
func (f *following) wantReplayedTo(path string) {
	f.t.Helper()
	if made := queryColumn(f.t, path, "SELECT name FROM sqlite_schema"); len(made) == 0 {
		return // stopped before anything was written
	}
	last := queryColumn(f.t, path, "SELECT value FROM provenance WHERE name = 'log.1.last_sequence'")
	if len(last) == 0 {
		return // stopped before the first transaction
	}
	o := optionsFor(f.folder)
	o.Output = filepath.Join(f.t.TempDir(), "fresh.sqlite")
	var err error
	if o.Until, err = ParseUntil(last[0]); err != nil {
		f.t.Fatal(err)
	}
	replayLogs(f.t, o)
	if d, lines := compareFiles(f.t, path, o.Output); !d.SameRows() {
		f.t.Errorf("at %s a follower left other rows than a replay:\n%s", last[0], strings.Join(lines, "\n"))
	}
}

// A file is kept for one log and with the same options; others are refused and stay as they are.
func TestFollowerRefusesAFileOfOthers(t *testing.T) {
	f := startFollowing(t, fromText(t, lateMetadata))
	f.append(100)
	f.seal()
	other := recordLog(t, fromText(t, strings.Replace(oneDownload, "run=01", "run=02", 1)))
	o := optionsFor(other)
	o.Output = f.file
	replayLogs(t, o)
	if _, err := f.followFolder(); err == nil || !strings.Contains(err.Error(), "log.1.run") {
		t.Errorf("a file of another log: error %v", err)
	}
	o.Logs = []string{f.folder}
	o.Projections.WithAddresses = true
	_, before := replayLogs(t, o)
	if _, err := f.followFolder(); err == nil || !strings.Contains(err.Error(), `option.with_addresses is "true" and not "false"`) {
		t.Errorf("a file of other options: error %v", err)
	}
	if after := queryColumn(t, f.file, "SELECT count(*) FROM provenance WHERE name = 'option.with_addresses' AND value = 'true'"); after[0] != "1" || len(before) == 0 {
		t.Error("the file was changed")
	}
}
