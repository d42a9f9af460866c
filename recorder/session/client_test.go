package session_test

import (
	"context"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/swarmtest"
)

const clientPieces = 64

// A whole client that downloads is observed from below the threshold to its end, and a seed until it is settled.
func TestRealClients(t *testing.T) {
	swarm, err := swarmtest.New(swarmtest.Options{Payload: swarmtest.PayloadOptions{Name: "test", Pieces: clientPieces, PieceLength: 16 << 10, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer swarm.Close()
	// About 7 s for 1 MiB, so that it is asked for metadata once.
	if err := swarm.Start(swarmtest.ClientOptions{Name: "seed", Full: true}, swarmtest.ClientOptions{Name: "leecher", Rate: 150_000}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	seed, leecher := observeClient(swarm, swarm.Clients[0]), observeClient(swarm, swarm.Clients[1])
	seeds := make(chan session.Outcome, 1)
	go func() { seeds <- seed.run(ctx) }()
	outcome := leecher.run(ctx)

	for who, o := range map[*served]session.Outcome{leecher: outcome, seed: <-seeds} {
		if !o.Complete || o.By != events.Us || o.Closed != events.ReasonComplete || o.Start != session.StartKnown || !o.ListenPort.Known {
			t.Errorf("outcome %+v\n%s", o, who.facts())
		}
	}
	if outcome.PeerID != swarm.Clients[1].PeerID {
		t.Errorf("peer id %v, want %v", outcome.PeerID, swarm.Clients[1].PeerID)
	}
	checkDownload(t, leecher, swarm.Clients[1])
}

func observeClient(swarm *swarmtest.Swarm, c *swarmtest.Client) *served {
	s := newServed(session.TCP{}, c.AddrPort())
	s.Timeout, s.Revisit = patience, time.Hour
	s.contact.Torrent = session.Torrent{Number: 1, InfoHash: swarm.Payload.InfoHash, Pieces: clientPieces, Complete: clientPieces}
	return s
}

// checkDownload holds what was recorded of a client against its own clock.
func checkDownload(t *testing.T, s *served, c *swarmtest.Client) {
	t.Helper()
	var haves, asked, answered int
	var last events.Time
	for _, r := range s.log.Records() {
		switch e := r.Event.(type) {
		case *events.HaveReceived:
			haves++
			last = r.Time
		case *events.MessageSent:
			if e.Message == events.Extended && e.Extension != 0 {
				asked++
			}
		case *events.MessageReceived:
			if e.Message == events.Extended {
				answered++
			}
		}
	}
	if haves < clientPieces/2 || asked < 1 || answered < 1 {
		t.Errorf("%d haves, %d requests for metadata, %d answers:\n%s", haves, asked, answered, s.facts())
	}
	if finished, ok := c.CrossedAt(clientPieces); !ok || last.UTC().Sub(finished) > time.Second {
		t.Errorf("finished at %v (%v), seen at %v", finished, ok, last)
	}
}
