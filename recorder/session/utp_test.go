package session_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	library "github.com/anacrolix/torrent/mse"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/utp"
)

func openUTP(t *testing.T, accept bool) *utp.Socket {
	t.Helper()
	s, err := utp.Open(utp.Options{Local: netip.MustParseAddrPort("127.0.0.1:0"), Accept: accept})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// serveUTP starts a peer that is reached by uTP only, and plays one script on each connection, in turn.
func serveUTP(t *testing.T, scripts ...func(peer)) *served {
	t.Helper()
	socket := openUTP(t, true)
	l := socket.Listener()
	played := make(chan struct{})
	go func() {
		defer close(played)
		for _, script := range scripts {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(patience))
			script(peer{t, conn})
			conn.Close()
		}
		l.Close()
	}()
	t.Cleanup(func() { l.Close(); <-played })
	s := newServed(session.TCP{}, socket.Addr().(*net.UDPAddr).AddrPort())
	s.Encryption, s.UTP, s.played = session.EncryptionAllow, utp.Sockets{openUTP(t, false)}, played
	return s
}

func TestWaysByUTP(t *testing.T) {
	cases := []struct {
		name    string
		scripts []func(peer)
		want    string
	}{
		{"plain", []func(peer){hello}, "tcp plain: dial, refused\nutp plain"},
		{"encrypted", []func(peer){deaf, encrypting(library.CryptoMethodRC4, hello)}, "tcp plain: dial, refused\nutp plain: handshake, closed by peer\nutp mse rc4"},
		{"none", []func(peer){deaf, deaf}, "tcp plain: dial, refused\nutp plain: handshake, closed by peer\nutp mse: encryption, closed by peer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serveUTP(t, c.scripts...)
			outcome := s.run(t.Context())
			if got := s.negotiated(); got != c.want {
				t.Errorf("negotiated\n%s\nwant\n%s", got, c.want)
			}
			if opened := c.name != "none"; outcome.Opened != opened || opened && outcome.Pieces != events.Some(4) {
				t.Errorf("outcome %+v", outcome)
			}
		})
	}
}

// What worked by uTP is tried first the next time, and TCP when that does not work any more.
func TestUTPIsRemembered(t *testing.T) {
	s := serveUTP(t, hello, hello)
	played := s.played
	s.played = nil
	s.run(t.Context())
	s.run(t.Context())
	if got, want := s.negotiated(), "tcp plain: dial, refused\nutp plain\nutp plain"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
	<-played
	s.Timeout = 100 * time.Millisecond
	if outcome := s.run(t.Context()); outcome.Failure != events.ReasonRefused {
		t.Errorf("outcome %+v", outcome)
	}
	if got, want := s.negotiated(), "utp plain\nutp plain: dial, timeout\ntcp plain: dial, refused"; !strings.HasSuffix(got, want) {
		t.Errorf("negotiated\n%s\nwant at the end\n%s", got, want)
	}
}

// A peer that TCP does not reach costs one more timeout, which is that of uTP, and its failure is that of TCP.
func TestADeadPeerCostsTwoTimeouts(t *testing.T) {
	s := newServed(silentDialer{}, openUTP(t, false).Addr().(*net.UDPAddr).AddrPort())
	s.Encryption, s.UTP, s.Timeout = session.EncryptionAllow, silentDialer{}, 50*time.Millisecond
	outcome := s.run(t.Context())
	if got, want := s.negotiated(), "tcp plain: dial, timeout\nutp plain: dial, timeout"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
	if outcome.Failure != events.ReasonTimeout {
		t.Errorf("outcome %+v", outcome)
	}
	s = newServed(failingDialer{context.Canceled}, netip.MustParseAddrPort("127.0.0.1:1"))
	s.UTP = failingDialer{io.ErrUnexpectedEOF}
	s.run(t.Context())
	if got, want := s.negotiated(), "tcp plain: dial, canceled"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
}

// Who came by uTP is dialled by uTP first, at the port from which it came, since that is where such clients listen.
func TestWhoCameByUTPIsDialledByUTP(t *testing.T) {
	socket, theirs := openUTP(t, true), openUTP(t, true)
	s := newServed(session.TCP{}, netip.AddrPort{})
	s.UTP, s.Encryption = utp.Sockets{socket}, session.EncryptionAllow
	played := make(chan struct{})
	go func() {
		defer close(played)
		conn, err := utp.Sockets{theirs}.Dial(t.Context(), socket.Addr().(*net.UDPAddr).AddrPort())
		if err != nil {
			t.Error(err)
			return
		}
		conn.SetDeadline(time.Now().Add(patience))
		guest(peer{t, conn})
		conn.Close()
		if conn, err = theirs.Listener().Accept(); err != nil {
			t.Error(err)
			return
		}
		conn.SetDeadline(time.Now().Add(patience))
		hello(peer{t, conn})
		conn.Close()
	}()
	conn, err := socket.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	s.contact.Address = conn.RemoteAddr().(*net.UDPAddr).AddrPort()
	s.Serve(t.Context(), &session.Arrival{Conn: conn, Address: s.contact.Address, Transport: events.UTP, Admit: admit})
	s.run(t.Context())
	<-played
	if got, want := s.negotiated(), "utp plain\nutp plain"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
}
