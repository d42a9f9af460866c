package eventlog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"btda/events"
)

// failingDisk gives errors from an operation on.
type failingDisk struct {
	kinds map[errorfs.OpKind]bool
	err   error
	once  bool         // only this operation fails
	left  atomic.Int64 // operations of these kinds until then
}

// MaybeError counts down.
func (d *failingDisk) MaybeError(op errorfs.Op) error {
	if !d.kinds[op.Kind] {
		return nil
	}
	if left := d.left.Add(-1); left == 0 || left < 0 && !d.once {
		return d.err
	}
	return nil
}

// String names the injector.
func (d *failingDisk) String() string { return "failing disk" }

var (
	writes = map[errorfs.OpKind]bool{
		errorfs.OpFileWrite: true, errorfs.OpFileWriteAt: true, errorfs.OpCreate: true, errorfs.OpReuseForWrite: true,
	}
	syncs = map[errorfs.OpKind]bool{errorfs.OpFileSync: true, errorfs.OpFileSyncData: true, errorfs.OpFileSyncTo: true}
	names = map[errorfs.OpKind]bool{errorfs.OpCreate: true, errorfs.OpRename: true, errorfs.OpReuseForWrite: true, errorfs.OpFileClose: true}
)

// TestDiskFailure lets writing fail at many moments: the recording stops with the reason, nobody keeps waiting, and what
// was acknowledged is there in a log that opens.
func TestDiskFailure(t *testing.T) {
	if !inChild(t) {
		return
	}
	recordings := 40
	if testing.Short() {
		recordings = 12
	}
	for _, scene := range []struct {
		name   string
		kinds  map[errorfs.OpKind]bool
		err    error
		once   bool
		within int64 // so many operations
	}{
		{"full disk", writes, syscall.ENOSPC, false, 40},
		{"one failed sync", syncs, syscall.EIO, true, 40},
		{"failed syncs", syncs, syscall.EIO, false, 40},
		{"one failed file", names, syscall.EIO, true, 6},
	} {
		t.Run(scene.name, func(t *testing.T) {
			failed := 0
			for range recordings {
				seed := rand.Uint64()
				ok, err := failOnce(&failingDisk{kinds: scene.kinds, err: scene.err, once: scene.once}, scene.within, seed)
				if err != nil {
					t.Fatalf("seed %#x: %v", seed, err)
				}
				if ok {
					failed++
				}
			}
			if t.Logf("%d of %d recordings failed", failed, recordings); failed < recordings/4 {
				t.Error("too few to show anything")
			}
		})
	}
}

// failOnce records on a disk that fails at some time, and reports whether it did before the end.
func failOnce(d *failingDisk, within int64, seed uint64) (bool, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	disk := vfs.NewCrashableMem()
	d.left.Store(1 << 40)
	l, err := Create("/log", Options{
		FS: errorfs.Wrap(disk, d), BlockEvents: 1 + rng.IntN(50), BlockBytes: 4096, SyncEvents: 1 + rng.IntN(100),
		SyncInterval: time.Millisecond, memTable: 64 << 10,
	})
	if err != nil {
		return false, err
	}
	d.left.Store(1 + rng.Int64N(within))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	waiting := make(chan error, 1)
	go func() { waiting <- l.WaitDurable(ctx, 1<<40) }()
	recorded := record(l, 4, 2000)
	closed, released := l.Close(), <-waiting
	if closed == nil || recorded == nil { // all was durable, or it was not yet sure that it would be
		err = errors.Join(recorded, ifNot(released, ErrClosed, d.err))
	} else {
		err = errors.Join(failedBecause(d.err, recorded), failedBecause(d.err, released))
	}
	if closed == nil || err != nil {
		return false, err
	}
	if err := errors.Join(failedBecause(d.err, l.Err()), failedBecause(d.err, closed)); err != nil {
		return false, err
	}
	if _, err := l.Append(ctx, 0, &events.HaveNoneReceived{}); !errors.Is(err, d.err) {
		return false, fmt.Errorf("a later append gave %w", err)
	}
	<-l.Failed()
	return true, keeps(disk, l.Durable(), rng)
}

// ifNot wants an error to be one of those that are expected.
func ifNot(err error, expected ...error) error {
	for _, e := range expected {
		if errors.Is(err, e) {
			return nil
		}
	}
	return fmt.Errorf("unexpected: %w", err)
}

// failedBecause wants an error that names the reason and the folder.
func failedBecause(reason, err error) error {
	if err == nil || !errors.Is(err, reason) || !strings.Contains(err.Error(), "recording to /log stopped") {
		return fmt.Errorf("not told well: %w", err)
	}
	return nil
}

// keeps checks what is on the disk: with and without what was not synced.
func keeps(disk *vfs.MemFS, acknowledged events.Seq, rng *rand.Rand) error {
	for _, percent := range []int{0, 50, 100} {
		left := crash{created: true, acknowledged: acknowledged}
		left.fs = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
		if err := left.check(); err != nil {
			return fmt.Errorf("%d %% of what was not synced, %d acknowledged: %w", percent, acknowledged, err)
		}
	}
	return nil
}

// TestCreateOnFailingDisk lets each operation of Create fail: it gives the error, or a log that works.
func TestCreateOnFailingDisk(t *testing.T) {
	if !inChild(t) {
		return
	}
	all := map[errorfs.OpKind]bool{errorfs.OpMkdirAll: true, errorfs.OpLock: true}
	for _, kinds := range []map[errorfs.OpKind]bool{writes, syncs, names} {
		for k := range kinds {
			all[k] = true
		}
	}
	failed := 0
	for n := int64(1); n < 60; n++ {
		d := &failingDisk{kinds: all, err: syscall.ENOSPC, once: true}
		d.left.Store(n)
		l, err := Create("/log", Options{FS: errorfs.Wrap(vfs.NewMem(), d)})
		if err != nil {
			failed++
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("operation %d: %v", n, err)
			}
			continue
		}
		l.Close()
	}
	if failed < 10 {
		t.Errorf("only %d operations failed", failed)
	}
}

// staleDisk lists, while stale, a write-ahead log that is there no more.
type staleDisk struct {
	vfs.FS
	stale atomic.Bool
}

// List adds it.
func (d *staleDisk) List(dir string) ([]string, error) {
	names, err := d.FS.List(dir)
	if d.stale.Load() {
		names = append(names, "999999.log")
	}
	return names, err
}

// Pebble removes files in a goroutine of its own, also while the log is being closed.
func TestCloseWhileFilesAreRemoved(t *testing.T) {
	disk := &staleDisk{FS: vfs.NewMem()}
	l := start(t, "run", Options{FS: disk})
	must(t, l, have(1))
	disk.stale.Store(true)
	closed(t, l)
	disk.stale.Store(false)
	r := openLog(t, "run", Options{FS: disk})
	defer closed(t, r)
	if _, sealed := r.Sealed(); !sealed {
		t.Error("the log is not sealed")
	}
}
