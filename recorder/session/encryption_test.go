package session_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	library "github.com/anacrolix/torrent/mse"

	"btda/events"
	"btda/recorder/mse"
	"btda/recorder/netfail"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// serveEach starts a peer that plays one script on each connection, in turn, and closes it in order. Connections beyond the scripts are
// an error.
func serveEach(t *testing.T, scripts ...func(peer)) *served {
	t.Helper()
	l, err := session.ListenTCP(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	played := make(chan struct{})
	go func() {
		defer close(played)
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(patience))
			if n < len(scripts) {
				scripts[n](peer{t, conn})
			} else {
				t.Errorf("connection %d, want %d", n+1, len(scripts))
			}
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-played })
	s := newServed(session.TCP{}, l.Addr().(*net.TCPAddr).AddrPort())
	s.Encryption = session.EncryptionAllow
	return s
}

// obfuscated is a connection after an encrypted handshake.
type obfuscated struct {
	net.Conn
	stream io.ReadWriter
}

func (c obfuscated) Read(b []byte) (int, error)  { return c.stream.Read(b) }
func (c obfuscated) Write(b []byte) (int, error) { return c.stream.Write(b) }

// encrypting lets a script play on a connection that the observer encrypts, with the payload as method says.
func encrypting(method library.CryptoMethod, script func(peer)) func(peer) {
	return func(p peer) {
		stream, _, err := library.ReceiveHandshake(context.Background(), p.Conn, func(yield func([]byte) bool) { yield(infoHash[:]) },
			func(library.CryptoMethod) library.CryptoMethod { return method })
		if err != nil {
			p.t.Errorf("the peer's encrypted handshake: %v", err)
			return
		}
		script(peer{p.t, obfuscated{p.Conn, stream}})
	}
}

// negotiated lists what the connections were and came to.
func (s *served) negotiated() string {
	var lines []string
	for _, r := range s.log.Records() {
		switch e := r.Event.(type) {
		case *events.ConnectionFailed:
			lines = append(lines, fmt.Sprintf("%v %v: %v, %v", e.Transport, e.Encryption, e.Phase, e.Reason))
			if e.Contact != s.contact.Number && e.Direction == events.Outgoing {
				lines = append(lines, fmt.Sprintf("of contact %v", e.Contact))
			}
		case *events.SessionOpened:
			lines = append(lines, fmt.Sprintf("%v %v", e.Transport, e.Encryption))
		}
	}
	return strings.Join(lines, "\n")
}

// deaf hangs up on a plain handshake, as a client does that insists on encryption.
func deaf(p peer) { p.read(1) }

// hello is a session with a bitfield, to which the peer puts an end.
func hello(p peer) { p.shake(plain); p.write(frame(events.Bitfield, 0xf0, 0)) }

var outgoingWays = []struct {
	name       string
	encryption session.Encryption
	scripts    []func(peer)
	want       string
}{
	{"plain is enough", session.EncryptionAllow, []func(peer){hello}, "tcp plain"},
	{"insists on rc4", session.EncryptionAllow, []func(peer){deaf, encrypting(library.CryptoMethodRC4, hello)}, "tcp plain: handshake, closed by peer\ntcp mse rc4"},
	{"insists on encryption", session.EncryptionAllow, []func(peer){deaf, encrypting(library.CryptoMethodPlaintext, hello)}, "tcp plain: handshake, closed by peer\ntcp mse plaintext"},
	{"wants nothing", session.EncryptionAllow, []func(peer){deaf, deaf}, "tcp plain: handshake, closed by peer\ntcp mse: encryption, closed by peer"},
	{"agrees, and hangs up", session.EncryptionAllow, []func(peer){deaf, encrypting(library.CryptoMethodRC4, deaf)},
		"tcp plain: handshake, closed by peer\ntcp mse rc4: handshake, closed by peer"},
	{"answers a plain handshake for another torrent", session.EncryptionAllow, []func(peer){func(p peer) {
		p.write(wire.Handshake{InfoHash: events.InfoHash([]byte("another swarm's hash")), PeerID: theirID}.Append(nil))
	}}, "tcp plain: handshake, info hash mismatch"},
	{"takes both", session.EncryptionPrefer, []func(peer){encrypting(library.CryptoMethodRC4, hello)}, "tcp mse rc4"},
	{"does not know encryption", session.EncryptionPrefer, []func(peer){deaf, hello}, "tcp mse: encryption, closed by peer\ntcp plain"},
	{"answers encryption in plain", session.EncryptionPrefer, []func(peer){func(p peer) { p.write(answer(plain), make([]byte, 700)) }, hello},
		"tcp mse: encryption, unknown protocol\ntcp plain"},
	{"where plain may not be", session.EncryptionRequire, []func(peer){deaf}, "tcp mse: encryption, closed by peer"},
	{"where plain need not be", session.EncryptionRequire, []func(peer){encrypting(library.CryptoMethodRC4, hello)}, "tcp mse rc4"},
	{"where a payload in plain may not be", session.EncryptionRequire, []func(peer){func(p peer) {
		library.ReceiveHandshake(context.Background(), p.Conn, func(yield func([]byte) bool) { yield(infoHash[:]) },
			func(library.CryptoMethod) library.CryptoMethod { return library.CryptoMethodPlaintext })
	}}, "tcp mse: encryption, unknown protocol"},
	{"where encryption may not be", session.EncryptionOff, []func(peer){deaf}, "tcp plain: handshake, closed by peer"},
}

func TestWaysToAPeer(t *testing.T) {
	for _, c := range outgoingWays {
		t.Run(c.name, func(t *testing.T) {
			s := serveEach(t, c.scripts...)
			s.Encryption = c.encryption
			outcome := s.run(t.Context())
			if got := s.negotiated(); got != c.want {
				t.Errorf("negotiated\n%s\nwant\n%s", got, c.want)
			}
			opened := !strings.Contains(c.want[strings.LastIndex(c.want, "\n")+1:], ":")
			if outcome.Opened != opened || opened && outcome.Pieces != events.Some(4) || opened == (outcome.Failure != 0) {
				t.Errorf("outcome %+v", outcome)
			}
		})
	}
}

// A dead peer does not cost a timeout for each way, and who is silent in plain is not asked twice.
func TestOneTimeoutIsEnough(t *testing.T) {
	s := serveEach(t, peer.untilLeft)
	s.Timeout = 200 * time.Millisecond
	s.run(t.Context())
	if got, want := s.negotiated(), "tcp plain: handshake, timeout"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
	s = newServed(silentDialer{}, netip.MustParseAddrPort("127.0.0.1:1"))
	s.Encryption, s.Timeout = session.EncryptionAllow, 50*time.Millisecond
	s.run(t.Context())
	if got, want := s.negotiated(), "tcp plain: dial, timeout"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
}

// Clients that do not know encryption may wait for the rest of what they take for a handshake.
func TestSilenceAboutEncryptionIsFollowedByPlain(t *testing.T) {
	s := serveEach(t, peer.untilLeft, hello)
	s.Encryption, s.Timeout = session.EncryptionPrefer, 300*time.Millisecond
	s.run(t.Context())
	if got, want := s.negotiated(), "tcp mse: encryption, timeout\ntcp plain"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
}

// What worked is tried first the next time, and what worked then the time after that.
func TestTheWayThatWorkedIsTriedFirst(t *testing.T) {
	s := serveEach(t, deaf, encrypting(library.CryptoMethodRC4, hello), encrypting(library.CryptoMethodRC4, hello), deaf, hello, hello)
	var want []string
	for _, lines := range []string{"tcp plain: handshake, closed by peer\ntcp mse rc4", "tcp mse rc4", "tcp mse: encryption, closed by peer\ntcp plain", "tcp plain"} {
		want = append(want, lines)
		if outcome := s.run(t.Context()); !outcome.Opened {
			t.Errorf("outcome %+v", outcome)
		}
		if got := s.negotiated(); got != strings.Join(want, "\n") {
			t.Fatalf("negotiated\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	}
}

// The try that came furthest is what came of a contact, and the first of those.
func TestOutcomeOfSeveralTries(t *testing.T) {
	other := func(p peer) {
		p.write(wire.Handshake{InfoHash: events.InfoHash([]byte("another swarm's hash")), PeerID: theirID}.Append(nil))
	}
	cases := []struct {
		name    string
		scripts []func(peer)
		utp     session.Dialer
		want    events.Reason
	}{
		{"refused, then nothing", nil, silentDialer{}, events.ReasonRefused},
		{"refused, then a failure of ours", nil, failingDialer{netfail.New(events.ReasonNoLocalAddress, "")}, events.ReasonRefused},
		{"hung up twice, then nothing", []func(peer){deaf, func(p peer) { p.write(make([]byte, 800)) }}, silentDialer{}, events.ReasonClosedByPeer},
		{"hung up, then somebody else", []func(peer){deaf, encrypting(library.CryptoMethodRC4, other)}, silentDialer{}, events.ReasonInfoHashMismatch},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServed(failingDialer{netfail.New(events.ReasonRefused, "")}, netip.MustParseAddrPort("127.0.0.1:1"))
			if c.scripts != nil {
				s = serveEach(t, c.scripts...)
			}
			s.Encryption, s.UTP, s.Timeout = session.EncryptionAllow, c.utp, time.Second
			if outcome := s.run(t.Context()); outcome.Failure != c.want {
				t.Errorf("failed because of %v, want %v, of\n%s", outcome.Failure, c.want, s.negotiated())
			}
		})
	}
}

// tickets counts who waits for one more connection.
type tickets struct{ contacts []events.ContactNumber }

func (p *tickets) Wait(_ context.Context, n events.ContactNumber) { p.contacts = append(p.contacts, n) }

func TestEachFurtherConnectionWaitsForItsTurn(t *testing.T) {
	s := serveEach(t, deaf, encrypting(library.CryptoMethodRC4, hello))
	pace := &tickets{}
	s.Pace = pace
	s.run(t.Context())
	if want := []events.ContactNumber{7}; !slices.Equal(pace.contacts, want) {
		t.Errorf("waited %v, want %v", pace.contacts, want)
	}
}

func TestStoppingInAnEncryptedHandshake(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serveEach(t, func(p peer) { p.read(96); cancel(); p.untilLeft() })
	s.Encryption = session.EncryptionPrefer
	s.run(ctx)
	if got, want := s.negotiated(), "tcp mse: encryption, canceled"; got != want {
		t.Errorf("negotiated\n%s\nwant\n%s", got, want)
	}
}

// initiating lets a script play on a connection that the peer encrypts.
func initiating(hash events.InfoHash, offered library.CryptoMethod, script func(peer)) func(peer) {
	return func(p peer) {
		stream, _, err := library.InitiateHandshake(p.Conn, hash[:], nil, offered)
		if script == nil {
			return
		}
		if err != nil {
			p.t.Errorf("the peer's encrypted handshake: %v", err)
			return
		}
		script(peer{p.t, obfuscated{p.Conn, stream}})
	}
}

// guest is a peer that connects to us.
func guest(p peer) {
	p.write(answer(plain))
	p.readHandshake()
	p.write(frame(events.Bitfield, 0xf0, 0))
}

var incomingWays = []struct {
	name       string
	encryption session.Encryption
	script     func(peer)
	want       string
}{
	{"plain", session.EncryptionAllow, guest, "tcp plain"},
	{"rc4", session.EncryptionAllow, initiating(infoHash, library.CryptoMethodRC4, guest), "tcp mse rc4"},
	{"plain payload", session.EncryptionAllow, initiating(infoHash, library.CryptoMethodPlaintext, guest), "tcp mse plaintext"},
	{"both", session.EncryptionPrefer, initiating(infoHash, library.AllSupportedCrypto, guest), "tcp mse plaintext"},
	{"both, where rc4 is required", session.EncryptionRequire, initiating(infoHash, library.AllSupportedCrypto, guest), "tcp mse rc4"},
	{"plain, where encryption is required", session.EncryptionRequire, func(p peer) { p.write(answer(plain)); p.closedByObserver() },
		"tcp plain: handshake, encryption required"},
	{"for an unknown torrent", session.EncryptionAllow, initiating(events.InfoHash([]byte("another swarm's hash")), library.CryptoMethodRC4, nil),
		"tcp mse: encryption, unknown info hash"},
	{"another protocol", session.EncryptionAllow, func(p peer) { p.write([]byte(strings.Repeat("GET / HTTP/1.1\r\n", 100))); p.closedByObserver() },
		"tcp mse: encryption, unknown protocol"},
	{"another protocol that waits", session.EncryptionAllow, func(p peer) { p.write([]byte("GET / HTTP/1.1\r\n\r\n")); p.closedByObserver() },
		"tcp mse: encryption, timeout"},
	{"hangs up in the key", session.EncryptionAllow, func(p peer) { p.write([]byte("x")) }, "tcp mse: encryption, truncated"},
	{"agrees, and is silent", session.EncryptionAllow, initiating(infoHash, library.CryptoMethodRC4, func(p peer) { p.closedByObserver() }),
		"tcp mse rc4: handshake, timeout"},
	{"agrees, and speaks another protocol", session.EncryptionAllow, initiating(infoHash, library.CryptoMethodRC4, func(p peer) {
		p.write([]byte(strings.Repeat("x", 96)))
		p.closedByObserver()
	}), "tcp mse rc4: handshake, unknown protocol"},
	{"where encryption may not be", session.EncryptionOff, func(p peer) { p.write(make([]byte, 96)); p.closedByObserver() }, "tcp plain: handshake, unknown protocol"},
}

func TestWaysOfArrivals(t *testing.T) {
	for _, c := range incomingWays {
		t.Run(c.name, func(t *testing.T) {
			s := newServed(nil, netip.AddrPort{})
			s.Encryption = c.encryption
			if c.encryption != session.EncryptionOff {
				s.Encrypted = mse.NewReceiver(mse.ReceiverOptions{Torrents: slices.Values([]events.InfoHash{infoHash}), RC4Only: c.encryption == session.EncryptionRequire})
			}
			if strings.HasSuffix(c.want, "timeout") {
				s.Timeout = 300 * time.Millisecond
			}
			outcome := arrive(t, s, t.Context(), c.script)
			if got := s.negotiated(); got != c.want {
				t.Errorf("negotiated\n%s\nwant\n%s", got, c.want)
			}
			if outcome.Opened && outcome.Pieces != events.Some(4) {
				t.Errorf("outcome %+v", outcome)
			}
		})
	}
}
