package recorder

import (
	"context"
	"strconv"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/swarm"
)

// briefSession is how long a peer must have stayed for being reconnected at once again and again.
const briefSession = 10 * time.Second

func (r *Recorder) newObserver(log events.Appender) *session.Observer {
	o := &session.Observer{
		Log: log, Dialer: r.deps.Dialer, PeerID: r.peerID, Client: "btda",
		Timeout: r.settings.Timeout, Revisit: r.settings.Revisit, Visit: r.settings.Observe == Visit,
		Encryption: r.settings.Encryption,
	}
	if o.Dialer == nil {
		o.Dialer = session.TCP{Bind: r.settings.Bind}
	}
	return o
}

// minimumStay is how long a session lasts at least until it may give way: a peer that says nothing for the timeout most likely has no
// pieces, and the set of one that says something has settled.
func (s Settings) minimumStay() time.Duration {
	if s.Observe == Visit {
		return 0
	}
	return s.Timeout + session.SettleTime
}

// observe makes one contact. Its frame lies below every session that waits.
func (r *run) observe(ctx context.Context, a *attempt) swarm.Ending {
	a.outcome = r.observer.Contact(ctx, &a.Contact)
	return endingOf(&a.outcome, r.settings.Observe)
}

// endingOf tells the schedule what an outcome means for the next contact.
func endingOf(o *session.Outcome, observe Observe) swarm.Ending {
	switch {
	case o.Complete, o.Failure == events.ReasonOwnPeerID:
		return swarm.Finished
	case !o.Opened && isLocal(o.Failure):
		return swarm.Missed
	case !o.Opened:
		return swarm.Failed
	case o.Closed == events.ReasonReopened:
		return swarm.Reopened
	case o.By == events.Peer && o.Start == session.StartUnknown:
		return swarm.Mute
	case o.By == events.Peer && observe == Stay:
		return swarm.HungUp
	}
	return swarm.Left
}

// isLocal tells of a failure that says nothing about the peer.
func isLocal(r events.Reason) bool {
	switch r {
	case events.ReasonDescriptorLimit, events.ReasonNoLocalAddress, events.ReasonNotPermitted, events.ReasonCanceled, events.ReasonStopping, events.ReasonDuplicate:
		return true
	}
	return false
}

// messageLimit is --max-messages for a torrent with so many pieces, 0 while that is not known; a limit of 0 is none.
func (s Settings) messageLimit(pieces uint32) uint32 {
	const beyondPieces = 256
	switch {
	case s.MaxMessages == autoMessages && pieces == 0:
		return 0
	case s.MaxMessages == autoMessages:
		return pieces + beyondPieces
	}
	limit, _ := strconv.ParseUint(s.MaxMessages, 10, 32) // Validate has seen to it
	return uint32(limit)
}
