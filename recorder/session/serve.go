package session

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"btda/events"
	"btda/recorder/wire"
)

// Arrival is a connection that a peer made to us.
type Arrival struct {
	Conn      net.Conn
	Address   netip.AddrPort // of the peer, not IPv4-mapped
	Transport events.Transport
	// Admit gives the torrent with an info hash, once the peer has named it and before it is answered. An error, which has its reason
	// (package netfail), refuses the peer; the torrent stands beside it where it is known.
	Admit    func(events.InfoHash) (Torrent, error)
	Progress *Progress // as in Contact
	Recall   *Recall   // likewise; it ends the handshake too
}

// Serve takes in a connection that a peer made: it reads the handshake as far as it names a torrent, answers it if the torrent is
// admitted, and observes the peer until the end, as Contact does. The handshake has to be whole within the timeout, however slowly
// it comes. Serve closes the connection.
func (o *Observer) Serve(ctx context.Context, a *Arrival) (outcome Outcome) {
	if s := aside(func() *session { return o.welcome(ctx, a, &outcome) }); s != nil {
		s.run(ctx, &outcome)
	}
	return outcome
}

// welcome gives a session whose handshakes are done. Where it does not come to that, it gives nil and writes the outcome.
func (o *Observer) welcome(ctx context.Context, a *Arrival, outcome *Outcome) *session {
	g := greeting{Arrival: a, observer: o, began: time.Now(), conn: a.Conn, phase: events.PhaseHandshake, encryption: events.Plain}
	a.Recall.watch(a.Conn)
	release := context.AfterFunc(ctx, func() { a.Conn.SetDeadline(past) })
	defer release()
	err := g.shake(ctx)
	l := a.link(g.torrent)
	l.conn, l.encryption = g.conn, g.encryption
	if err == nil {
		s := newSession(ctx, o, l)
		s.began, s.theirs = g.began, g.theirs
		s.frames.received, s.sent = uint64(g.received), uint64(g.sent)
		if err = s.enter(); err == nil {
			o.met(a, g.encryption)
			return s
		}
		o.sleepers.leave(s)
	}
	abort(a.Conn)
	*outcome = o.failed(ctx, l, g.failure(err))
	return nil
}

// link is the connection of an arrival for a torrent, which is zero where it is not known.
func (a *Arrival) link(t Torrent) link {
	return link{
		conn: a.Conn, contact: &Contact{Torrent: t, Address: a.Address, Progress: a.Progress, Recall: a.Recall},
		direction: events.Incoming, transport: a.Transport, encryption: events.Plain,
	}
}

// greeting is the exchange of handshakes with a peer that came to us. It is small, since most of those that come may be of no use.
type greeting struct {
	*Arrival
	observer *Observer
	began    time.Time
	torrent  Torrent
	theirs   wire.Handshake // its peer id comes last

	conn       net.Conn // on which the handshake comes: that of the arrival, or what an encrypted handshake made of it
	encryption events.Encryption
	phase      events.Phase

	buffer   [wire.HandshakeSize]byte
	received int // bytes
	sent     int // bytes
}

func (g *greeting) shake(ctx context.Context) error {
	g.Conn.SetDeadline(g.began.Add(g.observer.Timeout))
	if cause := stopped(ctx, g.Recall); cause != nil {
		return interrupted(cause, cause)
	}
	if err := g.exchange(ctx); err != nil {
		return interrupted(stopped(ctx, g.Recall), err)
	}
	if g.theirs.PeerID == g.observer.PeerID {
		return errOwnPeerID
	}
	return nil
}

// exchange reads the handshake, and answers it as soon as it has named a torrent that is admitted.
func (g *greeting) exchange(ctx context.Context) error {
	if err := g.readPrelude(ctx); err != nil {
		return err
	}
	var err error
	if g.theirs, err = wire.ParsePrelude(g.buffer[:g.received]); err != nil {
		return err
	}
	if g.torrent, err = g.Admit(g.theirs.InfoHash); err != nil {
		return err
	}
	if g.sent, err = g.conn.Write(g.observer.handshake(&g.torrent)); err != nil {
		return err
	}
	if err := g.read(wire.HandshakeSize); err != nil {
		return err
	}
	g.theirs, err = wire.ParseHandshake(g.buffer[:])
	return err
}

// read reads until so many bytes of the handshake have come. It gives up as soon as it can be none.
func (g *greeting) read(size int) error {
	for g.received < size {
		n, err := g.conn.Read(g.buffer[g.received:])
		g.received += n
		if err := wire.CheckProtocol(g.buffer[:g.received]); err != nil {
			return err
		}
		if err != nil && n == 0 {
			if errors.Is(err, io.EOF) && g.received > 0 {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// failure tells what came of the handshake before it failed.
func (g *greeting) failure(err error) failure {
	f := failure{phase: g.phase, err: err, duration: time.Since(g.began)}
	came := g.buffer[:g.received]
	if h, err := wire.ParsePrelude(came); err == nil {
		f.infoHash = h.InfoHash[:]
	}
	if h, err := wire.ParseHandshake(came); err == nil {
		f.peerID = h.PeerID[:]
	}
	return f
}

// Refuse closes a connection that a peer made, without reading from it, and records why: an error with its reason (package netfail).
func (o *Observer) Refuse(ctx context.Context, a *Arrival, why error) Outcome {
	abort(a.Conn)
	return o.failed(ctx, a.link(Torrent{}), failure{phase: events.PhaseAccept, err: why})
}

// abort closes a connection at once, without the state that the system keeps of one that was closed in order: there may be many.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
