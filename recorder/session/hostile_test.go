package session_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"btda/events"
	"btda/recorder/session"
)

// What peers send on purpose or by mistake, over real sockets. Each is recorded and changes nothing; one ends the session.
func TestHostilePeers(t *testing.T) {
	const closedByPeer = "SessionClosed session=1 by=peer reason=closed-by-peer"
	cases := []struct{ name, sends, want string }{
		{"a huge length", "\xff\xff\xff\xff\x05", `
			LimitReached session=1 torrent=1 limit=frame-length value=4294967295 bound=65536
			SessionClosed session=1 by=us reason=limit-exceeded`},
		{"a length just above the bound", "\x00\x01\x00\x01\x05", `
			LimitReached session=1 torrent=1 limit=frame-length value=65537 bound=65536
			SessionClosed session=1 by=us reason=limit-exceeded`},
		{"an index that is the piece count", string(have(16)), "HaveReceived session=1 piece=16\n" + closedByPeer},
		{"a huge index", string(have(1<<32 - 1)), "HaveReceived session=1 piece=4294967295\n" + closedByPeer},
		{"a have that is too long", string(frame(events.Have, 0, 0, 0, 1, 0)), "MessageReceived session=1 message=have length=6\n" + closedByPeer},
		{"a have that is too short", string(frame(events.Have, 0)), "MessageReceived session=1 message=have length=2\n" + closedByPeer},
		{"a have without an index", string(frame(events.Have)), "MessageReceived session=1 message=have length=1\n" + closedByPeer},
		{"a port that is too short", string(frame(events.Port, 1)), "MessageReceived session=1 message=port length=2\n" + closedByPeer},
		{"a port that is too long", string(frame(events.Port, 1, 2, 3)), "MessageReceived session=1 message=port length=4\n" + closedByPeer},
		{"a have-all with more in it", string(frame(events.HaveAll, 1)), "MessageReceived session=1 message=have-all length=2\n" + closedByPeer},
		{"a short bitfield", string(frame(events.Bitfield, 0xff)), "BitfieldReceived session=1 bitfield=11111111\n" + closedByPeer},
		{"a long bitfield", string(frame(events.Bitfield, 0xff, 0xff, 0xff)), "BitfieldReceived session=1 bitfield=111111111111111111111111\n" + closedByPeer},
		{"an empty bitfield", string(frame(events.Bitfield)), "BitfieldReceived session=1\n" + closedByPeer},
		{"an extended message without a number", string(frame(events.Extended)), "MessageReceived session=1 message=extended length=1\n" + closedByPeer},
		{"a dont-have that is too short", string(extended(3, "\x00")), "MessageReceived session=1 message=extended extension=3 length=3\n" + closedByPeer},
		{"metadata that is nonsense", string(extended(2, "nonsense")), "MessageReceived session=1 message=extended extension=2 length=10\n" + closedByPeer},
		{"an extension handshake that is nonsense", string(extended(0, "i1e")),
			"ExtensionHandshakeReceived session=1 malformed=true length=3 raw=693165\n" + closedByPeer},
		{"an end within a message", "\x00\x00\x00\x05\x04\x00", "SessionClosed session=1 by=peer reason=truncated"},
		{"an end within a length", "\x00", "SessionClosed session=1 by=peer reason=truncated"},
		{"an end within what is passed over", string(frame(events.Piece, make([]byte, 3000)...)[:2000]), "SessionClosed session=1 by=peer reason=truncated"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, func(p peer) { p.shake(modern); p.write([]byte(c.sends)) })
			outcome := s.run(t.Context())
			s.expect(t, c.want)
			if outcome.Start != session.StartUnknown || outcome.Pieces.Known || outcome.Complete {
				t.Errorf("outcome %+v", outcome)
			}
		})
	}
}

func TestSpareBits(t *testing.T) {
	s := serve(t, func(p peer) { p.shake(plain); p.write(frame(events.Bitfield, 0xff, 0xff)) })
	s.contact.Torrent.Pieces = 15
	if outcome := s.run(t.Context()); outcome.Complete || outcome.Pieces.Known {
		t.Errorf("outcome %+v", outcome)
	}
	s.expect(t, `
		BitfieldReceived session=1 bitfield=1111111111111111
		SessionClosed session=1 by=peer reason=closed-by-peer`)
}

// Of an extension handshake the first 16 KiB are kept and parsed.
func TestLargeExtensionHandshake(t *testing.T) {
	payload := append([]byte("d1:pi6881e1:v40000:"), bytes.Repeat([]byte("v"), 40_000)...)
	s := serve(t, func(p peer) { p.shake(modern); p.write(extended(0, string(payload)), have(3)) })
	s.run(t.Context())
	var got *events.ExtensionHandshakeReceived
	var limit *events.LimitReached
	var haves int
	for _, r := range s.log.Records() {
		switch e := r.Event.(type) {
		case *events.ExtensionHandshakeReceived:
			got = e
		case *events.LimitReached:
			limit = e
		case *events.HaveReceived:
			haves++
		}
	}
	if got == nil || got.Port != events.Some(6881) || !got.Malformed || int(got.Length) != len(payload) || !bytes.Equal(got.Raw, payload[:16<<10]) {
		t.Errorf("recorded %d bytes of %d", len(got.Raw), got.Length)
	}
	if limit == nil || limit.Limit != events.LimitExtensionHandshake || limit.Value != uint64(len(payload)) || limit.Bound != 16<<10 {
		t.Errorf("limit %+v", limit)
	}
	if haves != 1 {
		t.Errorf("%d haves after it, want 1", haves)
	}
}

// Nothing is lost of a bitfield that is larger than any buffer.
func TestLargeBitfield(t *testing.T) {
	field := make([]byte, 100_000)
	for i := range len(field) / 2 {
		binary.BigEndian.PutUint16(field[2*i:], uint16(i))
	}
	s := serve(t, func(p peer) { p.shake(plain); p.write(frame(events.Bitfield, field...), have(7)) })
	s.contact.Torrent.Pieces, s.contact.Torrent.Complete = 800_000, 800_000
	outcome := s.run(t.Context())
	records := s.log.Records()
	if got := records[1].Event.(*events.BitfieldReceived).Bitfield; !bytes.Equal(got, field) {
		t.Errorf("recorded %d bytes that differ from the %d sent", len(got), len(field))
	}
	if got := records[2].Event.(*events.HaveReceived).Piece; got != 7 || !outcome.Pieces.Known {
		t.Errorf("then piece %d, and %v pieces", got, outcome.Pieces)
	}
}

func TestTooManyMessagesInAVisit(t *testing.T) {
	s := serve(t, func(p peer) {
		p.shake(plain)
		for range 10 {
			p.Write(frame(events.Unchoke))
		}
		p.untilLeft()
	})
	s.Visit, s.contact.Torrent.MaxMessages = true, 3
	outcome := s.run(t.Context())
	s.expect(t, `
		MessageReceived session=1 message=unchoke length=1
		MessageReceived session=1 message=unchoke length=1
		MessageReceived session=1 message=unchoke length=1
		LimitReached session=1 torrent=1 limit=messages value=3 bound=3
		SessionClosed session=1 by=us reason=limit-exceeded`)
	if outcome.Closed != events.ReasonLimitExceeded || outcome.By != events.Us {
		t.Errorf("outcome %+v", outcome)
	}
}

// A bitfield of a wrong length is recorded as received even where it is large.
func TestLargeBitfieldOfAWrongLength(t *testing.T) {
	s := serve(t, func(p peer) { p.shake(plain); p.write(frame(events.Bitfield, make([]byte, 60_000)...)) })
	s.run(t.Context())
	if got, ok := s.log.Records()[1].Event.(*events.BitfieldReceived); !ok || len(got.Bitfield) != 60_000 {
		t.Errorf("recorded:\n%.500s", s.facts())
	}
}
