package session

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
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
	ours := Torrent{Number: 1, InfoHash: events.InfoHash([]byte(strings.Repeat("h", 20))), Pieces: 16, Complete: 16}
	log := eventstest.NewLog()
	o := Observer{Log: log, PeerID: events.PeerID([]byte(strings.Repeat("p", 20))), Timeout: time.Minute}
	o.Serve(t.Context(), &Arrival{Conn: &chunks{data: bytes.Clone(said), sizes: sizes}, Address: netip.MustParseAddrPort("127.0.0.1:1"), Transport: events.TCP,
		Admit: func(hash events.InfoHash) (Torrent, error) {
			if hash != ours.InfoHash {
				return Torrent{}, netfail.New(events.ReasonUnknownInfoHash, "")
			}
			return ours, nil
		}})
	records := log.Records()
	first, last := records[0].Event, records[len(records)-1].Event
	h, err := wire.ParseHandshake(said)
	if err == nil && h.InfoHash == ours.InfoHash && h.PeerID != o.PeerID {
		if e, ok := first.(*events.SessionOpened); !ok || e.PeerID != h.PeerID || e.Reserved != h.Reserved || last.Kind() != events.KindSessionClosed {
			t.Errorf("a good handshake became\n%s", eventstest.Format(records))
		}
		return
	}
	failed, ok := first.(*events.ConnectionFailed)
	if !ok || len(records) != 1 || failed.Reason != reasonToRefuse(said, ours.InfoHash) {
		t.Errorf("recorded\n%s\nwant one failed connection because of %v", eventstest.Format(records), reasonToRefuse(said, ours.InfoHash))
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
