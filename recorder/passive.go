package recorder

import (
	"context"
	"fmt"
	"maps"
	"time"

	"btda/events"
	"btda/recorder/mse"
	"btda/recorder/session"
)

const (
	// maxGreetings is how many incoming connections may be without a handshake at one time.
	maxGreetings = 512
	// spareDescriptors are kept for the log, trackers and all else that is no connection with a peer.
	spareDescriptors = 128
)

// limits are the most connections of each kind at one time.
type limits struct {
	outgoing, incoming int // sessions
	greetings          int // incoming, without a handshake
}

// fit lowers limits to what the descriptor limit allows, those of sessions by the same part. It reports whether it did.
func (l limits) fit(descriptors events.Optional) (limits, bool) {
	wanted := l.outgoing + l.incoming
	if !descriptors.Known || descriptors.Value >= uint64(wanted+l.greetings+spareDescriptors) {
		return l, false
	}
	most := int(descriptors.Value)
	fitted := limits{greetings: min(l.greetings, most/8)}
	left := most - fitted.greetings - min(spareDescriptors, most/2)
	fitted.outgoing = min(l.outgoing, max(left*l.outgoing/wanted, 1))
	fitted.incoming = min(l.incoming, max(left*l.incoming/wanted, 1))
	return fitted, true
}

// limits are those of the directions in which there are connections.
func (s *Settings) limits() (wanted limits) {
	if s.Active {
		wanted.outgoing = s.Sessions
	}
	if s.Passive {
		wanted.incoming, wanted.greetings = s.IncomingSessions, maxGreetings
	}
	return wanted
}

// fit sets the limits of sessions so that they fit to the descriptor limit.
func (r *Recorder) fit(descriptors events.Optional) {
	s := &r.settings
	wanted := s.limits()
	fitted, lowered := wanted.fit(descriptors)
	r.greetings = fitted.greetings
	if s.Active {
		s.Sessions = fitted.outgoing
	}
	if s.Passive {
		s.IncomingSessions = fitted.incoming
	}
	if lowered {
		r.advise(fmt.Sprintf("%v instead of %v at one time, because only %d files may be open: let %d be open before the start, with ulimit -n or LimitNOFILE of systemd",
			fitted, wanted, descriptors.Value, wanted.outgoing+wanted.incoming+wanted.greetings+spareDescriptors))
	}
}

// String tells the limits of sessions.
func (l limits) String() string {
	switch {
	case l.incoming == 0:
		return count(l.outgoing, "session")
	case l.outgoing == 0:
		return count(l.incoming, "incoming session")
	}
	return fmt.Sprintf("%s and %d incoming ones", count(l.outgoing, "session"), l.incoming)
}

// advise gives the user a word on what may have to be set right.
func (r *Recorder) advise(advice string) {
	r.deps.Logger.Warn(advice)
	if r.deps.Advise != nil {
		r.deps.Advise(advice)
	}
}

// listen opens the sockets at which peers connect to us; none unless the recording is passive.
func (r *Recorder) listen() ([]listener, error) {
	if !r.settings.Passive {
		return nil, nil
	}
	o := opening{bind: r.settings.Bind, port: r.settings.Port, setting: "port", logger: r.deps.Logger}
	return openSockets(o, listenTCP)
}

// listen prepares to take in what comes in at the listeners.
func (r *run) listen(open []listener) {
	if len(open) == 0 {
		return
	}
	r.doors = open
	r.observer.Port = r.settings.Port
	r.repeats = newRepeats(r.gate)
	r.observer.Failures = r.repeats
	if r.settings.Encryption != session.EncryptionOff {
		r.observer.Encrypted = mse.NewReceiver(mse.ReceiverOptions{Torrents: maps.Keys(r.book.numbers), RC4Only: r.settings.Encryption == session.EncryptionRequire})
	}
	r.observer.Roster = newRoster(r.intake, &r.settings)
	r.reception = newReception(receptionOptions{
		Observer: r.observer, Log: r.gate, Torrents: r.book.byHash, Excluded: r.rules.excluded.contain,
		Sessions: r.settings.IncomingSessions, Stay: r.settings.minimumStay(), Greetings: r.greetings, Rate: r.settings.AcceptRate,
	})
}

// startReception takes in connections until the listeners are closed or ctx is done.
func (r *run) startReception(ctx context.Context) {
	for _, l := range r.doors {
		r.reception.start(ctx, l)
		r.deps.Logger.Info("listening", "address", l.address)
	}
	if r.reception != nil {
		r.reception.serving.Go(func() { r.awaitFirst(ctx) })
		r.reception.serving.Go(func() { r.repeats.sweepEvery(ctx) })
	}
}

// incomingLimit is the limit of incoming sessions; 0 when not listening.
func (r *run) incomingLimit() uint64 {
	if r.reception == nil {
		return 0
	}
	return uint64(r.settings.IncomingSessions)
}

// lonelyTime is how long nothing may have come in until the user is told what may be the reason. On a public swarm with a tracker the
// first connections come within seconds.
const lonelyTime = 10 * time.Minute

// awaitFirst tells the user once when nothing has come in.
func (r *run) awaitFirst(ctx context.Context) {
	pause(ctx, lonelyTime)
	if ctx.Err() != nil || r.reception.counts().taken > 0 {
		return
	}
	r.advise(fmt.Sprintf("no peer has connected in %v: TCP port %d may not be forwarded by a router (NAT) or be closed by a firewall; "+
		"open it there, or choose another with --port", lonelyTime, r.settings.Port))
}
