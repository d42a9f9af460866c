package session

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/wire"
)

// Contact dials a peer, exchanges handshakes and observes it until the end. All that happens is in the log when it returns.
// When ctx is done the session ends with events.ReasonStopping, within the timeout. The contact must not change meanwhile.
func (o *Observer) Contact(ctx context.Context, c *Contact) (outcome Outcome) {
	// This frame lies below every session that waits: what it takes, each of them takes.
	if s := o.connect(ctx, c, &outcome); s != nil {
		s.observe(ctx)
		s.hangUp()
		s.conclude(&outcome)
	}
	return outcome
}

// connect gives a session whose handshakes are done. Where it does not come to that, it gives nil and writes the outcome.
func (o *Observer) connect(ctx context.Context, c *Contact, outcome *Outcome) *session {
	began := time.Now()
	conn, err := o.dial(ctx, c)
	if err != nil {
		*outcome = o.failed(ctx, c, failure{phase: events.PhaseDial, err: err, duration: time.Since(began)})
		return nil
	}
	s := newSession(ctx, o, link{conn: conn, contact: c, direction: events.Outgoing, transport: events.TCP, encryption: events.Plain})
	s.dialled = time.Since(began)
	theirs, err := s.shake(ctx)
	if err != nil {
		s.hangUp()
		*outcome = o.failed(ctx, c, failure{phase: events.PhaseHandshake, err: err, duration: time.Since(began), handshake: theirs})
		return nil
	}
	s.theirs = *theirs
	return s
}

var past = time.Unix(1, 0)

func (o *Observer) dial(ctx context.Context, c *Contact) (net.Conn, error) {
	timed, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := o.Dialer.Dial(timed, c.Address)
	if err != nil && ctx.Err() != nil {
		err = netfail.With(events.ReasonCanceled, err)
	}
	return conn, err
}

// failure is a connection that did not become a session.
type failure struct {
	phase     events.Phase
	err       error
	duration  time.Duration
	handshake *wire.Handshake // as received; nil where none was
}

func (o *Observer) failed(ctx context.Context, c *Contact, f failure) Outcome {
	reason, text := netfail.Classify(f.err)
	fact := events.ConnectionFailed{Contact: c.Number, Torrent: c.Torrent.Number,
		Direction: events.Outgoing, Transport: events.TCP, Encryption: events.Plain,
		Phase: f.phase, Reason: reason, Text: text, Address: events.AddressOf(c.Address), Duration: f.duration}
	outcome := Outcome{Failure: reason}
	if h := f.handshake; h != nil {
		fact.PeerID, outcome.PeerID = h.PeerID[:], h.PeerID
		if h.InfoHash != c.Torrent.InfoHash {
			fact.InfoHash = h.InfoHash[:]
		}
	}
	_, outcome.Err = o.Log.Append(context.WithoutCancel(ctx), o.Log.Now(), &fact)
	return outcome
}

// shake sends our handshake and reads the peer's, within the timeout. The handshake is also returned beside an error that lies in it.
func (s *session) shake(ctx context.Context) (*wire.Handshake, error) {
	s.conn.SetDeadline(time.Now().Add(s.observer.Timeout))
	if err := ctx.Err(); err != nil {
		return nil, netfail.With(events.ReasonCanceled, err)
	}
	ours := wire.Handshake{Reserved: wire.OurReserved(false), InfoHash: s.torrent().InfoHash, PeerID: s.observer.PeerID}
	n, err := s.conn.Write(ours.Append(nil))
	s.sent += uint64(n)
	if err == nil {
		err = s.readHandshake()
	}
	if err != nil {
		if ctx.Err() != nil {
			err = netfail.With(events.ReasonCanceled, err)
		}
		return nil, err
	}
	return s.checkHandshake()
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
		return &theirs, netfail.New(events.ReasonOwnPeerID, "the peer is this recorder")
	}
	return &theirs, nil
}
