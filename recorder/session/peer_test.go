package session_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
	"btda/recorder/wire"
)

var (
	ourID     = events.PeerID([]byte("-BD0001-ourselfourse"))
	theirID   = events.PeerID([]byte("-XX0001-themthemthem"))
	infoHash  = events.InfoHash([]byte("info hash of a swarm"))
	testLimit = 10 * time.Second // for what must happen, however slow the machine
)

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
	theirs := p.readHandshake()
	p.write(wire.Handshake{Reserved: reserved, InfoHash: infoHash, PeerID: theirID}.Append(nil))
	return theirs
}

func (p peer) readHandshake() wire.Handshake {
	p.t.Helper()
	b := make([]byte, wire.HandshakeSize)
	if _, err := io.ReadFull(p, b); err != nil {
		p.t.Errorf("read the observer's handshake: %v", err)
	}
	h, err := wire.ParseHandshake(b)
	if err != nil {
		p.t.Error(err)
	}
	return h
}

func (p peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Errorf("write %q: %v", b, err)
	}
}

func frame(kind events.MessageKind, payload ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)))
	return append(append(b, byte(kind)), payload...)
}

func have(index uint32) []byte {
	return frame(events.Have, binary.BigEndian.AppendUint32(nil, index)...)
}

// served is an observer and a real TCP port on loopback on which a scripted peer serves.
type served struct {
	*session.Observer
	log     *eventstest.Log
	contact session.Contact
}

// serve starts a peer that plays a script on the first connection and then closes it.
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
		conn.SetDeadline(time.Now().Add(testLimit))
		script(peer{t, conn})
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return newServed(session.TCP{}, l.Addr().(*net.TCPAddr).AddrPort())
}

func newServed(dialer session.Dialer, address netip.AddrPort) *served {
	log := eventstest.NewLog()
	return &served{
		Observer: &session.Observer{Log: log, Dialer: dialer, PeerID: ourID, Client: "btda test", Timeout: time.Second},
		log:      log,
		contact:  session.Contact{Number: 7, Torrent: torrent(), Address: address},
	}
}

func (s *served) run(ctx context.Context) session.Outcome { return s.Contact(ctx, s.contact) }

// text is the log without what differs from one run to the next.
func (s *served) text() string {
	return eventstest.Format(s.log.Records())
}
