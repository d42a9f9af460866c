package recorder_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
	"btda/recorder"
	"btda/recorder/swarm"
)

func TestAHangingTrackerAndASilentPeerDoNotHoldTheEndUp(t *testing.T) {
	silent := startPeer(t, nil)
	peers := addressesOf(silent, startPeer(t, idle))
	hanging := startTracker(t, &testTracker{peers: peers, hang: events.AnnounceStopped})
	answering := startTracker(t, &testTracker{})
	settings := testSettings()
	settings.Timeout = 2 * time.Second
	r := record(t, settings, testTorrent(hanging.url(), answering.url()))
	r.await(events.KindBitfieldReceived, 1)
	r.await(events.KindTrackerAnnounced, 2)
	if took := r.stop(nil); r.err != nil || took > settings.Timeout+2*time.Second {
		t.Errorf("ended after %v with %v, want no error within the timeout plus 2 s", took, r.err)
	}
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	if got := strings.Join(r.waitedFor(), "; "); !strings.Contains(got, "to hear that we leave") {
		t.Errorf("waited for %q, want the tracker named", got)
	}
	if got := answering.events(); got[len(got)-1] != "stopped" {
		t.Errorf("the tracker that answers was told %q, want stopped last", got)
	}
	failed := of[*events.TrackerAnnounceFailed](records)
	if len(failed) != 1 || failed[0].Event != events.AnnounceStopped || failed[0].Reason != events.ReasonTimeout {
		t.Errorf("failed announces %+v, want stopped with a timeout", failed)
	}
}

func TestASecondInterruptEndsAtOnce(t *testing.T) {
	settings := diskSettings(t)
	settings.Timeout = time.Minute
	hanging := startTracker(t, &testTracker{peers: addressesOf(startPeer(t, nil), startPeer(t, idle)), hang: events.AnnounceStopped})
	r, log := recordToDisk(t, eventlog.Options{}, settings, testTorrent(hanging.url()))
	r.await(events.KindBitfieldReceived, 1)
	r.interrupt(nil)
	time.AfterFunc(200*time.Millisecond, r.hurry)
	if took := r.ended(time.Now()); r.err != nil || took > settings.Timeout/4 {
		t.Errorf("ended after %v with %v, want no error and at once", took, r.err)
	}
	records, sealed := scan(t, r.Events(), eventlog.Options{})
	if appended := len(r.log.Records()); !sealed || len(records) != appended || log.Durable() != events.Seq(appended) {
		t.Errorf("sealed %v; %d events scanned, %d appended, %d durable: want all equal", sealed, len(records), appended, log.Durable())
	}
	if last := records[len(records)-1].Event; last.Kind() != events.KindRunStopped {
		t.Errorf("the last event is %v, want RunStopped", last.Kind())
	}
}

func TestAHurryWithoutAnInterruptEndsAtOnce(t *testing.T) {
	hanging := startTracker(t, &testTracker{hang: events.AnnounceStarted})
	settings := testSettings()
	settings.Timeout = time.Minute
	r := record(t, settings, testTorrent(hanging.url()))
	r.await(events.KindTorrentAdded, 1)
	r.hurry()
	if took := r.ended(time.Now()); r.err != nil || took > settings.Timeout/4 {
		t.Errorf("ended after %v with %v, want no error and at once", took, r.err)
	}
	records := r.log.Records()
	if last := records[len(records)-1].Event; last.Kind() != events.KindRunStopped {
		t.Errorf("the last event is %v, want RunStopped", last.Kind())
	}
}

func TestFiveHundredPeers(t *testing.T) {
	const count = 500
	scripts := []func(net.Conn){seed, leech, idle, hangUp}
	var peers []*testPeer
	for n := range count {
		peers = append(peers, startPeer(t, scripts[n%len(scripts)]))
	}
	tracker := startTracker(t, &testTracker{peers: addressesOf(peers...)})
	settings := testSettings()
	r := record(t, settings, testTorrent(tracker.url()))
	r.await(events.KindBitfieldReceived, count)
	r.await(events.KindHaveReceived, count/4*15)
	r.awaitThat(func(records []events.Record) bool { return completed(records) >= count/2 })
	if took := r.stop(nil); r.err != nil || took > settings.Timeout+2*time.Second {
		t.Errorf("ended after %v with %v, want no error within the timeout plus 2 s", took, r.err)
	}
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	checkOneContactAtATime(t, records)
	sessions := sessionsByPeer(records) // not the visits that peers had: on a busy machine strangers come by
	for n, p := range peers {
		if got := sessions[p.addr()]; n%len(scripts) < 3 && got != 1 || got == 0 {
			t.Errorf("peer %d had %d sessions", n, got)
		}
	}
}

func sessionsByPeer(records []events.Record) map[netip.AddrPort]int {
	sessions := make(map[netip.AddrPort]int)
	for _, e := range of[*events.SessionOpened](records) {
		sessions[e.Address.AddrPort]++
	}
	return sessions
}

// completed counts the sessions that ended because the peer reached the threshold.
func completed(records []events.Record) (n int) {
	for _, e := range of[*events.SessionClosed](records) {
		if e.Reason == events.ReasonComplete {
			n++
		}
	}
	return n
}

// checkOneContactAtATime checks that no peer had two sessions at once, and none after it was complete.
func checkOneContactAtATime(t *testing.T, records []events.Record) {
	t.Helper()
	open := make(map[events.SessionNumber]netip.AddrPort)
	active, complete := make(map[netip.AddrPort]bool), make(map[netip.AddrPort]bool)
	for _, r := range records {
		switch e := r.Event.(type) {
		case *events.SessionOpened:
			a := e.Address.AddrPort
			if active[a] || complete[a] {
				t.Errorf("session %d with %v, which has one (%v) or is complete (%v)", e.Session, a, active[a], complete[a])
			}
			open[e.Session], active[a] = a, true
		case *events.SessionClosed:
			a := open[e.Session]
			delete(active, a)
			complete[a] = complete[a] || e.Reason == events.ReasonComplete
		}
	}
}

func TestASnapshotOfARunThatDidNotBeginIsEmpty(t *testing.T) {
	log := newMemoryLog()
	log.Fail(errClosed)
	r := recordTo(t, log.Log, func(string) (recorder.Log, error) { return log, nil }, testSettings(), testTorrent())
	r.ended(time.Now())
	if !errors.Is(r.err, errClosed) {
		t.Errorf("error %v, want %v", r.err, errClosed)
	}
	shown := make(chan recorder.Snapshot, 1)
	go func() { shown <- r.Snapshot() }()
	select {
	case s := <-shown:
		if s.Appended != 0 || s.Total != (swarm.Counts{}) {
			t.Errorf("snapshot %+v, want it empty", s)
		}
	case <-time.After(testPatient):
		t.Error("the snapshot waits for a dispatcher that never ran")
	}
}
