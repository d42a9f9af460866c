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

// ErrSlotNeeded is the cause of the end of a contact's context (context.WithCancelCause) that gives way to another one.
var ErrSlotNeeded = netfail.New(events.ReasonSlotNeeded, "the session is needed for another peer")

// Contact dials a peer, exchanges handshakes and observes it until the end. All that happens is in the log when it returns.
// When ctx is done the session ends within the timeout: with events.ReasonSlotNeeded if the cause is ErrSlotNeeded, else with events.ReasonStopping.
// The contact must not change meanwhile.
func (o *Observer) Contact(ctx context.Context, c *Contact) (outcome Outcome) {
	if s := o.connect(ctx, c, &outcome); s != nil {
		s.run(ctx, &outcome)
	}
	return outcome
}

// connect gives a session whose handshakes are done. Where it does not come to that, it gives nil and writes the outcome.
func (o *Observer) connect(ctx context.Context, c *Contact, outcome *Outcome) *session {
	began := time.Now()
	l := link{contact: c, direction: events.Outgoing, transport: events.TCP, encryption: events.Plain}
	var err error
	if l.conn, err = o.dial(ctx, c); err != nil {
		*outcome = o.failed(ctx, l, failure{phase: events.PhaseDial, err: err, duration: time.Since(began)})
		return nil
	}
	s := newSession(ctx, o, l)
	s.dialled = time.Since(began)
	theirs, err := s.shake(ctx)
	if err == nil {
		s.theirs = *theirs
		err = s.enter()
	}
	if err != nil {
		s.hangUp()
		*outcome = o.failed(ctx, l, failureOf(theirs, failure{phase: events.PhaseHandshake, err: err, duration: time.Since(began)}))
		return nil
	}
	return s
}

var past = time.Unix(1, 0)

var errOwnPeerID = netfail.New(events.ReasonOwnPeerID, "the peer is this recorder")

func (o *Observer) dial(ctx context.Context, c *Contact) (net.Conn, error) {
	timed, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := o.Dialer.Dial(timed, c.Address)
	if err != nil {
		err = interrupted(ctx, err)
	}
	return conn, err
}

// interrupted gives why a connection was given up, where ctx is done: for the reason that its cause has, else because the
// recording is stopping. Where it is not done, the error stays.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if cause, ok := errors.AsType[*netfail.Error](context.Cause(ctx)); ok {
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
	outcome := Outcome{Failure: reason}
	copy(outcome.PeerID[:], f.peerID)
	log := o.failureLog(l.direction)
	_, outcome.Err = log.Append(context.WithoutCancel(ctx), log.Now(), &fact)
	return outcome
}

// shake sends our handshake and reads the peer's, within the timeout. The handshake is also returned beside an error that lies in it.
func (s *session) shake(ctx context.Context) (*wire.Handshake, error) {
	s.conn.SetDeadline(time.Now().Add(s.observer.Timeout))
	if err := ctx.Err(); err != nil {
		return nil, interrupted(ctx, err)
	}
	n, err := s.conn.Write(s.observer.handshake(s.torrent()))
	s.sent += uint64(n)
	if err == nil {
		err = s.readHandshake()
	}
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	return s.checkHandshake()
}

// handshake is what we say first about a torrent.
func (o *Observer) handshake(t *Torrent) []byte {
	return wire.Handshake{Reserved: wire.OurReserved(false), InfoHash: t.InfoHash, PeerID: o.PeerID}.Append(nil)
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
