package recorder_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"btda/events"
	"btda/input"
	"btda/recorder/swarmtest"
)

// Whole clients that get our address from the tracker dial in, and are observed from their first piece to the last, whether we dial them
// as well or not.
func TestARealSwarmComesToUs(t *testing.T) {
	for _, active := range []bool{false, true} {
		t.Run(fmt.Sprintf("active=%v", active), func(t *testing.T) { observeComing(t, active) })
	}
}

func observeComing(t *testing.T, active bool) {
	swarm, err := swarmtest.New(swarmtest.Options{Payload: swarmtest.PayloadOptions{Name: "coming", Pieces: 64, PieceLength: 16 << 10, Seed: 1},
		Tracker: swarmtest.TrackerOptions{Interval: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	defer swarm.Close()
	torrent, err := input.ParseTorrent(swarm.Payload.Torrent)
	if err != nil {
		t.Fatal(err)
	}
	settings := passiveSettings(t)
	settings.Active, settings.TrackerInterval = active, time.Second
	r := record(t, settings, torrent)
	r.await(events.KindTrackerAnnounced, 1)
	if err := swarm.Start(swarmtest.ClientOptions{Name: "slow", Rate: 150_000}, swarmtest.ClientOptions{Name: "fast", Rate: 250_000},
		swarmtest.ClientOptions{Name: "half", Rate: 250_000, Goal: 32}); err != nil {
		t.Fatal(err)
	}
	r.awaitThat(func(records []events.Record) bool { return len(peersWith(records, began)) == len(swarm.Clients) })
	if err := swarm.Start(swarmtest.ClientOptions{Name: "seed", Full: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	if err := r.log.Wait(ctx, func(records []events.Record) bool { return len(peersWith(records, completeAtEnd)) == 3 }); err != nil {
		t.Fatal(err)
	}
	r.stop(nil)
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	checkClients(t, records, swarm)
	checkOneSessionAtATime(t, records)
	incoming := 0
	for _, d := range directions(records) {
		if d == events.Incoming {
			incoming++
		}
	}
	if !active && incoming < len(swarm.Clients) || !active && incoming != len(directions(records)) {
		t.Errorf("%d of %d sessions are incoming, want all", incoming, len(directions(records)))
	}
	t.Logf("%d sessions, of which %d incoming; %d incoming and %d outgoing duplicates", len(directions(records)), incoming,
		duplicates(records, events.Incoming), duplicates(records, events.Outgoing))
}

// began and completeAtEnd tell of an event that it says so of its session.
func began(e events.Event) (events.SessionNumber, bool) {
	none, ok := e.(*events.HaveNoneReceived)
	if !ok {
		return 0, false
	}
	return none.Session, true
}

func completeAtEnd(e events.Event) (events.SessionNumber, bool) {
	closed, ok := e.(*events.SessionClosed)
	if !ok {
		return 0, false
	}
	return closed.Session, closed.Reason == events.ReasonComplete
}

// peersWith gives the peer ids of the sessions of which an event holds.
func peersWith(records []events.Record, holds func(events.Event) (events.SessionNumber, bool)) map[events.PeerID]bool {
	sessions, peers := make(map[events.SessionNumber]events.PeerID), make(map[events.PeerID]bool)
	for _, r := range records {
		if e, ok := r.Event.(*events.SessionOpened); ok {
			sessions[e.Session] = e.PeerID
		}
		if session, ok := holds(r.Event); ok {
			peers[sessions[session]] = true
		}
	}
	return peers
}
