package session_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/netfail"
	"btda/recorder/session"
	"btda/recorder/wire"
)

var errUnknown = netfail.New(events.ReasonUnknownInfoHash, "not observed")

func admit(hash events.InfoHash) (session.Torrent, error) {
	if t := torrent(); hash == t.InfoHash {
		return t, nil
	}
	return session.Torrent{}, errUnknown
}

// arrive lets a scripted peer connect over loopback, and serves it. It gives the outcome once the script is over.
func arrive(t *testing.T, s *served, ctx context.Context, script func(peer)) session.Outcome {
	t.Helper()
	l, err := session.ListenTCP(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	played := make(chan struct{})
	go func() {
		defer close(played)
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		script(peer{t, conn})
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s.contact.Address = conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	outcome := s.Serve(ctx, &session.Arrival{Conn: conn, Address: s.contact.Address, Transport: events.TCP, Admit: admit})
	<-played
	return outcome
}

// closedByObserver reads until the observer closes the connection, and gives what came.
func (p peer) closedByObserver() []byte {
	b, _ := io.ReadAll(p)
	return b
}

func TestAnIncomingPeerIsObservedLikeAnOther(t *testing.T) {
	s := newServed(nil, netip.AddrPort{})
	s.Port = 6884
	outcome := arrive(t, s, t.Context(), func(p peer) {
		whole := answer(modern)
		p.write(whole[:wire.PreludeSize])
		if got := p.readHandshake(); got.InfoHash != infoHash || got.PeerID != ourID || got.Reserved != modern {
			t.Errorf("answered with %+v", got)
		}
		p.write(whole[wire.PreludeSize:], frame(events.Bitfield, 0xf0, 0), extended(0, "d1:pi6881ee"), have(9))
		p.message()
		p.message()
		p.Conn.(*net.TCPConn).CloseWrite()
	})
	s.expect(t, `
		BitfieldReceived session=1 bitfield=1111000000000000
		ExtensionHandshakeReceived session=1 port=6881 length=11 raw=64313a7069363838316565
		HaveReceived session=1 piece=9
		SessionClosed session=1 by=peer reason=closed-by-peer`)
	opened := s.log.Records()[0].Event.(*events.SessionOpened)
	if opened.Contact != 0 || opened.Torrent != 1 || opened.Direction != events.Incoming || opened.Transport != events.TCP || opened.PeerID != theirID ||
		opened.Reserved != modern || opened.Address != events.AddressOf(s.contact.Address) || opened.DialDuration != 0 || opened.HandshakeDuration <= 0 {
		t.Errorf("opened %+v", opened)
	}
	closed := s.log.Records()[len(s.log.Records())-1].Event.(*events.SessionClosed)
	if closed.BytesReceived != 68+7+17+9 || closed.BytesSent < 68+5 {
		t.Errorf("closed %+v", closed)
	}
	if !outcome.Opened || outcome.ListenPort != events.Some(6881) || outcome.Pieces != events.Some(5) {
		t.Errorf("outcome %+v", outcome)
	}
}

func TestArrivalsThatFail(t *testing.T) {
	other := events.InfoHash([]byte("another swarm's hash"))
	foreign := wire.Handshake{InfoHash: other, PeerID: theirID}.Append(nil)
	cases := []struct {
		name     string
		script   func(peer)
		reason   events.Reason
		infoHash string
		peerID   string
	}{
		{"for an unknown torrent", func(p peer) { p.write(foreign); p.refused() }, events.ReasonUnknownInfoHash, string(other[:]), string(theirID[:])},
		{"for an unknown torrent, without a peer id", func(p peer) { p.write(foreign[:48]); p.refused() }, events.ReasonUnknownInfoHash, string(other[:]), ""},
		{"hangs up at once", func(p peer) {}, events.ReasonClosedByPeer, "", ""},
		{"hangs up half way", func(p peer) { p.write(foreign[:30]) }, events.ReasonTruncated, "", ""},
		{"hangs up when answered", func(p peer) { p.write(answer(plain)[:48]); p.readHandshake() }, events.ReasonTruncated, "", ""},
		{"says nothing", func(p peer) { p.refused() }, events.ReasonTimeout, "", ""},
		{"says nothing more when answered", func(p peer) { p.write(answer(plain)[:60]); p.readHandshake(); p.closedByObserver() }, events.ReasonTimeout, "", ""},
		{"speaks another protocol", func(p peer) { p.write([]byte("GET / HTTP/1.1\r\n")); p.refused() }, events.ReasonUnknownProtocol, "", ""},
		{"is this recorder", func(p peer) {
			p.write(wire.Handshake{InfoHash: infoHash, PeerID: ourID}.Append(nil))
			p.closedByObserver()
		},
			events.ReasonOwnPeerID, "", string(ourID[:])},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServed(nil, netip.AddrPort{})
			s.Timeout = 200 * time.Millisecond
			outcome := arrive(t, s, t.Context(), c.script)
			fact := s.refusal(t)
			if fact.Reason != c.reason || string(fact.InfoHash) != c.infoHash || string(fact.PeerID) != c.peerID {
				t.Errorf("recorded %+v", fact)
			}
			if outcome.Opened || outcome.Failure != c.reason {
				t.Errorf("outcome %+v", outcome)
			}
		})
	}
}

// refused checks that the observer closes without a word.
func (p peer) refused() {
	p.t.Helper()
	if said := p.closedByObserver(); len(said) > 0 {
		p.t.Errorf("answered %q", said)
	}
}

// refusal gives the only fact, which is an incoming connection that failed.
func (s *served) refusal(t *testing.T) *events.ConnectionFailed {
	t.Helper()
	records := s.log.Records()
	fact, ok := records[0].Event.(*events.ConnectionFailed)
	if !ok || len(records) != 1 || fact.Direction != events.Incoming || fact.Contact != 0 || fact.Phase != events.PhaseHandshake ||
		fact.Transport != events.TCP || fact.Encryption != events.Plain || fact.Address != events.AddressOf(s.contact.Address) || fact.Duration <= 0 {
		t.Fatalf("recorded:\n%s\nwant one incoming connection that failed", eventstest.Format(records))
	}
	return fact
}

// A handshake that drips has the timeout as a whole, not for every byte.
func TestASlowHandshakeHasOneTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := newServed(nil, netip.AddrPort{})
		s.Timeout = 6 * time.Second
		began, dripped := time.Now(), make(chan struct{})
		go func() {
			defer close(dripped)
			for _, b := range answer(plain) {
				time.Sleep(time.Second)
				if _, err := theirs.Write([]byte{b}); err != nil {
					return
				}
			}
		}()
		outcome := s.Serve(t.Context(), &session.Arrival{Conn: ours, Address: netip.MustParseAddrPort("192.0.2.7:6881"), Admit: admit})
		if took := time.Since(began); took != 6*time.Second || outcome.Failure != events.ReasonTimeout {
			t.Errorf("given up after %v with %+v", took, outcome)
		}
		theirs.Close()
		<-dripped
	})
}

func TestIncomingPeersAreKeptThoughTheirStartIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := newServed(nil, netip.AddrPort{})
		s.Revisit = time.Minute
		ended := make(chan session.Outcome)
		go func() {
			ended <- s.Serve(t.Context(), &session.Arrival{Conn: ours, Address: netip.MustParseAddrPort("192.0.2.7:6881"), Admit: admit})
		}()
		go peer{t, theirs}.untilLeft()
		theirs.Write(answer(plain))
		time.Sleep(4 * time.Minute)
		theirs.Close()
		if o := <-ended; o.By != events.Peer || o.Start != session.StartAssumed {
			t.Errorf("outcome %+v", o)
		}
	})
}

func TestArrivalsEndForTheReasonTheyAreTold(t *testing.T) {
	giveWay := netfail.New(events.ReasonLimitExceeded, "too many wait")
	for name, c := range map[string]struct {
		said  []byte
		cause error
		want  events.Reason
	}{
		"stopping in the handshake":  {nil, nil, events.ReasonCanceled},
		"giving way in a handshake":  {nil, giveWay, events.ReasonLimitExceeded},
		"stopping in the session":    {answer(plain), nil, events.ReasonStopping},
		"giving way in the session":  {answer(plain), giveWay, events.ReasonLimitExceeded},
		"stopping for another error": {answer(plain), errors.New("whatever"), events.ReasonStopping},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServed(nil, netip.AddrPort{})
			s.Timeout = patience
			ctx, cancel := context.WithCancelCause(t.Context())
			outcome := arrive(t, s, ctx, func(p peer) {
				p.write(c.said)
				if c.said != nil {
					if err := s.log.Wait(t.Context(), eventstest.Has(events.KindSessionOpened, 1)); err != nil {
						t.Error(err)
					}
				}
				cancel(c.cause)
				p.closedByObserver()
			})
			if got := max(outcome.Failure, outcome.Closed); got != c.want {
				t.Errorf("outcome %+v, want %v", outcome, c.want)
			}
		})
	}
}
