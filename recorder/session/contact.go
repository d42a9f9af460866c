package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"time"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/wire"
)

// ErrSlotNeeded is the cause with which a contact is recalled (Recall) that gives way to another one.
var ErrSlotNeeded = netfail.New(events.ReasonSlotNeeded, "the session is needed for another peer")

// maxUTPDial is how long a connection by uTP may take to come about, however long the timeout: it is what is tried last.
const maxUTPDial = 4 * time.Second

// Contact dials a peer, exchanges handshakes and observes it until the end. A peer that one way does not reach is tried in the others, by
// one connection each: to the schedule that is one visit. All that happens is in the log when it returns.
// When ctx is done, or the contact is recalled, the session ends within the timeout: for the reason that the cause has (package netfail), else
// with events.ReasonStopping.
// The contact must not change meanwhile.
func (o *Observer) Contact(ctx context.Context, c *Contact) (outcome Outcome) {
	if s := aside(func() *session { return o.connect(ctx, c, &outcome) }); s != nil {
		s.run(ctx, &outcome)
	}
	return outcome
}

// aside runs what comes before a session in a goroutine of its own: the stack that dialling and encryption take would stay with the session
// until the next collection of garbage.
func aside(do func() *session) *session {
	done := make(chan *session)
	go func() { done <- do() }()
	return <-done
}

// connect gives a session whose handshakes are done. Where it does not come to that, it gives nil and writes the outcome: that of the try
// that came furthest, the first of those. What each try came to is in the log.
func (o *Observer) connect(ctx context.Context, c *Contact, outcome *Outcome) *session {
	for left := o.planFor(c.Address); ; {
		w := left[0]
		s, failed := o.try(ctx, c, w)
		if s != nil {
			o.reached(c.Address, w)
			return s
		}
		came := o.failed(ctx, failed.link, failed.failure)
		if outcome.Failure == 0 || came.Reach > outcome.Reach {
			*outcome = came
		}
		if left = left.after(w, failed.phase, came.Failure); len(left) == 0 || !o.goOn(ctx, c) {
			return nil
		}
	}
}

// goOn waits until one more connection may be made for a contact.
func (o *Observer) goOn(ctx context.Context, c *Contact) bool {
	if o.Pace != nil {
		o.Pace.Wait(ctx, c.Number)
	}
	return stopped(ctx, c.Recall) == nil
}

// failedTry is a try that did not come to a session.
type failedTry struct {
	link
	failure
}

// try makes one connection. It gives the session whose handshakes are done, or why there is none.
func (o *Observer) try(ctx context.Context, c *Contact, w way) (*session, *failedTry) {
	began := time.Now()
	failed := &failedTry{
		link:    link{contact: c, direction: events.Outgoing, transport: w.transport, encryption: w.encryption()},
		failure: failure{phase: events.PhaseDial},
	}
	defer func() { failed.duration = time.Since(began) }()
	if failed.conn, failed.err = o.dial(ctx, c, w.transport); failed.err != nil {
		return nil, failed
	}
	connected := time.Now()
	if failed.phase = events.PhaseEncryption; w.encrypted {
		if failed.err = o.encrypt(ctx, &failed.link); failed.err != nil {
			return nil, failed
		}
	}
	s := newSession(ctx, o, failed.link)
	s.dialled, s.began = connected.Sub(began), connected
	theirs, err := s.shake(ctx)
	if err == nil {
		s.theirs = *theirs
		err = s.enter()
	}
	if err == nil {
		return s, nil
	}
	s.hangUp()
	failed.failure = failureOf(theirs, failure{phase: events.PhaseHandshake, err: err})
	return nil, failed
}

var past = time.Unix(1, 0)

var errOwnPeerID = netfail.New(events.ReasonOwnPeerID, "the peer is this recorder")

func (o *Observer) dial(ctx context.Context, c *Contact, transport events.Transport) (net.Conn, error) {
	dialer, timeout := o.Dialer, o.Timeout
	if transport == events.UTP {
		dialer, timeout = o.UTP, min(timeout, maxUTPDial)
	}
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := dialer.Dial(timed, c.Address)
	if err != nil {
		err = interrupted(stopped(ctx, c.Recall), err)
	}
	return conn, err
}

// interrupted gives why a connection was given up that was told to stop: for the reason that the cause has, else because the
// recording is stopping. Where there is no cause, the error stays.
func interrupted(cause, err error) error {
	if cause == nil {
		return err
	}
	if cause, ok := errors.AsType[*netfail.Error](cause); ok {
		return cause
	}
	return netfail.With(events.ReasonCanceled, err)
}

// failure is a connection that did not become a session.
type failure struct {
	phase    events.Phase
	err      error
	duration time.Duration
	infoHash []byte // as received; empty where none was
	peerID   []byte // likewise
}

// failureOf adds what was received of a handshake: nil where nothing was.
func failureOf(theirs *wire.Handshake, f failure) failure {
	if theirs != nil {
		f.infoHash, f.peerID = theirs.InfoHash[:], theirs.PeerID[:]
	}
	return f
}

func (o *Observer) failed(ctx context.Context, l link, f failure) Outcome {
	reason, text := netfail.Classify(f.err)
	torrent := &l.contact.Torrent
	fact := events.ConnectionFailed{Contact: l.contact.Number, Torrent: torrent.Number,
		Direction: l.direction, Transport: l.transport, Encryption: l.encryption,
		Phase: f.phase, Reason: reason, Text: text, Address: events.AddressOf(l.contact.Address), Duration: f.duration, PeerID: f.peerID}
	if !bytes.Equal(f.infoHash, torrent.InfoHash[:]) {
		fact.InfoHash = f.infoHash
	}
	outcome := Outcome{Failure: reason, Reach: fact.Reach()}
	copy(outcome.PeerID[:], f.peerID)
	log := o.failureLog(l.direction)
	_, outcome.Err = log.Append(context.WithoutCancel(ctx), log.Now(), &fact)
	return outcome
}

// shake sends our handshake and reads the peer's, within the timeout. The handshake is also returned beside an error that lies in it.
func (s *session) shake(ctx context.Context) (*wire.Handshake, error) {
	s.conn.SetDeadline(time.Now().Add(s.observer.Timeout))
	if cause := s.stopped(ctx); cause != nil {
		return nil, interrupted(cause, cause)
	}
	n, err := s.conn.Write(s.observer.handshake(s.torrent()))
	s.sent += uint64(n)
	if err == nil {
		err = s.readHandshake()
	}
	if err != nil {
		return nil, interrupted(s.stopped(ctx), err)
	}
	return s.checkHandshake()
}

// handshake is what we say first about a torrent.
func (o *Observer) handshake(t *Torrent) []byte {
	return wire.Handshake{Reserved: wire.OurReserved(o.dht(t)), InfoHash: t.InfoHash, PeerID: o.PeerID}.Append(nil)
}

// readHandshake reads until the buffer has a handshake. It gives up as soon as it can be none.
func (s *session) readHandshake() error {
	for len(s.waiting()) < wire.HandshakeSize {
		err := s.fill()
		if errors.Is(err, io.EOF) && s.begun() {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if err := wire.CheckProtocol(s.waiting()); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) checkHandshake() (*wire.Handshake, error) {
	theirs, err := wire.ParseHandshake(s.waiting())
	if err != nil {
		return nil, err
	}
	s.start += wire.HandshakeSize
	switch {
	case theirs.InfoHash != s.torrent().InfoHash:
		return &theirs, netfail.New(events.ReasonInfoHashMismatch, "the peer answered for torrent "+theirs.InfoHash.String())
	case theirs.PeerID == s.observer.PeerID:
		return &theirs, errOwnPeerID
	}
	return &theirs, nil
}
