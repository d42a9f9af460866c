package session_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/netfail"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// failed checks that nothing but one failed connection was recorded.
func (s *served) failed(t *testing.T, outcome session.Outcome, phase events.Phase, reason events.Reason) *events.ConnectionFailed {
	t.Helper()
	records := s.log.Records()
	if len(records) != 1 {
		t.Fatalf("recorded:\n%s\nwant one failed connection", eventstest.Format(records))
	}
	fact, ok := records[0].Event.(*events.ConnectionFailed)
	if !ok || fact.Phase != phase || fact.Reason != reason {
		t.Fatalf("recorded:\n%s\nwant %v in phase %v", eventstest.Format(records), reason, phase)
	}
	if fact.Contact != 7 || fact.Torrent != 1 || fact.Direction != events.Outgoing || fact.Transport != events.TCP || fact.Encryption != events.Plain ||
		fact.Address != events.AddressOf(s.contact.Address) || fact.Duration <= 0 || (fact.Text != "") != (reason == events.ReasonOther) {
		t.Errorf("recorded %+v", fact)
	}
	if outcome.Opened || outcome.Failure != reason || outcome.Err != nil || outcome.Dropped() {
		t.Errorf("outcome %+v", outcome)
	}
	return fact
}

func TestHandshakesThatFail(t *testing.T) {
	cases := []struct {
		name   string
		script func(peer)
		reason events.Reason
	}{
		{"hangs up at once", func(p peer) { p.readHandshake() }, events.ReasonClosedByPeer},
		{"hangs up half way", func(p peer) { p.readHandshake(); p.write(answer(plain)[:40]) }, events.ReasonTruncated},
		{"resets", func(p peer) { p.readHandshake(); p.Conn.(*net.TCPConn).SetLinger(0); p.Conn.Close() }, events.ReasonReset},
		{"says nothing", peer.untilLeft, events.ReasonTimeout},
		{"speaks another protocol and waits", func(p peer) { p.write([]byte("SSH-2.0-x\r\n")); p.untilLeft() }, events.ReasonUnknownProtocol},
		{"speaks nonsense", func(p peer) { p.Write(make([]byte, 100_000)); p.untilLeft() }, events.ReasonUnknownProtocol},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.script)
			if c.reason == events.ReasonTimeout {
				s.Timeout = 200 * time.Millisecond
			}
			s.failed(t, s.run(t.Context()), events.PhaseHandshake, c.reason)
		})
	}
}

func TestHandshakeForAnotherTorrent(t *testing.T) {
	other := events.InfoHash([]byte("another swarm's hash"))
	s := serve(t, func(p peer) {
		p.readHandshake()
		p.write(wire.Handshake{InfoHash: other, PeerID: theirID}.Append(nil))
	})
	fact := s.failed(t, s.run(t.Context()), events.PhaseHandshake, events.ReasonInfoHashMismatch)
	if string(fact.InfoHash) != string(other[:]) || string(fact.PeerID) != string(theirID[:]) {
		t.Errorf("recorded info hash %x and peer id %x", fact.InfoHash, fact.PeerID)
	}
}

func TestOurselves(t *testing.T) {
	s := serve(t, func(p peer) { io.CopyN(p, p, wire.HandshakeSize) })
	outcome := s.run(t.Context())
	fact := s.failed(t, outcome, events.PhaseHandshake, events.ReasonOwnPeerID)
	if len(fact.InfoHash) != 0 || string(fact.PeerID) != string(ourID[:]) || outcome.PeerID != ourID {
		t.Errorf("recorded info hash %x and peer id %x", fact.InfoHash, fact.PeerID)
	}
}

func TestDialsThatFail(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	refused := l.Addr().(*net.TCPAddr).AddrPort()
	cases := []struct {
		name   string
		dialer session.Dialer
		to     netip.AddrPort
		reason events.Reason
	}{
		{"refused", session.TCP{}, refused, events.ReasonRefused},
		{"no address of the family", session.TCP{Bind: []netip.Addr{netip.IPv6Loopback()}}, refused, events.ReasonNoLocalAddress},
		{"an address that is not ours", session.TCP{Bind: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}, refused, events.ReasonNoLocalAddress},
		{"link-local without a zone", session.TCP{}, netip.MustParseAddrPort("[fe80::1]:6881"), events.ReasonNoLocalAddress},
		{"link-local from an address that is not", session.TCP{Bind: []netip.Addr{netip.IPv6Loopback()}}, netip.MustParseAddrPort("[fe80::1]:6881"), events.ReasonNoLocalAddress},
		{"no answer", silentDialer{}, refused, events.ReasonTimeout},
		{"named by the dialer", failingDialer{netfail.New(events.ReasonEncryptionRequired, "")}, refused, events.ReasonEncryptionRequired},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServed(c.dialer, c.to)
			if c.reason == events.ReasonTimeout {
				s.Timeout = 50 * time.Millisecond
			}
			s.failed(t, s.run(t.Context()), events.PhaseDial, c.reason)
		})
	}
}

// silentDialer dials an address that never answers.
type silentDialer struct{}

func (silentDialer) Dial(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

type failingDialer struct{ err error }

func (d failingDialer) Dial(context.Context, netip.AddrPort) (net.Conn, error) { return nil, d.err }

func TestStoppingBeforeTheSession(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newServed(silentDialer{}, netip.MustParseAddrPort("127.0.0.1:1"))
	time.AfterFunc(0, cancel)
	s.failed(t, s.run(ctx), events.PhaseDial, events.ReasonCanceled)

	ctx, cancel = context.WithCancel(t.Context())
	s = serve(t, func(p peer) { p.readHandshake(); cancel(); p.untilLeft() })
	s.Timeout = patience
	s.failed(t, s.run(ctx), events.PhaseHandshake, events.ReasonCanceled)
}

func TestBoundDialer(t *testing.T) {
	from := netip.MustParseAddr("127.0.0.42")
	s := serve(t, func(p peer) {
		if got := p.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(); got != from {
			t.Errorf("connected from %v, want %v", got, from)
		}
		p.shake(plain)
	})
	s.Dialer = session.TCP{Bind: []netip.Addr{netip.IPv6Loopback(), from}}
	if outcome := s.run(t.Context()); !outcome.Opened {
		t.Errorf("outcome %+v", outcome)
	}
}

// brokenWrites is a connection on which nothing can be sent after the handshake, as when a peer has left.
type brokenWrites struct {
	net.Conn
	writes int
}

func (c *brokenWrites) Write(b []byte) (int, error) {
	if c.writes++; c.writes > 1 {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(b)
}

type brokenDialer struct{ session.TCP }

func (d brokenDialer) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	conn, err := d.TCP.Dial(ctx, to)
	return &brokenWrites{Conn: conn}, err
}

// A peer to which nothing can be sent is still read to its end: the last pieces of a download may be there.
func TestLastWordsAreRead(t *testing.T) {
	s := serve(t, func(p peer) {
		p.shake(modern)
		p.write(frame(events.Bitfield, 0xff, 0xfc), have(14), have(15))
	})
	s.Dialer = brokenDialer{}
	outcome := s.run(t.Context())
	s.expect(t, `
		BitfieldReceived session=1 bitfield=1111111111111100
		HaveReceived session=1 piece=14
		HaveReceived session=1 piece=15
		SessionClosed session=1 by=peer reason=closed-by-peer`)
	if !outcome.Complete || outcome.Pieces != events.Some(16) {
		t.Errorf("outcome %+v", outcome)
	}
}

// When such a peer does not even close, the session ends after the timeout.
func TestPeerThatBreaksAndStays(t *testing.T) {
	s := serve(t, func(p peer) { p.shake(modern); p.untilLeft() })
	s.Dialer, s.Timeout = brokenDialer{}, 2*time.Second // which is also that of the handshake
	if outcome := s.run(t.Context()); outcome.By != events.Peer || outcome.Closed != events.ReasonReset {
		t.Errorf("outcome %+v", outcome)
	}
}
