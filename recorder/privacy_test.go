package recorder_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/recorder"
	"btda/recorder/swarmtest"
)

// A magnet link whose metadata says that the torrent is private (BEP 27): the trackers of our network and those that a peer named are left,
// and peers that these, a peer or the link named are visited no more. The trackers of the link go on.
func TestMagnetThatTurnsOutPrivate(t *testing.T) {
	swarm := startMagnetSwarm(t, true, swarmtest.ClientOptions{Name: "seed", Full: true})
	forbidden := []*testPeer{startPeer(t, hangUp), startPeer(t, hangUp), startPeer(t, hangUp)} // by the link, a peer, and an exchanged tracker
	local := startTracker(t, &testTracker{})
	exchanged := startTracker(t, &testTracker{peers: addressesOf(forbidden[2])})
	known := startPeer(t, gossip(addressesOf(forbidden[1]), exchanged.url()))
	allowed := startPeer(t, hangUp)
	mayAnswer := make(chan struct{})
	own := startTracker(t, &testTracker{gate: mayAnswer, peers: append(addressesOf(allowed), swarm.Clients[0].AddrPort())})

	settings := magnetSettings(t)
	settings.LocalTrackers, settings.FollowExchangedTrackers, settings.Bind = true, true, []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	settings.Revisit = 100 * time.Millisecond
	torrent := magnetOf(swarm.Payload.InfoHash, addressesOf(known, forbidden[0])...)
	torrent.Tiers = []events.TrackerTier{{own.url()}}
	log := newMemoryLog()
	r := recordWith(t, recorder.Deps{
		CreateLog: func(string) (recorder.Log, error) { return log, nil },
		Resolver:  dns{local.Listener.Addr().(*net.TCPAddr).AddrPort()},
	}, log.Log, settings, torrent)
	r.awaitThat(func(records []events.Record) bool {
		return asked(records, local) > 0 && asked(records, exchanged) > 0 && !slices.ContainsFunc(forbidden, func(p *testPeer) bool { return sessionsWith(records, p) == 0 })
	})
	close(mayAnswer)
	r.awaitThat(func(records []events.Record) bool { return asked(records, local) > 1 && asked(records, exchanged) > 1 }) // that we leave

	var before []int
	for _, p := range append(forbidden, allowed) {
		before = append(before, p.visits())
	}
	r.awaitThat(func(records []events.Record) bool { return sessionsWith(records, allowed) > before[len(forbidden)]+5 })
	trackers := r.Snapshot().Trackers
	r.stop(nil)
	for i, p := range forbidden {
		if visits := p.visits() - before[i]; visits > 1 { // one may have been under way
			t.Errorf("peer %d was visited %d times afterwards", i, visits)
		}
	}
	for name, tracker := range map[string]*testTracker{"of our network": local, "that a peer named": exchanged} {
		if got := tracker.events(); !slices.Equal(got, []string{"started", "stopped"}) {
			t.Errorf("the tracker %s was told %q", name, got)
		}
	}
	if trackers.Asked != 1 {
		t.Errorf("%d trackers are shown, want that of the link", trackers.Asked)
	}
}

// Where the metadata says that nobody but trackers may be asked, and the link names none, the user is told, also in the next run.
func TestPrivateMagnetWithoutATracker(t *testing.T) {
	swarm := startMagnetSwarm(t, true, swarmtest.ClientOptions{Name: "seed", Full: true})
	settings := magnetSettings(t)
	settings.Sessions = 16 // which any limit of descriptors allows, so that there is no advice about that
	for range 2 {
		log, advice := newMemoryLog(), make(chan string, 10)
		r := recordWith(t, recorder.Deps{
			CreateLog: func(string) (recorder.Log, error) { return log, nil }, Advise: func(a string) { advice <- a },
		}, log.Log, settings, magnetOf(swarm.Payload.InfoHash, swarm.Clients[0].AddrPort()))
		r.await(events.KindMetadataReceived, 1)
		if said := awaitAdvice(t, advice); !strings.Contains(said, "magnet is private") {
			t.Errorf("the user is told %q", said)
		}
		r.stop(nil)
		if len(advice) > 0 {
			t.Errorf("the user is told more: %q", <-advice)
		}
	}
}

// asked counts the answers of a tracker.
func asked(records []events.Record, by *testTracker) (n int) {
	for _, e := range of[*events.TrackerAnnounced](records) {
		if e.Tracker == by.url() {
			n++
		}
	}
	return n
}

// sessionsWith counts the sessions with a peer.
func sessionsWith(records []events.Record, p *testPeer) (n int) {
	for _, e := range of[*events.SessionOpened](records) {
		if e.Address.AddrPort == p.addr() {
			n++
		}
	}
	return n
}

// Of a private torrent nobody is contacted but whom its trackers name, so that a peer that only the user named is not.
func TestPeersOfAPrivateTorrent(t *testing.T) {
	linked, tracked := startPeer(t, idle), startPeer(t, idle)
	tracker := startTracker(t, &testTracker{peers: addressesOf(tracked)})
	private := testTorrent(tracker.url())
	private.Metadata.Private, private.Peers = true, addressesOf(linked)
	r := record(t, testSettings(), private)
	r.await(events.KindSessionOpened, 1)
	r.stop(nil)
	if tracked.visits() != 1 || linked.visits() != 0 {
		t.Errorf("%d visits with the peer that the tracker named, %d with the other; want 1 and 0", tracked.visits(), linked.visits())
	}
}
