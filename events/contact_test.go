package events_test

import (
	"testing"

	"btda/events"
)

func TestReachOfAFailure(t *testing.T) {
	for want, failures := range map[events.Reach][]events.ConnectionFailed{
		events.ReachedNobody: {
			{Phase: events.PhaseDial, Reason: events.ReasonTimeout},
			{Phase: events.PhaseDial, Reason: events.ReasonNoLocalAddress},
		},
		events.ReachedHost: {
			{Phase: events.PhaseDial, Reason: events.ReasonRefused},
			{Phase: events.PhaseDial, Reason: events.ReasonReset},
			{Phase: events.PhaseDial, Reason: events.ReasonHostUnreachable},
			{Phase: events.PhaseDial, Reason: events.ReasonNetworkUnreachable},
		},
		events.ReachedPort: {
			{Phase: events.PhaseEncryption, Reason: events.ReasonTimeout},
			{Phase: events.PhaseHandshake, Reason: events.ReasonClosedByPeer},
		},
		events.ReachedPeer: {{Phase: events.PhaseHandshake, Reason: events.ReasonInfoHashMismatch, PeerID: make([]byte, 20)}},
	} {
		for _, e := range failures {
			if got := e.Reach(); got != want {
				t.Errorf("%v, %v reached %d, want %d", e.Phase, e.Reason, got, want)
			}
		}
	}
}
