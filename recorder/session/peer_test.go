package session_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
	"btda/recorder/wire"
)

var (
	ourID    = events.PeerID([]byte("-BD0001-ourselfourse"))
	theirID  = events.PeerID([]byte("-XX0001-themthemthem"))
	infoHash = events.InfoHash([]byte("info hash of a swarm"))
)

const patience = 10 * time.Second // for what must happen, however slow the machine

// torrent has 16 pieces, of which 15 are complete.
func torrent() session.Torrent {
	return session.Torrent{Number: 1, InfoHash: infoHash, Pieces: 16, Complete: 15}
}

// peer is a scripted peer: one end of a connection.
type peer struct {
	t *testing.T
	net.Conn
}

// shake reads the handshake of the observer and answers it.
func (p peer) shake(reserved wire.Reserved) wire.Handshake {
	p.t.Helper()
	theirs := p.readHandshake()
	p.write(answer(reserved))
	return theirs
}

func answer(reserved wire.Reserved) []byte {
	return wire.Handshake{Reserved: reserved, InfoHash: infoHash, PeerID: theirID}.Append(nil)
}

func (p peer) readHandshake() wire.Handshake {
	p.t.Helper()
	h, err := wire.ParseHandshake(p.read(wire.HandshakeSize))
	if err != nil {
		p.t.Error(err)
	}
	return h
}

func (p peer) read(n int) []byte {
	p.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(p, b); err != nil {
		p.t.Errorf("read from the observer: %v", err)
	}
	return b
}

// message reads one message and gives it without its length.
func (p peer) message() []byte {
	p.t.Helper()
	return p.read(int(binary.BigEndian.Uint32(p.read(4))))
}

func (p peer) write(b ...[]byte) {
	p.t.Helper()
	for _, b := range b {
		if _, err := p.Write(b); err != nil {
			p.t.Errorf("write %q: %v", b, err)
		}
	}
}

// untilLeft reads until the observer hangs up.
func (p peer) untilLeft() { io.Copy(io.Discard, p) }

func frame(kind events.MessageKind, payload ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)))
	return append(append(b, byte(kind)), payload...)
}

func have(index uint32) []byte {
	return frame(events.Have, binary.BigEndian.AppendUint32(nil, index)...)
}

func extended(number uint8, payload string) []byte {
	return wire.AppendExtended(nil, number, []byte(payload))
}

// plain supports no extension, modern the two that the observer speaks.
var (
	plain  wire.Reserved
	modern = wire.OurReserved(false)
)

// served is an observer, its log, and a peer to contact.
type served struct {
	*session.Observer
	log     *eventstest.Log
	contact session.Contact
	played  <-chan struct{} // closed after the script; nil where run need not wait for it
}

func newServed(dialer session.Dialer, address netip.AddrPort) *served {
	log := eventstest.NewLog()
	return &served{
		Observer: &session.Observer{Log: log, Dialer: dialer, PeerID: ourID, Client: "btda test", Timeout: patience},
		log:      log,
		contact:  session.Contact{Number: 7, Torrent: torrent(), Address: address, Progress: new(session.Progress)},
	}
}

// run contacts the peer and waits for the end of its script.
func (s *served) run(ctx context.Context) session.Outcome {
	outcome := s.Contact(ctx, &s.contact)
	if s.played != nil {
		<-s.played
	}
	return outcome
}

// serve starts a peer on a real port on loopback. It plays a script on the first connection and then closes it in order.
func serve(t *testing.T, script func(peer)) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		script(peer{t, conn})
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	s := newServed(session.TCP{}, l.Addr().(*net.TCPAddr).AddrPort())
	s.played = done
	return s
}

var (
	changing = regexp.MustCompile(` (dial-duration|handshake-duration|longest-wait|longest-content-wait|log-wait|duration|address|since)=\S+`)
	counted  = regexp.MustCompile(` (bytes-received|bytes-sent|messages-received|messages-sent)=\S+`)
)

// facts is the log without what differs from one run to the next, and from the session's opening on without that opening, the
// greeting, and the counts at the close.
func (s *served) facts() string {
	var lines []string
	for line := range strings.Lines(eventstest.Format(s.log.Records())) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), " ")
		line = counted.ReplaceAllString(changing.ReplaceAllString(line, ""), "")
		if strings.HasPrefix(line, "SessionOpened") || line == "MessageSent session=1 message=have-none length=1" ||
			strings.HasPrefix(line, "MessageSent session=1 message=extended length=") || !strings.Contains(line, "=") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// expect compares the facts with lines, indented as they may be.
func (s *served) expect(t *testing.T, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(want)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	if got, want := s.facts(), strings.Join(lines, "\n"); got != want {
		t.Errorf("recorded:\n%s\nwant:\n%s", got, want)
	}
}
