package recorder_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/recorder"
)

// duplicates counts the connections in a direction that failed because there was one already.
func duplicates(records []events.Record, d events.Direction) (n int) {
	for _, e := range of[*events.ConnectionFailed](records) {
		if e.Direction == d && e.Reason == events.ReasonDuplicate {
			n++
		}
	}
	return n
}

// directions are those of the sessions, in their order.
func directions(records []events.Record) (list []events.Direction) {
	for _, e := range of[*events.SessionOpened](records) {
		list = append(list, e.Direction)
	}
	return list
}

// meetBoth starts a recording and a peer that listens, which the tracker names once it is released.
func meetBoth(t *testing.T) (r *recording, settings recorder.Settings, peer *testPeer, release func()) {
	t.Helper()
	peer = startPeer(t, idle)
	gate := make(chan struct{})
	tracker := startTracker(t, &testTracker{peers: addressesOf(peer), gate: gate})
	settings = passiveSettings(t)
	settings.Timeout, settings.Revisit = testPatient, 100*time.Millisecond
	r = record(t, settings, testTorrent(tracker.url()))
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	r.await(events.KindTorrentAdded, 1)
	return r, settings, peer, release
}

func TestThePeerThatWeDialledFirstIsADuplicateWhenItConnects(t *testing.T) {
	r, settings, peer, release := meetBoth(t)
	release()
	r.await(events.KindBitfieldReceived, 1)
	c := call(t, settings, "127.0.0.1", string(peer.id[:]))
	c.shake(testHash)
	c.untilClosed()
	r.await(events.KindConnectionFailed, 1)
	r.stop(nil)
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	failed := of[*events.ConnectionFailed](records)[0]
	if failed.Direction != events.Incoming || failed.Reason != events.ReasonDuplicate || failed.Torrent != 1 || events.PeerID(failed.PeerID) != peer.id {
		t.Errorf("recorded %+v, want the incoming connection as a duplicate", failed)
	}
	if got := directions(records); len(got) != 1 || got[0] != events.Outgoing {
		t.Errorf("sessions %v, want the outgoing one", got)
	}
}

func TestAPeerThatConnectedFirstAndSaysItsPortIsNotDialled(t *testing.T) {
	r, settings, peer, release := meetBoth(t)
	c := call(t, settings, "127.0.0.1", string(peer.id[:]))
	c.shake(testHash)
	c.say(frame(events.Bitfield, 0xf0, 0), listensOn(peer.addr().Port()))
	r.await(events.KindExtensionHandshakeReceived, 1)
	eventually(t, "the peer is met", func() bool { return r.Snapshot().Total.Met == 1 })
	release()
	r.await(events.KindTrackerAnnounced, 1)
	c.say(have(9))
	r.await(events.KindHaveReceived, 1)
	if peer.visits() > 0 || r.Snapshot().Total.Met != 1 {
		t.Errorf("%d visits, counts %+v: want no visit while the peer is here", peer.visits(), r.Snapshot().Total)
	}
	c.Close()
	r.await(events.KindBitfieldReceived, 2)
	r.stop(nil)
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	if got := directions(records); len(got) != 2 || got[0] != events.Incoming || got[1] != events.Outgoing {
		t.Errorf("sessions %v, want an outgoing one after the incoming one", got)
	}
}

func TestAPeerThatConnectedFirstIsDialledOnceAtMostWhileItIsHere(t *testing.T) {
	r, settings, peer, release := meetBoth(t)
	c := call(t, settings, "127.0.0.1", string(peer.id[:]))
	c.shake(testHash)
	c.say(frame(events.Bitfield, 0xf0, 0))
	r.await(events.KindBitfieldReceived, 1)
	release()
	r.await(events.KindConnectionFailed, 1)
	eventually(t, "the peer is met", func() bool { return r.Snapshot().Total.Met == 1 })
	c.Close()
	r.await(events.KindBitfieldReceived, 2)
	r.stop(nil)
	records := r.log.Records()
	if in, out := duplicates(records, events.Incoming), duplicates(records, events.Outgoing); in != 0 || out != 1 {
		t.Errorf("%d incoming and %d outgoing duplicates, want one outgoing", in, out)
	}
	checkOneSessionAtATime(t, records)
}

// Some clients draw a peer id for every connection: then the port tells.
func TestAPeerWithTwoPeerIDsIsKnownByItsPort(t *testing.T) {
	for id, want := range map[string]events.Reason{"-XX0001-another": events.ReasonDuplicate, "-YY0001-neighbour": events.ReasonStopping} {
		t.Run(id, func(t *testing.T) {
			r, settings, peer, release := meetBoth(t)
			release()
			r.await(events.KindBitfieldReceived, 1)
			c := call(t, settings, "127.0.0.1", id)
			c.shake(testHash)
			c.say(listensOn(peer.addr().Port()))
			r.await(events.KindExtensionHandshakeReceived, 1)
			if want == events.ReasonDuplicate {
				c.untilClosed()
				r.await(events.KindSessionClosed, 1)
			}
			r.stop(nil)
			incoming := of[*events.SessionOpened](r.log.Records())[1].Session
			for _, e := range of[*events.SessionClosed](r.log.Records()) {
				if e.Session == incoming && (e.By != events.Us || e.Reason != want) {
					t.Errorf("closed %+v, want because of %v", e, want)
				}
			}
		})
	}
}

// All peers dial and are dialled at one time. Of the two connections with each one becomes a session and the other a fact.
func TestBothSidesDialAtOnce(t *testing.T) {
	const count = 100
	gate := make(chan struct{})
	tracker := &testTracker{gate: gate}
	var peers []*testPeer
	for n := range count {
		peers = append(peers, startPeerAt(t, fmt.Sprintf("127.0.9.%d:0", n+1), idle))
	}
	tracker.peers = addressesOf(peers...)
	startTracker(t, tracker)
	settings := passiveSettings(t)
	settings.Timeout, settings.Revisit = testPatient, time.Hour
	r := record(t, settings, testTorrent(tracker.url()))
	r.await(events.KindTorrentAdded, 1)

	var callers []caller
	for _, p := range peers {
		callers = append(callers, call(t, settings, p.addr().Addr().String(), string(p.id[:])))
	}
	close(gate)
	var calling sync.WaitGroup
	defer calling.Wait()
	for _, c := range callers {
		calling.Go(func() { c.shake(testHash); c.Write(frame(events.Bitfield, 0xf0, 0)); c.untilClosed() })
	}
	r.await(events.KindConnectionFailed, count)
	r.await(events.KindSessionOpened, count)
	if took := r.stop(nil); r.err != nil || took > 5*time.Second {
		t.Errorf("ended after %v with %v", took, r.err)
	}
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	checkOneSessionAtATime(t, records)
	in, out := duplicates(records, events.Incoming), duplicates(records, events.Outgoing)
	if opened := len(directions(records)); in+out != count || opened != count {
		t.Errorf("%d incoming and %d outgoing duplicates, %d sessions; want %d in all, and as many sessions", in, out, opened, count)
	}
	t.Logf("%d incoming and %d outgoing duplicates", in, out)
}
