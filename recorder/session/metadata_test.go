package session_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
	"btda/recorder/wire"
)

const metadataPiece = 16 << 10

// truth is metadata of four pieces.
var truth = func() []byte {
	b := make([]byte, 3*metadataPiece+777)
	for i := range b {
		b[i] = byte(i * i >> 7)
	}
	return b
}()

// magnetSwarm is peers that say something about the metadata of a torrent, and observers of all of them.
type magnetSwarm struct {
	*session.Observer
	t        *testing.T
	log      *eventstest.Log
	metadata *session.Metadata
	known    chan []byte // what was taken
	contacts sync.WaitGroup
}

func newMagnetSwarm(t *testing.T) *magnetSwarm {
	t.Helper()
	s := &magnetSwarm{t: t, log: eventstest.NewLog(), known: make(chan []byte, 1)}
	s.Observer = &session.Observer{Log: s.log, Dialer: session.TCP{}, PeerID: ourID, Client: "btda test", Timeout: patience, Revisit: time.Hour}
	s.metadata = session.NewMetadata(session.MetadataOptions{
		InfoHash: sha1.Sum(truth), MaxSize: 1 << 20, Pool: session.NewMetadataPool(1 << 20),
		Take: func(info []byte, _ events.SessionNumber) (session.Torrent, error) {
			s.known <- info
			return session.Torrent{Number: 1, InfoHash: sha1.Sum(truth), Pieces: 16, Complete: 15}, nil
		},
	})
	t.Cleanup(s.contacts.Wait)
	return s
}

// script is what a peer says of the metadata.
type script struct {
	says   int                                    // the size that it claims
	answer func(piece int) []wire.MetadataMessage // to a request
	first  [][]byte                               // messages right after the handshakes
	lasts  time.Duration                          // after which it hangs up; 0 for never
}

// honest gives the truth.
var honest = script{says: len(truth), answer: func(piece int) []wire.MetadataMessage { return give(truth, piece) }}

func give(metadata []byte, piece int) []wire.MetadataMessage {
	from := min(piece*metadataPiece, len(metadata))
	return []wire.MetadataMessage{{
		Type: wire.MetadataData, Piece: uint32(piece), TotalSize: events.Some(uint64(len(metadata))),
		Data: metadata[from:min(from+metadataPiece, len(metadata))],
	}}
}

// meet lets the observer contact a peer that plays a script, on an address of its own. The peer hangs up at the end of the test, if not before.
func (s *magnetSwarm) meet(number int, with script) (over <-chan struct{}) {
	s.t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.9.%d:0", number%250))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	s.contacts.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		with.play(conn, number)
	})
	ended := make(chan struct{})
	s.contacts.Go(func() {
		defer close(ended)
		contact := &session.Contact{Number: events.ContactNumber(number), Address: l.Addr().(*net.TCPAddr).AddrPort(),
			Torrent: session.Torrent{Number: 1, InfoHash: sha1.Sum(truth), Metadata: s.metadata}}
		s.Contact(s.t.Context(), contact)
	})
	return ended
}

// play talks until the other side hangs up.
func (with script) play(conn net.Conn, number int) {
	defer conn.Close()
	if with.lasts > 0 {
		conn.SetDeadline(time.Now().Add(with.lasts))
	}
	if _, err := io.ReadFull(conn, make([]byte, wire.HandshakeSize)); err != nil {
		return
	}
	var id events.PeerID
	copy(id[:], fmt.Sprintf("-XX0001-%012d", number))
	said := wire.Handshake{Reserved: modern, InfoHash: sha1.Sum(truth), PeerID: id}.Append(nil)
	said = append(said, extended(0, fmt.Sprintf("d1:md11:ut_metadatai7ee13:metadata_sizei%dee", with.says))...)
	conn.Write(append(said, bytes.Join(with.first, nil)...))
	for {
		var prefix [4]byte
		if _, err := io.ReadFull(conn, prefix[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint32(prefix[:]))
		if _, err := io.ReadFull(conn, message); err != nil {
			return
		}
		if len(message) < 2 || message[0] != byte(events.Extended) || message[1] != 7 {
			continue
		}
		asked, err := wire.ParseMetadata(message[2:])
		if err != nil || asked.Type != wire.MetadataRequest || with.answer == nil {
			continue
		}
		for _, m := range with.answer(int(asked.Piece)) {
			conn.Write(extended(wire.MetadataID, string(m.Append(nil))))
		}
	}
}

// await waits until the metadata is known, and checks it.
func (s *magnetSwarm) await(within time.Duration) {
	s.t.Helper()
	select {
	case info := <-s.known:
		if !bytes.Equal(info, truth) {
			s.t.Error("taken is not the metadata")
		}
	case <-time.After(within):
		s.t.Fatalf("no metadata after %v:\n%s", within, eventstest.Format(s.log.Records()))
	}
}

// failed gives why each contact failed to give the metadata.
func (s *magnetSwarm) failed() map[events.ContactNumber]events.Reason {
	sessions, reasons := make(map[events.SessionNumber]events.ContactNumber), make(map[events.ContactNumber]events.Reason)
	for _, r := range s.log.Records() {
		switch e := r.Event.(type) {
		case *events.SessionOpened:
			sessions[e.Session] = e.Contact
		case *events.MetadataFailed:
			reasons[sessions[e.Session]] = e.Reason
		}
	}
	return reasons
}

// liars are peers that give no metadata, or bad metadata, each in its way.
var liars = []struct {
	name string
	script
	want events.Reason
}{
	{"claims 4 GiB", script{says: 4 << 30}, events.ReasonTooLarge},
	{"other bytes", script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
		return give(bytes.Repeat([]byte{7}, len(truth)), piece)
	}}, events.ReasonHashMismatch},
	{"one wrong byte", script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
		wrong := bytes.Clone(truth)
		wrong[2*metadataPiece] ^= 1
		return give(wrong, piece)
	}}, events.ReasonHashMismatch},
	{"a piece that is too long", script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
		m := give(truth, piece)
		m[0].Data = append(bytes.Clone(m[0].Data), "more"...)
		return m
	}}, events.ReasonSizeMismatch},
	{"pieces that overlap", script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
		m := give(truth, piece)
		m[0].Data = truth[max(0, piece*metadataPiece-100):min(len(truth), (piece+1)*metadataPiece)]
		if piece == 0 {
			m[0].Data = truth[:metadataPiece+100]
		}
		return m
	}}, events.ReasonSizeMismatch},
	{"another size in the answer", script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
		m := give(truth, piece)
		m[0].TotalSize = events.Some(12)
		return m
	}}, events.ReasonSizeMismatch},
	{"another size, and metadata of that size", script{says: 100, answer: func(piece int) []wire.MetadataMessage {
		return give(make([]byte, 100), piece)
	}}, events.ReasonHashMismatch},
	{"refuses", script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
		return []wire.MetadataMessage{{Type: wire.MetadataReject, Piece: uint32(piece)}}
	}}, events.ReasonRejected},
	{"pieces that nobody asked for, without end", script{says: len(truth), answer: func(int) []wire.MetadataMessage {
		return slices.Repeat(give(make([]byte, 2000*metadataPiece), 1999), 50)
	}}, 0},
	{"a size that nobody else has, and no answer", script{says: 1 << 20}, events.ReasonSizeMismatch},
}

// Each liar alone is found out, and what it says is never taken.
func TestLiarsAreFoundOut(t *testing.T) {
	for _, liar := range liars {
		if liar.want == 0 || liar.says == 1<<20 {
			continue // is told by others only, or after a timeout
		}
		t.Run(liar.name, func(t *testing.T) {
			s := newMagnetSwarm(t)
			s.meet(1, liar.script)
			if err := s.log.Wait(t.Context(), eventstest.Has(events.KindMetadataFailed, 1)); err != nil {
				t.Fatal(err)
			}
			if got := s.failed()[1]; got != liar.want {
				t.Errorf("failed because of %v, want %v", got, liar.want)
			}
			if s.metadata.Known() != nil {
				t.Error("it was taken")
			}
		})
	}
}

// Ten liars and one honest peer at once: the metadata is found all the same, and those who lied in what they gave are known.
func TestOneHonestPeerAmongLiars(t *testing.T) {
	s := newMagnetSwarm(t)
	for i, liar := range liars {
		s.meet(i+1, liar.script)
	}
	if err := s.log.Wait(t.Context(), eventstest.Has(events.KindExtensionHandshakeReceived, len(liars))); err != nil {
		t.Fatal(err)
	}
	s.meet(99, honest)
	s.await(2 * patience)
	s.awaitFailed(1, events.ReasonTooLarge)
	s.awaitFailed(7, events.ReasonHashMismatch)
	s.awaitFailed(10, events.ReasonSizeMismatch)
	if reason, failed := s.failed()[99]; failed {
		t.Errorf("the honest peer failed because of %v", reason)
	}
}

// awaitFailed waits until it is told why a contact gave no metadata.
func (s *magnetSwarm) awaitFailed(contact events.ContactNumber, want events.Reason) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	if err := s.log.Wait(ctx, func([]events.Record) bool { return s.failed()[contact] == want }); err != nil {
		s.t.Errorf("contact %d: %v, want that it failed because of %v:\n%s", contact, err, want, eventstest.Format(s.log.Records()))
	}
}

// A peer that claims all pieces for itself, says nothing and comes back at once when its session is over, keeps no other from being asked.
func TestWhoComesBackKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	s := newMagnetSwarm(t)
	ctx, cancel := context.WithCancel(t.Context())
	var coming sync.WaitGroup
	defer coming.Wait()
	defer cancel()
	coming.Go(func() {
		for number := 1; ctx.Err() == nil; number++ {
			<-s.meet(number, script{says: len(truth), lasts: time.Second})
		}
	})
	if err := s.log.Wait(t.Context(), eventstest.Has(events.KindExtensionHandshakeReceived, 1)); err != nil {
		t.Fatal(err)
	}
	s.meet(99, honest)
	s.await(patience)
}

// Where pieces of several peers do not fit together, each has to give all: the metadata is found, and then it is known who lied.
func TestALiarAmongSeveralIsFoundOutInTheEnd(t *testing.T) {
	t.Parallel()
	s := newMagnetSwarm(t)
	s.meet(1, script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
		if piece >= 2 {
			return nil
		}
		return give(bytes.Repeat([]byte{7}, len(truth)), piece)
	}})
	if err := s.log.Wait(t.Context(), eventstest.Has(events.KindMessageReceived, 2)); err != nil {
		t.Fatal(err)
	}
	s.meet(2, honest)
	s.await(3 * patience)
	s.awaitFailed(1, events.ReasonHashMismatch)
	if reason, failed := s.failed()[2]; failed {
		t.Errorf("the honest peer failed because of %v", reason)
	}
}

// The pieces may come from several peers, each of which has only some.
func TestPiecesComeFromSeveralPeers(t *testing.T) {
	t.Parallel()
	s := newMagnetSwarm(t)
	for number := range 2 {
		s.meet(number+1, script{says: len(truth), answer: func(piece int) []wire.MetadataMessage {
			if piece%2 == number {
				return give(truth, piece)
			}
			return nil // it never answers for the others
		}})
	}
	s.await(2 * patience)
}

// A session that began before the metadata was known learns what its peer has by it: one at the threshold is left.
func TestRunningSessionsLearnTheMetadata(t *testing.T) {
	for name, first := range map[string][][]byte{
		"bitfield":            {frame(events.Bitfield, 0xff, 0xfe)},
		"bitfield, then have": {frame(events.Bitfield, 0x7f, 0xfe), have(0)},
		"have all, dont have": {frame(events.HaveAll), extended(wire.DontHaveID, "\x00\x00\x00\x07")},
		"haves":               {bytes.Join(haves(15), nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMagnetSwarm(t)
			s.meet(1, script{first: first}) // has no metadata
			if err := s.log.Wait(t.Context(), eventstest.Has(events.KindExtensionHandshakeReceived, 1)); err != nil {
				t.Fatal(err)
			}
			s.meet(2, honest)
			s.await(patience)
			if err := s.log.Wait(t.Context(), eventstest.Has(events.KindSessionClosed, 1)); err != nil {
				t.Fatal(err)
			}
			for _, r := range s.log.Records() {
				if e, ok := r.Event.(*events.SessionClosed); ok && (e.Session != 1 || e.Reason != events.ReasonComplete) {
					t.Errorf("%+v, want session 1 to be left as complete", e)
				}
			}
		})
	}
}

func haves(count uint32) (messages [][]byte) {
	for i := range count {
		messages = append(messages, have(i))
	}
	return messages
}
