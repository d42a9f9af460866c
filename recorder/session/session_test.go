package session_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
)

func TestWhatIsSaidToAPeer(t *testing.T) {
	var said []byte
	s := serve(t, func(p peer) {
		if got := p.shake(modern); got.InfoHash != infoHash || got.PeerID != ourID || got.Reserved != modern {
			t.Errorf("the observer's handshake is %+v", got)
		}
		said = append(p.message(), p.message()...)
	})
	s.Port = 6884
	s.run(t.Context())
	want := "\x14\x00d1:md11:lt_donthavei3e6:lt_texi4e11:ut_metadatai2e6:ut_pexi1ee1:pi6884e4:reqqi250e" +
		"2:tr20:\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x091:v9:btda test6:yourip4:\x7f\x00\x00\x01e\x0f"
	if string(said) != want {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestNothingIsSaidThatAPeerDoesNotKnow(t *testing.T) {
	s := serve(t, func(p peer) { p.shake(plain) })
	outcome := s.run(t.Context())
	for _, r := range s.log.Records() {
		if sent, ok := r.Event.(*events.MessageSent); ok {
			t.Errorf("%+v was sent", sent)
		}
	}
	if want := (session.Outcome{Opened: true, By: events.Peer, Closed: events.ReasonClosedByPeer, PeerID: theirID}); outcome != want {
		t.Errorf("outcome %+v, want %+v", outcome, want)
	}
}

func TestPrivateTorrentsExchangeNoPeers(t *testing.T) {
	var said []byte
	s := serve(t, func(p peer) { p.shake(modern); said = p.message() })
	s.contact.Torrent.Private = true
	s.run(t.Context())
	if strings.Contains(string(said), "ut_pex") || !strings.Contains(string(said), "ut_metadata") {
		t.Errorf("said %q", said)
	}
}

func TestEveryFactIsRecordedInOrder(t *testing.T) {
	s := serve(t, func(p peer) {
		p.shake(modern)
		p.write(frame(events.HaveNone), have(0), have(3), frame(events.Port, 0x1a, 0xe1), frame(events.Unchoke), frame(99, 1, 2, 3),
			frame(events.Piece, make([]byte, 2000)...), []byte{0, 0, 0, 0}, extended(3, "\x00\x00\x00\x03"), extended(1, "de"), frame(events.HaveAll),
			frame(events.Bitfield, 0xff, 0x00))
	})
	outcome := s.run(t.Context())
	s.expect(t, `
		HaveNoneReceived session=1
		HaveReceived session=1
		HaveReceived session=1 piece=3
		PortReceived session=1 port=6881
		MessageReceived session=1 message=unchoke length=1
		MessageReceived session=1 message=message-99 length=4
		MessageReceived session=1 message=piece length=2001
		MessageReceived session=1 message=keep-alive
		DontHaveReceived session=1 piece=3
		PeersExchanged session=1
		HaveAllReceived session=1
		BitfieldReceived session=1 bitfield=1111111100000000
		SessionClosed session=1 by=peer reason=closed-by-peer`)
	if !outcome.Complete || outcome.Start != session.StartKnown || outcome.Pieces != events.Some(8) || outcome.Dropped() {
		t.Errorf("outcome %+v", outcome)
	}
	if got := s.contact.Progress.Pieces(); got != events.Some(8) {
		t.Errorf("progress %v, want 8", got)
	}
}

func TestCountsOfASession(t *testing.T) {
	s := serve(t, func(p peer) {
		p.shake(modern)
		p.write(frame(events.Bitfield, 0xf0, 0), have(9))
		p.message()
	})
	s.run(t.Context())
	records := s.log.Records()
	opened := records[0].Event.(*events.SessionOpened)
	closed := records[len(records)-1].Event.(*events.SessionClosed)
	if opened.Session != 1 || opened.Contact != 7 || opened.Torrent != 1 || opened.Direction != events.Outgoing || opened.Transport != events.TCP ||
		opened.Encryption != events.Plain || opened.Address != events.AddressOf(s.contact.Address) || opened.Reserved != modern || opened.PeerID != theirID ||
		opened.DialDuration <= 0 || opened.HandshakeDuration <= 0 {
		t.Errorf("opened %+v", opened)
	}
	sent := 68 + 4 + uint64(records[1].Event.(*events.MessageSent).Length) + 5
	if closed.BytesReceived != 68+7+9 || closed.BytesSent != sent || closed.MessagesReceived != 2 || closed.MessagesSent != 2 ||
		closed.LogWait <= 0 || closed.LongestWait < 0 {
		t.Errorf("closed %+v, want %d bytes sent", closed, sent)
	}
}

func TestBitfieldsAfterTheFirst(t *testing.T) {
	large := bytes.Repeat([]byte{0x55}, 100)
	one := bytes.Clone(large)
	one[50] |= 0x80
	two := bytes.Clone(one)
	two[60] |= 0x08
	flipped := bytes.Repeat([]byte{0xaa}, 100)
	field := func(b []byte) []byte { return frame(events.Bitfield, b...) }
	s := serve(t, func(p peer) {
		p.shake(plain)
		p.write(field(large), field(one), field(two), field(two), have(0), field(large), field(flipped), have(1), field(one), field(one[:99]))
	})
	s.contact.Torrent.Pieces, s.contact.Torrent.Complete = 800, 800
	s.run(t.Context())
	var got []string
	base := events.Seq(0) // the latest that is valid, and no other
	for _, r := range s.log.Records() {
		switch e := r.Event.(type) {
		case *events.BitfieldReceived:
			got = append(got, "whole")
			if len(e.Bitfield) == len(large) {
				base = r.Seq
			}
		case *events.BitfieldChanged:
			got = append(got, "change")
			if e.Base != base || len(e.Toggled) >= 100 {
				t.Errorf("a change of %d bytes to the record %d", len(e.Toggled), e.Base)
			}
		}
	}
	// After (have 1) the bits of the base are lost; all bits flipped are no smaller as a difference; the last is too short.
	if want := "whole change change change change whole whole whole"; strings.Join(got, " ") != want {
		t.Errorf("recorded as %v, want %v", got, want)
	}
}

func TestExtensionHandshake(t *testing.T) {
	const said = "d1:md11:ut_metadatai9e6:ut_pexi300ee1:pi51413e1:v4:test11:upload_onlyi1ee"
	s := serve(t, func(p peer) {
		p.shake(modern)
		p.write(extended(0, said))
	})
	outcome := s.run(t.Context())
	s.expect(t, `
		ExtensionHandshakeReceived session=1 extensions=[ut_metadata=9] client=test port=51413 upload-only=1 malformed=true length=73 raw=`+hex.EncodeToString([]byte(said))+`
		SessionClosed session=1 by=peer reason=closed-by-peer`)
	if outcome.ListenPort != events.Some(51413) {
		t.Errorf("listening port %v", outcome.ListenPort)
	}
}

func TestUnknownPieceCountIsNotJudged(t *testing.T) {
	s := serve(t, func(p peer) {
		p.shake(plain)
		p.write(have(1_000_000), frame(events.Bitfield, 0xff, 0xff, 0xff), frame(events.HaveAll))
	})
	s.contact.Torrent.Pieces, s.contact.Torrent.Complete = 0, 0
	outcome := s.run(t.Context())
	s.expect(t, `
		HaveReceived session=1 piece=1000000
		BitfieldReceived session=1 bitfield=111111111111111111111111
		HaveAllReceived session=1
		SessionClosed session=1 by=peer reason=closed-by-peer`)
	if outcome.Pieces.Known || outcome.Complete || outcome.Start != session.StartKnown {
		t.Errorf("outcome %+v", outcome)
	}
}

func TestMetadataRequestsAreRejected(t *testing.T) {
	var answer []byte
	s := serve(t, func(p peer) {
		p.shake(modern)
		p.message()
		p.message()
		p.write(extended(0, "d1:md11:ut_metadatai9eee"), extended(2, "d8:msg_typei0e5:piecei5ee"))
		answer = p.message()
	})
	s.run(t.Context())
	if want := "\x14\x09d8:msg_typei2e5:piecei5ee"; string(answer) != want {
		t.Errorf("answered %q, want %q", answer, want)
	}
	if err := s.log.Wait(t.Context(), eventstest.Has(events.KindMessageSent, 3)); err != nil {
		t.Error(err)
	}
}

func TestLogThatFails(t *testing.T) {
	broken := errors.New("disk on fire")
	s := serve(t, func(p peer) { p.shake(plain); p.untilLeft() })
	s.log.Fail(broken)
	if outcome := s.run(t.Context()); !errors.Is(outcome.Err, broken) || outcome.Closed != events.ReasonWriteFailed {
		t.Errorf("outcome %+v, want the error of the log", outcome)
	}
}
