package recorder

import (
	"testing"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/swarm"
)

func TestEndingOf(t *testing.T) {
	hungUp := session.Outcome{Opened: true, By: events.Peer, Closed: events.ReasonClosedByPeer, Start: session.StartKnown}
	silent := hungUp
	silent.Start = session.StartUnknown
	for name, c := range map[string]struct {
		outcome     session.Outcome
		stay, visit swarm.Ending
	}{
		"no connection":         {session.Outcome{Failure: events.ReasonRefused}, swarm.Failed, swarm.Failed},
		"another torrent":       {session.Outcome{Failure: events.ReasonInfoHashMismatch}, swarm.Failed, swarm.Failed},
		"ourselves":             {session.Outcome{Failure: events.ReasonOwnPeerID}, swarm.Finished, swarm.Finished},
		"no descriptor of ours": {session.Outcome{Failure: events.ReasonDescriptorLimit}, swarm.Missed, swarm.Missed},
		"stopping":              {session.Outcome{Failure: events.ReasonCanceled}, swarm.Missed, swarm.Missed},
		"hung up":               {hungUp, swarm.HungUp, swarm.Left},
		"hung up, no word":      {silent, swarm.Mute, swarm.Mute},
		"complete":              {session.Outcome{Opened: true, By: events.Us, Closed: events.ReasonComplete, Complete: true}, swarm.Finished, swarm.Finished},
		"complete and hung up":  {session.Outcome{Opened: true, By: events.Peer, Complete: true}, swarm.Finished, swarm.Finished},
		"quiet":                 {session.Outcome{Opened: true, By: events.Us, Closed: events.ReasonQuiet}, swarm.Left, swarm.Left},
		"reopened":              {session.Outcome{Opened: true, By: events.Us, Closed: events.ReasonReopened}, swarm.Reopened, swarm.Reopened},
	} {
		if stay, visit := endingOf(&c.outcome, Stay), endingOf(&c.outcome, Visit); stay != c.stay || visit != c.visit {
			t.Errorf("%s: %v when staying and %v in a visit, want %v and %v", name, stay, visit, c.stay, c.visit)
		}
	}
}

func TestMessageLimit(t *testing.T) {
	for text, want := range map[string]uint32{"auto": 1256, "0": 0, "300": 300} {
		if got := (Settings{MaxMessages: text}).messageLimit(1000); got != want {
			t.Errorf("limit %s of 1000 pieces is %d messages, want %d", text, got, want)
		}
	}
}
