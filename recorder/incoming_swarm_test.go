package recorder_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"btda/events"
	"btda/input"
	"btda/recorder"
	"btda/recorder/swarmtest"
)

// Whole clients that get our address from the tracker dial in, and are observed from their first piece to the last, whether we dial them
// as well or not, in both address families.
func TestARealSwarmComesToUs(t *testing.T) {
	for _, c := range []coming{{passive: true}, {active: true, passive: true}, {active: true, passive: true, at: netip.IPv6Loopback()},
		{active: true, at: netip.IPv6Loopback()}} {
		t.Run(fmt.Sprintf("active=%v,passive=%v,ipv6=%v", c.active, c.passive, c.at.Is6()), func(t *testing.T) {
			t.Parallel()
			c.observe(t)
		})
	}
}

// coming is a way to meet clients, and where they and we are: all at one address, or each at one of its own if it is not valid.
type coming struct {
	active, passive bool
	at              netip.Addr
}

func (c coming) settings(t *testing.T) recorder.Settings {
	settings := passiveSettings(t)
	settings.Active, settings.Passive, settings.TrackerInterval = c.active, c.passive, time.Second
	if c.at.IsValid() {
		settings.Bind = []netip.Addr{c.at}
	}
	return settings
}

func (c coming) swarm(t *testing.T) *swarmtest.Swarm {
	t.Helper()
	o := swarmtest.Options{Payload: swarmtest.PayloadOptions{Name: "coming", Pieces: 64, PieceLength: 16 << 10, Seed: 1},
		Tracker: swarmtest.TrackerOptions{Interval: time.Second}}
	if c.at.IsValid() {
		o.Tracker.Address = netip.AddrPortFrom(c.at, 0)
	}
	swarm, err := swarmtest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return swarm
}

func (c coming) observe(t *testing.T) {
	swarm := c.swarm(t)
	defer swarm.Close()
	torrent, err := input.ParseTorrent(swarm.Payload.Torrent)
	if err != nil {
		t.Fatal(err)
	}
	r := record(t, c.settings(t), torrent)
	r.await(events.KindTrackerAnnounced, 1)
	leechers := []swarmtest.ClientOptions{{Name: "slow", Rate: 200_000, Address: c.at}, {Name: "fast", Rate: 300_000, Address: c.at},
		{Name: "half", Rate: 300_000, Goal: 32, Address: c.at}}
	if err := swarm.Start(leechers...); err != nil {
		t.Fatal(err)
	}
	awaitPeers(t, r, len(leechers), saysItHasNone)
	if err := swarm.Start(swarmtest.ClientOptions{Name: "seed", Full: true, Address: c.at}); err != nil {
		t.Fatal(err)
	}
	awaitPeers(t, r, 3, leftComplete)
	r.stop(nil)
	c.check(t, r.log.Records(), swarm)
}

// check checks what a recording says of a swarm, and of how its clients were met.
func (c coming) check(t *testing.T, records []events.Record, swarm *swarmtest.Swarm) {
	t.Helper()
	checkEnds(t, records, events.ReasonInterrupted)
	checkClients(t, records, swarm)
	checkOneSessionAtATime(t, records)
	sessions := make(map[events.Direction]int)
	for _, d := range directions(records) {
		sessions[d]++
	}
	if !c.active && sessions[events.Outgoing] > 0 || !c.passive && sessions[events.Incoming] > 0 {
		t.Errorf("%v sessions", sessions)
	}
	t.Logf("%v sessions; %d incoming and %d outgoing duplicates", sessions, duplicates(records, events.Incoming), duplicates(records, events.Outgoing))
}

// awaitPeers waits until so many peers have shown an event.
func awaitPeers(t *testing.T, r *recording, n int, shows func(events.Event) (events.SessionNumber, bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*testPatient)
	defer cancel()
	if err := r.log.Wait(ctx, func(records []events.Record) bool { return len(peersThat(records, shows)) >= n }); err != nil {
		t.Fatal(err)
	}
}

// saysItHasNone and leftComplete tell of which session an event says so, if it does.
func saysItHasNone(e events.Event) (events.SessionNumber, bool) {
	none, ok := e.(*events.HaveNoneReceived)
	if !ok {
		return 0, false
	}
	return none.Session, true
}

func leftComplete(e events.Event) (events.SessionNumber, bool) {
	closed, ok := e.(*events.SessionClosed)
	if !ok {
		return 0, false
	}
	return closed.Session, closed.Reason == events.ReasonComplete
}

// peersThat gives the peer ids of the sessions that have shown an event.
func peersThat(records []events.Record, shows func(events.Event) (events.SessionNumber, bool)) map[events.PeerID]bool {
	sessions, peers := make(map[events.SessionNumber]events.PeerID), make(map[events.PeerID]bool)
	for _, r := range records {
		if e, ok := r.Event.(*events.SessionOpened); ok {
			sessions[e.Session] = e.PeerID
		}
		if session, ok := shows(r.Event); ok {
			peers[sessions[session]] = true
		}
	}
	return peers
}
