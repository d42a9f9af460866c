package session

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"time"

	"btda/events"
	"btda/events/pieces"
	"btda/recorder/netfail"
	"btda/recorder/wire"
)

// link is a connection to a peer for one torrent.
type link struct {
	conn       net.Conn
	contact    *Contact
	direction  events.Direction
	transport  events.Transport
	encryption events.Encryption
}

// session is one connection from its handshake to its close. One goroutine owns it. Its times are since the handshakes were done.
type session struct {
	frames
	journal
	observer *Observer
	link     link
	bed      bed
	theirs   wire.Handshake
	number   events.SessionNumber
	dialled  time.Duration
	place    Place // in the roster; nil where there is no roster

	began      time.Time     // of the handshakes' end
	now        time.Duration // since then
	at         events.Time   // of the same moment
	ended      ending
	muteEnding ending // when nothing can be sent

	holdings
	fetch     *fetch // nil where the metadata was known from the start
	peer      offer
	timers    timers
	idle      budget // messages without content
	news      budget // messages with content
	exchanges exchanges
	unstored  suppressions
	counters  counters
	sent      uint64 // bytes
	askedWith uint32 // pieces that the peer had when it was last asked for metadata
	announced bool   // that a rate was reached: one event a session and rate
	slowed    bool

	caughtUp bool   // the last read found nothing
	late     uint32 // bytes read since a read last began in time
}

// ending is who ended a session, and why. The zero value is a session that goes on.
type ending struct {
	by     events.Side
	reason events.Reason
	text   string
}

// offer is what a peer said in its extension handshake.
type offer struct {
	heard      bool
	node       bool  // the peer has told of its DHT node
	metadata   uint8 // number of ut_metadata; 0 where it is not offered
	listenPort events.Optional
}

type counters struct {
	received           uint64
	sent               uint64
	longestWait        time.Duration
	longestContentWait time.Duration
}

// never is a time that does not come.
const never = time.Duration(math.MaxInt64)

func newSession(ctx context.Context, o *Observer, l link) *session {
	t := &l.contact.Torrent
	s := &session{
		frames:   frames{conn: l.conn, bound: wire.Bound(t.Pieces), wholeMetadata: t.Metadata != nil},
		observer: o, link: l, began: time.Now(),
		holdings: holdings{set: pieces.New(t.Pieces), complete: t.Complete}, fetch: newFetch(t),
	}
	o.sleepers.enter(ctx, s)
	l.contact.Recall.watch(l.conn)
	s.journal = journal{log: o.Log, ctx: s.bed.in.lasting}
	return s
}

// stopped gives why the session has to end, or nil.
func (s *session) stopped(ctx context.Context) error { return stopped(ctx, s.link.contact.Recall) }

// run lasts from the handshakes to the end, and writes the outcome. Its frame, and those that it is called from, lie below every session that
// waits: what they take, each of them takes.
func (s *session) run(ctx context.Context, outcome *Outcome) {
	s.observe(ctx)
	s.hangUp()
	s.conclude(outcome)
}

// hangUp closes the connection.
func (s *session) hangUp() {
	s.observer.sleepers.leave(s)
	s.conn.Close()
	s.frames.forget()
}

// torrent is what is known of the torrent.
func (s *session) torrent() *Torrent {
	if s.fetch != nil && s.fetch.known != nil {
		return s.fetch.known
	}
	return &s.link.contact.Torrent
}

// observe listens to a peer whose handshake was good, until the end.
func (s *session) observe(ctx context.Context) {
	s.open()
	s.greet()
	for !s.over() {
		s.receiveAll()
		s.learnTorrent()
		s.doDue()
		if !s.over() {
			s.wait(ctx)
		}
	}
	s.close()
}

func (s *session) open() {
	handshake := time.Since(s.began)
	s.number = events.SessionNumber(s.observer.numbers.Add(1))
	s.began = time.Now()
	s.tick()
	s.timers = s.firstTimers()
	s.link.contact.Progress.open(s.at)
	s.append(s.at, &events.SessionOpened{
		Session: s.number, Contact: s.link.contact.Number, Torrent: s.torrent().Number,
		Direction: s.link.direction, Transport: s.link.transport, Encryption: s.link.encryption,
		Address: events.AddressOf(s.link.contact.Address), Reserved: s.theirs.Reserved, PeerID: s.theirs.PeerID,
		DialDuration: s.dialled, HandshakeDuration: handshake,
	})
}

// tick reads the clocks. The run's comes first, so that what has passed by our clock has passed by the run's.
func (s *session) tick() {
	s.at = s.log.Now()
	s.now = time.Since(s.began)
}

func (s *session) over() bool {
	if s.err != nil && s.ended.reason == 0 {
		s.leave(events.ReasonWriteFailed)
	}
	return s.ended.reason != 0
}

// leave ends the session on our side.
func (s *session) leave(reason events.Reason) {
	if s.ended.reason == 0 {
		s.ended = ending{by: events.Us, reason: reason}
	}
}

// receiveAll takes in all messages that are whole.
func (s *session) receiveAll() {
	for !s.over() && s.now >= s.timers.paused {
		m, state := s.next()
		switch state {
		case partial:
			s.watchFrame()
			return
		case tooLong:
			s.limit(events.LimitFrameLength, limitValue{uint64(m.Length), uint64(s.bound)})
			s.leave(events.ReasonLimitExceeded)
			return
		}
		s.timers.frame = never
		s.receive(m)
		s.frames.forget() // it may be long until the next message
	}
}

// wait waits until something came or something is due.
func (s *session) wait(ctx context.Context) {
	heard := s.timers.heard
	if s.timers.paused > s.now {
		s.pause(ctx, min(s.timers.paused, s.nextDue()))
	} else {
		s.read(ctx, s.nextDue())
	}
	s.tick()
	if s.timers.heard > heard {
		s.link.contact.Progress.hear(s.at)
	}
	if cause := s.stopped(ctx); cause != nil {
		s.receiveAll() // what was read is a fact
		s.leave(stopReason(cause))
	}
}

// stopReason is why a session is told to stop: the reason that a cause has, else that the recording is stopping.
func stopReason(cause error) events.Reason {
	if cause, ok := errors.AsType[*netfail.Error](cause); ok {
		return cause.Reason
	}
	return events.ReasonStopping
}

// longestPause is how long a session waits at most without a look at whether it was recalled.
const longestPause = time.Second

// pause waits without reading.
func (s *session) pause(ctx context.Context, until time.Duration) {
	timer := time.NewTimer(min(until-s.now, longestPause))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// read reads once, at the latest until a time. Where that has passed, it reads what has come. The deadline is set before it is asked whether to
// stop: who is told to after the question has its deadline moved to the past.
func (s *session) read(ctx context.Context, until time.Duration) {
	before := s.frames.received
	if now := time.Since(s.began); now >= until {
		until = now + lateTime
	} else {
		s.late = 0
	}
	if until != s.timers.deadline {
		s.conn.SetReadDeadline(s.began.Add(until))
		s.timers.deadline = until
	}
	if s.stopped(ctx) != nil {
		return
	}
	err := s.fill()
	s.late += uint32(s.frames.received - before)
	s.caughtUp = err != nil
	switch {
	case err == nil:
		s.timers.heard = time.Since(s.began)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		s.lose(err)
	}
}

// lose ends the session because the connection is gone.
func (s *session) lose(err error) {
	if errors.Is(err, io.EOF) && s.begun() {
		err = io.ErrUnexpectedEOF
	}
	reason, text := netfail.Classify(err)
	s.ended = ending{by: events.Peer, reason: reason, text: text}
}

func (s *session) close() {
	s.tick()
	s.endFetch()
	s.flush()
	s.append(s.at, &events.SessionClosed{
		Session: s.number, By: s.ended.by, Reason: s.ended.reason, Text: s.ended.text,
		BytesReceived: s.frames.received, BytesSent: s.sent,
		MessagesReceived: s.counters.received, MessagesSent: s.counters.sent,
		LongestWait: s.counters.longestWait, LogWait: s.waited, LongestContentWait: s.counters.longestContentWait,
	})
}

// conclude writes the outcome of a session that is over, and leaves its place.
func (s *session) conclude(o *Outcome) {
	*o = Outcome{Opened: true, By: s.ended.by, Closed: s.ended.reason, Start: s.begin, Complete: s.reached,
		PeerID: s.theirs.PeerID, ListenPort: s.peer.listenPort, Err: s.err}
	if s.begin == StartUnknown && s.now >= s.observer.Timeout {
		o.Start = StartAssumed
	}
	if s.told() && s.sized() {
		o.Pieces = events.Some(uint64(s.set.Count()))
	}
	if s.place != nil {
		s.place.Leave(*o)
	}
}
