package recorder_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"btda/events"
	"btda/recorder"
)

// refusals are the incoming connections that failed, by reason.
func refusals(records []events.Record, reason events.Reason) (list []*events.ConnectionFailed) {
	for _, e := range of[*events.ConnectionFailed](records) {
		if e.Direction == events.Incoming && e.Reason == reason {
			list = append(list, e)
		}
	}
	return list
}

func TestPeersThatConnectAreObserved(t *testing.T) {
	tracker := startTracker(t, &testTracker{peers: addressesOf(startPeer(t, idle))})
	settings := passiveSettings(t)
	settings.Active = false
	r := record(t, settings, testTorrent(tracker.url()))
	r.await(events.KindTrackerAnnounced, 1)

	four, six := call(t, settings, "127.0.3.1", "-XX0001-four"), call(t, settings, "::1", "-XX0001-six")
	for _, c := range []caller{four, six} {
		if !c.shake(testHash) {
			t.Fatal("the recorder did not answer")
		}
		c.say(frame(events.Bitfield, 0xf0, 0), have(9))
	}
	stranger := call(t, settings, "127.0.3.2", "-XX0001-stranger")
	if stranger.shake(events.InfoHash{1}) {
		t.Error("the recorder answered for a torrent that it does not observe")
	}
	r.await(events.KindHaveReceived, 2)
	if got := r.Snapshot(); got.Incoming != 2 || got.Total.Known != 0 {
		t.Errorf("snapshot %+v, want 2 incoming sessions and no peer that is contacted", got)
	}
	if took := r.stop(nil); r.err != nil || took > settings.Timeout+2*time.Second {
		t.Errorf("ended after %v with %v", took, r.err)
	}
	four.untilClosed()
	six.untilClosed()
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	checkIncoming(t, records, settings)
	if got := refusals(records, events.ReasonUnknownInfoHash); len(got) != 1 || events.InfoHash(got[0].InfoHash) != (events.InfoHash{1}) {
		t.Errorf("refused %+v, want the stranger", got)
	}
	if tracker.port() != fmt.Sprint(settings.Port) {
		t.Errorf("the tracker was told port %s, want %d", tracker.port(), settings.Port)
	}
}

// checkIncoming checks what a recording says of a caller of each family.
func checkIncoming(t *testing.T, records []events.Record, settings recorder.Settings) {
	t.Helper()
	var families []string
	for _, e := range of[*events.SessionOpened](records) {
		families = append(families, e.Address.Addr().String())
		if e.Direction != events.Incoming || e.Contact != 0 || e.Torrent != 1 || e.Address.Scope != events.ScopeLoopback {
			t.Errorf("opened %+v", e)
		}
	}
	if slices.Sort(families); !slices.Equal(families, []string{"127.0.3.1", "::1"}) {
		t.Errorf("sessions with %q", families)
	}
	for _, e := range of[*events.SessionClosed](records) {
		if e.By != events.Us || e.Reason != events.ReasonStopping {
			t.Errorf("closed %+v", e)
		}
	}
	want := []netip.AddrPort{netip.AddrPortFrom(settings.Bind[0], settings.Port), netip.AddrPortFrom(settings.Bind[1], settings.Port)}
	if own := of[*events.RunStarted](records)[0].Addresses; len(own) != 2 || own[0].AddrPort != want[0] || own[1].AddrPort != want[1] {
		t.Errorf("own addresses %v, want %v", own, want)
	}
	if s := of[*events.StatisticSampled](records)[0]; s.IncomingLimit != uint64(settings.IncomingSessions) {
		t.Errorf("limit of incoming sessions %d, want %d", s.IncomingLimit, settings.IncomingSessions)
	}
}

// With a port of the peer's own the schedule has something to contact, but not while the peer is here.
func TestAPeerThatConnectsIsOfferedAndContactedWhenItHasLeft(t *testing.T) {
	listening := startPeer(t, seed)
	settings := passiveSettings(t)
	r := record(t, settings, testTorrent())
	r.await(events.KindTorrentAdded, 1)
	c := call(t, settings, "127.0.0.1", "-XX0001-caller")
	if !c.shake(testHash) {
		t.Fatal("the recorder did not answer")
	}
	c.say(frame(events.Bitfield, 0xf0, 0), listensOn(listening.addr().Port()), have(9))
	r.await(events.KindHaveReceived, 1)
	eventually(t, "the peer is met", func() bool { return r.Snapshot().Total.Met == 1 })
	c.Close()
	r.await(events.KindSessionClosed, 2)
	r.stop(nil)
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	opened := of[*events.SessionOpened](records)
	if len(opened) != 2 || opened[0].Direction != events.Incoming || opened[1].Direction != events.Outgoing || opened[1].Address.AddrPort != listening.addr() {
		t.Errorf("sessions %+v, want an incoming one and then an outgoing one to the port that it named", opened)
	}
	checkOneSessionAtATime(t, records)
}

// Without --active nothing is dialled, whatever port a peer says.
func TestAPassiveRecordingDialsNobody(t *testing.T) {
	listening := startPeer(t, idle)
	settings := passiveSettings(t)
	settings.Active, settings.Revisit = false, 10*time.Millisecond
	r := record(t, settings, testTorrent())
	r.await(events.KindTorrentAdded, 1)
	for n := range 3 {
		c := call(t, settings, "127.0.0.1", fmt.Sprint("-XX0001-caller", n))
		c.shake(testHash)
		c.say(listensOn(listening.addr().Port()))
		r.await(events.KindExtensionHandshakeReceived, n+1)
		c.Close()
		r.await(events.KindSessionClosed, n+1)
	}
	r.stop(nil)
	if n, met := listening.visits(), r.Snapshot().Total; n > 0 || met.Known > 0 {
		t.Errorf("%d visits of the port that a peer named, counts %+v: want none", n, met)
	}
}

// A peer that connects and says nothing about its pieces is asked for them where it says to listen: when it has hung up, or in a visit
// when we have left it.
func TestAPeerThatConnectedWithoutABitfieldIsAskedForIt(t *testing.T) {
	for observe, want := range map[recorder.Observe]events.Side{recorder.Stay: events.Peer, recorder.Visit: events.Us} {
		t.Run(string(observe), func(t *testing.T) {
			listening := startPeer(t, idle)
			settings := passiveSettings(t)
			settings.Observe, settings.Timeout, settings.Revisit = observe, 300*time.Millisecond, 50*time.Millisecond
			r := record(t, settings, testTorrent())
			r.await(events.KindTorrentAdded, 1)
			c := call(t, settings, "127.0.0.1", "-XX0001-caller")
			c.shake(testHash)
			c.say(listensOn(listening.addr().Port()))
			r.await(events.KindExtensionHandshakeReceived, 1)
			if observe == recorder.Stay {
				c.Close()
			}
			r.await(events.KindBitfieldReceived, 1)
			r.stop(nil)
			records := r.log.Records()
			checkOneSessionAtATime(t, records)
			if got := directions(records); got[0] != events.Incoming || got[1] != events.Outgoing {
				t.Errorf("sessions %v, want an outgoing one after the incoming one", got)
			}
			if closed := of[*events.SessionClosed](records)[0]; closed.By != want || observe == recorder.Visit && closed.Reason != events.ReasonQuiet {
				t.Errorf("the incoming session was ended by %v because of %v, want %v", closed.By, closed.Reason, want)
			}
		})
	}
}

func TestACompletePeerThatConnectsIsNeverContacted(t *testing.T) {
	listening := startPeer(t, idle)
	tracker := startTracker(t, &testTracker{})
	settings := passiveSettings(t)
	r := record(t, settings, testTorrent(tracker.url()))
	r.await(events.KindTrackerAnnounced, 1)
	c := call(t, settings, "127.0.0.1", "-XX0001-caller")
	c.shake(testHash)
	c.say(frame(events.Bitfield, 0xff, 0xff), listensOn(listening.addr().Port()))
	c.untilClosed()
	r.await(events.KindSessionClosed, 1)
	eventually(t, "the peer is left for good", func() bool { return r.Snapshot().Total.Finished == 1 })
	r.stop(nil)
	records := r.log.Records()
	if closed := of[*events.SessionClosed](records); closed[0].Reason != events.ReasonComplete {
		t.Errorf("closed %+v", closed[0])
	}
	if n := len(of[*events.SessionOpened](records)); n != 1 || listening.visits() > 0 {
		t.Errorf("%d sessions, %d visits at the port that it named; want one and none", n, listening.visits())
	}
}

// checkOneSessionAtATime checks that no two sessions were open at once with one peer id on one IP address.
func checkOneSessionAtATime(t *testing.T, records []events.Record) {
	t.Helper()
	type who struct {
		ip netip.Addr
		id events.PeerID
	}
	open, active := make(map[events.SessionNumber]who), make(map[who]bool)
	for _, r := range records {
		switch e := r.Event.(type) {
		case *events.SessionOpened:
			w := who{e.Address.Addr(), e.PeerID}
			if active[w] {
				t.Errorf("session %d with %v %q, which has one", e.Session, w.ip, w.id[:])
			}
			open[e.Session], active[w] = w, true
		case *events.SessionClosed:
			delete(active, open[e.Session])
		}
	}
}
