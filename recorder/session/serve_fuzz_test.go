package session

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/mse"
	"btda/recorder/netfail"
	"btda/recorder/wire"
)

// Whatever a peer says that connects to us, and however it is cut up on its way: it becomes one failed connection, or a session exactly
// if it begins with a whole handshake for our torrent from another peer than ourselves.
func FuzzServe(f *testing.F) {
	f.Add([]byte("\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x05\x01\x00\x00"), []byte{3})
	f.Fuzz(func(t *testing.T, said, sizes []byte) {
		synctest.Test(t, func(t *testing.T) { serveSaid(t, said, sizes) })
	})
}

func serveSaid(t *testing.T, said, sizes []byte) {
	o := newHost()
	o.serve(t, &chunks{data: bytes.Clone(said), sizes: sizes})
	o.judge(t, said, events.Plain)
}

// FuzzServeEncrypted is FuzzServe where encryption is on. What a peer says comes behind an encrypted handshake, or in plain: then what is no
// handshake is taken for an encrypted one, which it is not.
func FuzzServeEncrypted(f *testing.F) {
	f.Add([]byte("\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x05\x01\x00\x00"), []byte{3}, true)
	f.Fuzz(func(t *testing.T, said, sizes []byte, agreed bool) {
		synctest.Test(t, func(t *testing.T) { serveEncrypted(t, said, sizes, agreed) })
	})
}

func serveEncrypted(t *testing.T, said, sizes []byte, agreed bool) {
	o := newHost()
	o.Encryption = EncryptionAllow
	o.Encrypted = mse.NewReceiver(mse.ReceiverOptions{Torrents: slices.Values([]events.InfoHash{o.torrent.InfoHash})})
	switch {
	case agreed:
		us, them := net.Pipe()
		played := make(chan struct{})
		go func() { defer close(played); initiate(t, them, &chunks{data: bytes.Clone(said), sizes: sizes}) }()
		o.serve(t, lenient{us})
		<-played
		o.judge(t, said, events.MSEPlaintext)
	case len(said) > 0 && wire.CheckProtocol(said) != nil:
		o.serve(t, &chunks{data: bytes.Clone(said), sizes: sizes})
		o.judgeEncryption(t)
	default:
		o.serve(t, &chunks{data: bytes.Clone(said), sizes: sizes})
		o.judge(t, said, events.Plain)
	}
}

// initiate makes an encrypted handshake, says something and hangs up.
func initiate(t *testing.T, below net.Conn, says *chunks) {
	defer below.Close()
	conn, err := mse.Initiator{Torrent: newHost().torrent.InfoHash}.Initiate(below)
	if err != nil {
		t.Errorf("the encrypted handshake: %v", err)
		return
	}
	deaf := make(chan struct{})
	go func() { defer close(deaf); io.Copy(io.Discard, below) }()
	io.Copy(conn, struct{ io.Reader }{says})
	below.Close()
	<-deaf
}

// lenient is a pipe on which a write to who has hung up goes nowhere, as by TCP.
type lenient struct{ net.Conn }

func (c lenient) Write(b []byte) (int, error) {
	if n, err := c.Conn.Write(b); !errors.Is(err, io.ErrClosedPipe) {
		return n, err
	}
	return len(b), nil
}

// host is an observer that others connect to, and its log.
type host struct {
	Observer
	log     *eventstest.Log
	torrent Torrent
}

func newHost() *host {
	log := eventstest.NewLog()
	return &host{
		Observer: Observer{Log: log, PeerID: events.PeerID([]byte(strings.Repeat("p", 20))), Timeout: time.Minute}, log: log,
		torrent: Torrent{Number: 1, InfoHash: events.InfoHash([]byte(strings.Repeat("h", 20))), Pieces: 16, Complete: 16},
	}
}

func (o *host) serve(t *testing.T, conn net.Conn) {
	o.Serve(t.Context(), &Arrival{Conn: conn, Address: netip.MustParseAddrPort("127.0.0.1:1"), Transport: events.TCP,
		Admit: func(hash events.InfoHash) (Torrent, error) {
			if hash != o.torrent.InfoHash {
				return Torrent{}, netfail.New(events.ReasonUnknownInfoHash, "")
			}
			return o.torrent, nil
		}})
}

// judge holds the log against what the peer said, and how it was encrypted.
func (o *host) judge(t *testing.T, said []byte, encryption events.Encryption) {
	records := o.log.Records()
	first, last := records[0].Event, records[len(records)-1].Event
	h, err := wire.ParseHandshake(said)
	if err == nil && h.InfoHash == o.torrent.InfoHash && h.PeerID != o.PeerID {
		if e, ok := first.(*events.SessionOpened); !ok || e.PeerID != h.PeerID || e.Reserved != h.Reserved || e.Encryption != encryption ||
			last.Kind() != events.KindSessionClosed {
			t.Errorf("a good handshake became\n%s", eventstest.Format(records))
		}
		return
	}
	want := reasonToRefuse(said, o.torrent.InfoHash)
	failed, ok := first.(*events.ConnectionFailed)
	if !ok || len(records) != 1 || failed.Reason != want || failed.Encryption != encryption || failed.Phase != events.PhaseHandshake {
		t.Errorf("recorded\n%s\nwant one failed handshake because of %v", eventstest.Format(records), want)
	}
}

// judgeEncryption holds the log against a peer that said what is no handshake, plain or encrypted.
func (o *host) judgeEncryption(t *testing.T) {
	records := o.log.Records()
	failed, ok := records[0].Event.(*events.ConnectionFailed)
	if !ok || len(records) != 1 || failed.Phase != events.PhaseEncryption || failed.Encryption != events.MSE || !isTurnedAway(failed.Reason) {
		t.Errorf("recorded\n%s\nwant one encrypted handshake that failed", eventstest.Format(records))
	}
}

// reasonToRefuse is why a peer that says something is refused.
func reasonToRefuse(said []byte, ours events.InfoHash) events.Reason {
	prelude, err := wire.ParsePrelude(said)
	switch {
	case len(said) == 0:
		return events.ReasonClosedByPeer
	case err == nil && prelude.InfoHash != ours:
		return events.ReasonUnknownInfoHash
	case err == nil && len(said) >= wire.HandshakeSize:
		return events.ReasonOwnPeerID
	case wire.CheckProtocol(said) != nil:
		return events.ReasonUnknownProtocol
	}
	return events.ReasonTruncated
}
