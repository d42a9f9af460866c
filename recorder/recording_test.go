package recorder_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/input"
	"btda/recorder"
)

var errClosed = errors.New("the log is closed")

// memoryLog is a log in memory.
type memoryLog struct {
	*eventstest.Log
	failed chan struct{}
}

func newMemoryLog() *memoryLog {
	return &memoryLog{Log: eventstest.NewLog(), failed: make(chan struct{})}
}

func (l *memoryLog) Appended() events.Seq           { return events.Seq(len(l.Records())) }
func (l *memoryLog) Durable() events.Seq            { return l.Appended() }
func (l *memoryLog) Waits() (uint64, time.Duration) { return 0, 0 }
func (l *memoryLog) Failed() <-chan struct{}        { return l.failed }
func (l *memoryLog) Err() error                     { return nil }
func (l *memoryLog) Close() error                   { l.Fail(errClosed); return nil }

// recording is a recorder at work.
type recording struct {
	*recorder.Recorder
	t         testing.TB
	log       *eventstest.Log // what was appended, though in the log itself goroutines may have been in another order
	interrupt context.CancelCauseFunc
	hurry     func()
	result    chan error
	err       error

	mu      sync.Mutex
	waiting []string // what the recording said that it waits for
}

func testSettings() recorder.Settings {
	s := recorder.DefaultSettings()
	s.Resolve()
	s.Timeout, s.Revisit, s.TrackerInterval, s.StatisticInterval = testPatient/2, 3*time.Second, time.Minute, time.Minute
	s.DialRate, s.Events, s.NoUTP = 10_000, "somewhere.events", true // a socket would stop the time in bubbles
	return s
}

func testTorrent(trackers ...string) input.Torrent {
	return input.Torrent{
		InfoHash: testHash, Path: "a.torrent", DisplayName: "a", Tiers: []events.TrackerTier{trackers}, MetadataKnown: true,
		Metadata: events.Metadata{Name: "a", PieceCount: testPieces, PieceLength: 1 << 14, TotalLength: testPieces << 14, FileCount: 1},
	}
}

// record starts a recording, which is stopped at the end of the test if not before.
func record(t testing.TB, settings recorder.Settings, torrents ...input.Torrent) *recording {
	t.Helper()
	log := newMemoryLog()
	return recordTo(t, log.Log, func(string) (recorder.Log, error) { return log, nil }, settings, torrents...)
}

// recordTo starts a recording into a log, whose events are also in seen.
func recordTo(t testing.TB, seen *eventstest.Log, create func(string) (recorder.Log, error), settings recorder.Settings, torrents ...input.Torrent) *recording {
	t.Helper()
	return recordWith(t, recorder.Deps{CreateLog: create}, seen, settings, torrents...)
}

// recordWith starts a recording as recordTo does, with what it takes from outside.
func recordWith(t testing.TB, deps recorder.Deps, seen *eventstest.Log, settings recorder.Settings, torrents ...input.Torrent) *recording {
	t.Helper()
	r := &recording{t: t, log: seen, result: make(chan error, 1)}
	hurry := make(chan struct{})
	r.hurry = sync.OnceFunc(func() { close(hurry) })
	deps.Hurry, deps.Waiting = hurry, r.waits
	var err error
	if r.Recorder, err = recorder.New(settings, torrents, deps); err != nil {
		t.Fatal(err)
	}
	r.run()
	return r
}

func (r *recording) run() {
	ctx, cancel := context.WithCancelCause(context.Background())
	r.interrupt = cancel
	go func() { r.result <- r.Run(ctx); close(r.result) }()
	r.t.Cleanup(func() { cancel(nil); r.hurry(); <-r.result })
}

func (r *recording) waits(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, what)
}

// waitedFor is all that the recording said that it waits for.
func (r *recording) waitedFor() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting
}

// await waits until the log has at least n events of a kind.
func (r *recording) await(kind events.Kind, n int) {
	r.t.Helper()
	r.awaitThat(eventstest.Has(kind, n))
}

// awaitThat waits until a condition holds for the events so far.
func (r *recording) awaitThat(holds func([]events.Record) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), testPatient)
	defer cancel()
	if err := r.log.Wait(ctx, holds); err != nil {
		r.t.Fatal(err)
	}
}

// stop ends the recording and gives how long that took.
func (r *recording) stop(cause error) time.Duration {
	r.t.Helper()
	began := time.Now()
	r.interrupt(cause)
	return r.ended(began)
}

func (r *recording) ended(began time.Time) time.Duration {
	r.t.Helper()
	select {
	case r.err = <-r.result:
		return time.Since(began)
	case <-time.After(testPatient):
		r.t.Fatalf("the recording has not ended after %v; it waits for %q", testPatient, r.waitedFor())
		return 0
	}
}

// awaitAdvice gives the next line that the user is told.
func awaitAdvice(t testing.TB, advice <-chan string) string {
	t.Helper()
	select {
	case said := <-advice:
		return said
	case <-time.After(testPatient):
		t.Fatal("the user is told nothing")
		return ""
	}
}

// of gives the events of a type, in their order.
func of[E events.Event](records []events.Record) []E {
	var list []E
	for _, r := range records {
		if e, ok := r.Event.(E); ok {
			list = append(list, e)
		}
	}
	return list
}

// checkEnds checks the first and last events of a whole log, and that every session was closed.
func checkEnds(t testing.TB, records []events.Record, reason events.Reason) {
	t.Helper()
	if _, ok := records[0].Event.(*events.RunStarted); !ok {
		t.Errorf("the first event is %v, want RunStarted", records[0].Event.Kind())
	}
	last, ok := records[len(records)-1].Event.(*events.RunStopped)
	if !ok || last.Reason != reason {
		t.Errorf("the last event is %v %+v, want RunStopped because of %v", records[len(records)-1].Event.Kind(), last, reason)
	}
	if n := len(of[*events.RunStopped](records)); n != 1 {
		t.Errorf("%d RunStopped, want one", n)
	}
	if len(records) < 2 || records[len(records)-2].Event.Kind() != events.KindStatisticSampled {
		t.Error("no statistic before the end")
	}
	checkClosed(t, records)
}

func checkClosed(t testing.TB, records []events.Record) {
	t.Helper()
	open := make(map[events.SessionNumber]bool)
	for _, e := range of[*events.SessionOpened](records) {
		open[e.Session] = true
	}
	for _, e := range of[*events.SessionClosed](records) {
		delete(open, e.Session)
	}
	if len(open) > 0 {
		t.Errorf("%d sessions are not closed", len(open))
	}
}

func addressesOf(peers ...*testPeer) []netip.AddrPort {
	var list []netip.AddrPort
	for _, p := range peers {
		list = append(list, p.addr())
	}
	return list
}
