package session

import (
	"time"

	"btda/events"
)

// How long things take in a session.
const (
	// SettleTime is how long the first availability of a session may take to come whole ("lazy bitfield"): replay's default.
	SettleTime = 2 * time.Second
	// keepAliveInterval is the longest time without a message of ours.
	keepAliveInterval = 60 * time.Second
	// flushInterval is the longest time after which messages that were only counted are recorded.
	flushInterval = 60 * time.Second
	// frameTime is how long a message may take from its first byte to its last.
	frameTime = 30 * time.Second
	// silenceTime is how long not a byte may come. Peers send keep-alives every two minutes.
	silenceTime = 5 * time.Minute
	// lateTime is how long a read may last that begins when its time is over. It finds what has come.
	lateTime = 50 * time.Millisecond
	// maxLate is how many bytes are read late in a row before a session is ended: what may have come while we were busy.
	maxLate = 256 << 10
)

// timers are moments of one session, as time since its handshakes. never is one that does not come.
type timers struct {
	heard    time.Duration // when the last bytes came
	message  time.Duration // when the last message came
	content  time.Duration // when the last content came
	spoke    time.Duration // when we last sent a message
	first    time.Duration // when the peer first told about its pieces
	ask      time.Duration // when to ask for metadata next
	asked    time.Duration // when we last asked
	frame    time.Duration // when the present message must be whole
	flush    time.Duration // when to record what was only counted
	muted    time.Duration // until when a connection that takes no more of ours is listened to
	paused   time.Duration // until when nothing is read
	deadline time.Duration // of reads, as last set
}

func (s *session) firstTimers() timers {
	return timers{first: never, ask: never, frame: never, flush: never, muted: never, deadline: never}
}

// duty is something that time demands.
type duty struct {
	due func(*session) time.Duration
	do  func(*session)
	// silence tells that it is due because something did not come: not before all that came is read. We may have been busy, or have
	// waited for the log.
	silence bool
}

// duties in the order in which they are looked at; one that ends the session ends the look.
var duties = []duty{
	{due: (*session).completeDue, do: leaving(events.ReasonComplete)},
	{due: (*session).quietDue, do: leaving(events.ReasonQuiet), silence: true},
	{due: (*session).reopenDue, do: leaving(events.ReasonReopened), silence: true},
	{due: func(s *session) time.Duration { return s.timers.frame }, do: leaving(events.ReasonTimeout), silence: true},
	{due: func(s *session) time.Duration { return s.timers.heard + silenceTime }, do: leaving(events.ReasonTimeout), silence: true},
	{due: func(s *session) time.Duration { return s.timers.muted }, do: (*session).giveUp, silence: true},
	{due: func(s *session) time.Duration { return s.timers.flush }, do: (*session).flush},
	{due: (*session).fetchDue, do: (*session).doFetch},
	{due: (*session).askDue, do: (*session).ask},
	{due: (*session).keepAliveDue, do: (*session).keepAlive},
}

func leaving(reason events.Reason) func(*session) {
	return func(s *session) { s.leave(reason) }
}

func (s *session) doDue() {
	for i := range duties {
		if s.over() {
			return
		}
		if s.now >= duties[i].due(s) && !(duties[i].silence && s.behind()) {
			duties[i].do(s)
		}
	}
}

// behind reports that more may have come than was read. Who is not read, because he sends too much, has nothing to be waited for.
func (s *session) behind() bool {
	return !s.caughtUp && s.late < maxLate && s.now >= s.timers.paused
}

func (s *session) nextDue() time.Duration {
	next := never
	for i := range duties {
		next = min(next, duties[i].due(s))
	}
	return next
}

// completeDue is when to leave a peer that has reached the threshold: once its set is settled.
func (s *session) completeDue() time.Duration {
	if !s.reached {
		return never
	}
	return s.timers.first + SettleTime
}

// quietDue is when a visit is over. A set that is not settled yet would prove nothing about what the peer lacks.
func (s *session) quietDue() time.Duration {
	quiet := max(s.timers.content, s.fetch.lastPiece()) + s.observer.Timeout
	switch {
	case !s.observer.Visit:
		return never
	case s.timers.first == never:
		return quiet
	}
	return max(quiet, s.timers.first+SettleTime)
}

// reopenDue is when to hang up in order to begin anew: after the revisit delay, but not before a peer from which nothing came has had the timeout
// to say something, and not while one gives metadata: it would have to begin anew with that too. Peers that came to us may not be reached, and
// are kept.
func (s *session) reopenDue() time.Duration {
	if s.link.direction == events.Incoming || s.observer.Visit || s.observer.Revisit == 0 || s.begin == StartKnown {
		return never
	}
	switch given := s.fetch.lastPiece(); {
	case s.counters.received == 0:
		return max(s.observer.Revisit, s.observer.Timeout)
	case given > 0:
		return max(s.observer.Revisit, given+s.observer.Timeout)
	}
	return s.observer.Revisit
}

func (s *session) keepAliveDue() time.Duration {
	if s.mute() {
		return never
	}
	return s.timers.spoke + keepAliveInterval
}

// watchFrame bounds the time of a message of which a part came.
func (s *session) watchFrame() {
	if s.begun() && s.timers.frame == never {
		s.timers.frame = s.now + frameTime
	}
}
