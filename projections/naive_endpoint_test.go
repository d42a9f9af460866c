package projections

import (
	"fmt"
	"slices"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

// This file tells a second time what came of the endpoints that were tried.

// TestEndpointsAgreeWithTheNaiveModel holds outcome, reason and attempts of random streams against it.
func TestEndpointsAgreeWithTheNaiveModel(t *testing.T) {
	seed := propertySeed(t)
	for round := range propertyRounds(t) / 2 {
		records := randomStream(seed+uint64(round), 40+round%200)
		options := DefaultOptions()
		options.WithAddresses = true
		set, err := foldAll(options, records)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for row := range tableNamed(t, set.Tables(), "endpoint").Rows {
			if row[10].Integer > 0 {
				got = append(got, fmt.Sprint(row[1].Integer, " ", row[2].Text, " ", row[8].Text, " ", naiveWord(row[9]), " ", row[10].Integer))
			}
		}
		if got, want := naiveLines(got), naiveOutcomes(records); got != want {
			t.Fatalf("seed %d\n%s\ngot\n%s\nwant\n%s", seed+uint64(round), eventstest.Format(records), got, want)
		}
	}
}

// naiveAttempt is one try to reach an address, which failed or not.
type naiveAttempt struct {
	contact events.ContactNumber
	failed  *events.ConnectionFailed // nil for one that became a session
}

// rank orders tries by how much they tell.
func (a naiveAttempt) rank() string {
	switch {
	case a.failed == nil:
		return "4 session"
	case len(a.failed.PeerID) > 0:
		return "3 the peer's handshake"
	case a.failed.Phase != events.PhaseDial:
		return "2 connected"
	case a.failed.Reason != events.ReasonTimeout && a.failed.Reason != events.ReasonClosedByPeer:
		return "1 refused"
	}
	return "0"
}

func naiveOutcomes(records []events.Record) string {
	tries, greeted := naiveAttempts(records)
	var lines []string
	for address, all := range tries {
		last := all[len(all)-1].contact
		var best naiveAttempt
		for _, a := range slices.Backward(all) {
			if a.contact != last {
				break
			}
			if best == (naiveAttempt{}) || a.rank() >= best.rank() {
				best = a
			}
		}
		outcome := "handshake -"
		switch {
		case greeted[address]:
		case best.failed.Reason == events.ReasonRefused:
			outcome = "refused -"
		default:
			outcome = fmt.Sprint("failed ", best.failed.Reason)
		}
		lines = append(lines, fmt.Sprint(address, " ", outcome, " ", len(all)))
	}
	return naiveLines(lines)
}

// naiveAttempts gives the tries of each torrent and address, and the addresses that a peer is known to listen on.
func naiveAttempts(records []events.Record) (tries map[string][]naiveAttempt, greeted map[string]bool) {
	tries, greeted = map[string][]naiveAttempt{}, map[string]bool{}
	model := newNaiveModel(IdentityEndpoint)
	for i := range records {
		model.apply(&records[i])
		switch e := records[i].Event.(type) {
		case *events.ConnectionFailed:
			if e.Direction == events.Outgoing {
				key := fmt.Sprint(e.Torrent, " ", e.Address.AddrPort)
				tries[key] = append(tries[key], naiveAttempt{e.Contact, e})
			}
		case *events.SessionOpened:
			if e.Direction == events.Outgoing {
				key := fmt.Sprint(e.Torrent, " ", e.Address.AddrPort)
				tries[key] = append(tries[key], naiveAttempt{e.Contact, nil})
				greeted[key] = true
			}
		case *events.ExtensionHandshakeReceived:
			for _, n := range model.namings(&records[i]) {
				greeted[fmt.Sprint(n.torrent, " ", n.address)] = true
			}
		}
	}
	return tries, greeted
}
