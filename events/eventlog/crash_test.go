package eventlog

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"btda/events"
)

// crash is a disk as a crash may have left it.
type crash struct {
	fs           *vfs.MemFS
	created      bool       // Create had returned
	acknowledged events.Seq // what the log had said before
}

// crasher takes copies of a disk at random operations on it.
type crasher struct {
	disk    *vfs.MemFS
	log     atomic.Pointer[Log]
	mu      sync.Mutex
	rng     *rand.Rand
	crashes []crash
}

// MaybeError never gives an error.
func (c *crasher) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rng.IntN(8) == 0 {
		c.take()
	}
	return nil
}

func (c *crasher) take() {
	var now crash
	if l := c.log.Load(); l != nil {
		now.created, now.acknowledged = true, l.Durable()
	}
	rng := rand.New(rand.NewPCG(c.rng.Uint64(), 0))
	now.fs = c.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 20, 50, 80, 100}[c.rng.IntN(5)], RNG: rng})
	c.crashes = append(c.crashes, now)
}

// String names the injector.
func (c *crasher) String() string { return "crasher" }

// TestCrash lets the disk crash at many moments, with any part of what was not synced: what was acknowledged is
// there, without a hole, and the log opens as it is.
func TestCrash(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	for range rounds {
		seed := rand.Uint64()
		crashes := crashRun(t, seed)
		for i, c := range crashes {
			if err := c.check(); err != nil {
				t.Errorf("seed %#x, crash %d of %d, %d events acknowledged: %v", seed, i, len(crashes), c.acknowledged, err)
			}
		}
		t.Logf("seed %#x: %d crashes", seed, len(crashes))
	}
}

// crashRun records a short run while the disk is copied.
func crashRun(t *testing.T, seed uint64) []crash {
	c := &crasher{disk: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(seed, 1))}
	chance := rand.New(rand.NewPCG(seed, 2))
	l, err := Create("/log", Options{
		FS:           errorfs.Wrap(c.disk, c),
		BlockEvents:  1 + chance.IntN(50),
		SyncEvents:   1 + chance.IntN(500),
		SyncInterval: time.Duration(1+chance.IntN(3000)) * time.Microsecond,
		memTable:     32 << 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.log.Store(l)
	if err := record(l, 4, 2000); err != nil {
		t.Fatalf("seed %#x: %v", seed, err)
	}
	if err := l.Close(); err != nil {
		t.Fatalf("seed %#x: %v", seed, err)
	}
	c.take()
	return c.crashes
}

// record appends a RunStarted, and then so many haves from each of so many goroutines, and a torrent now and then.
func record(l *Log, producers events.SessionNumber, each int) error {
	ctx := context.Background()
	if _, err := l.Append(ctx, l.Now(), &events.RunStarted{Run: testRun}); err != nil {
		return err
	}
	failed := make(chan error, producers)
	for p := range producers {
		go func() { failed <- recordHaves(l, p+1, each) }()
	}
	var err error
	for range producers {
		err = errors.Join(err, <-failed)
	}
	return err
}

func recordHaves(l *Log, session events.SessionNumber, n int) error {
	for i := range n {
		var e events.Event = &events.HaveReceived{Session: session, Piece: events.PieceIndex(i)}
		if i%100 == 99 {
			e = &events.TorrentAdded{Torrent: events.TorrentNumber(i)}
		}
		if _, err := l.Append(context.Background(), l.Now(), e); err != nil {
			return err
		}
	}
	return nil
}

// check opens what the crash left.
func (c crash) check() error {
	v, err := Verify("/log", Options{FS: c.fs})
	if err != nil && !c.created {
		return nil // there was no log yet
	}
	if err != nil {
		return err
	}
	if v.Last < c.acknowledged {
		return errors.New(v.String())
	}
	r, err := Open("/log", Options{FS: c.fs})
	if err != nil {
		return err
	}
	defer r.Close()
	return checkHaves(r, v.Last)
}

// checkHaves wants the records that record appended, as far as they are there.
func checkHaves(r *Reader, last events.Seq) error {
	s := r.Scan(1)
	defer s.Close()
	var count events.Seq
	next := map[events.SessionNumber]events.PieceIndex{}
	for s.Next() {
		if count++; s.Record().Seq != count {
			return errors.New("a hole")
		}
		h, ok := s.Record().Event.(*events.HaveReceived)
		if !ok {
			continue
		}
		if want := next[h.Session]; h.Piece != want && (want%100 != 99 || h.Piece != want+1) {
			return errors.New("a have is missing")
		}
		next[h.Session] = h.Piece + 1
	}
	if s.Err() == nil && count != last {
		return errors.New("a scan ends elsewhere than a verification")
	}
	return s.Err()
}
