package session

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/events/pieces"
	"btda/recorder/wire"
)

func (c *chunks) Write(b []byte) (int, error)      { return len(b), nil }
func (c *chunks) Close() error                     { return nil }
func (c *chunks) SetDeadline(time.Time) error      { return nil }
func (c *chunks) SetReadDeadline(time.Time) error  { return nil }
func (c *chunks) SetWriteDeadline(time.Time) error { return nil }

func (c *chunks) Dial(context.Context, netip.AddrPort) (net.Conn, error) { return c, nil }

// Whatever a peer sends after its handshake: each message is recorded or counted once, the log ends with the end of the session, and what the
// session made of the peer's pieces is what the log says.
func FuzzSession(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03\x05\xf0\x00\x00\x00\x00\x05\x04\x00\x00\x00\x05"), []byte{3}, uint8(12))
	f.Fuzz(func(t *testing.T, said, sizes []byte, size uint8) {
		synctest.Test(t, func(t *testing.T) { observeSaid(t, said, sizes, uint32(size)) }) // a slowed peer takes no time
	})
}

func observeSaid(t *testing.T, said, sizes []byte, size uint32) {
	torrent := Torrent{Number: 1, InfoHash: events.InfoHash{1}, Pieces: size, Complete: 1000}
	stream := wire.Handshake{Reserved: wire.OurReserved(false), InfoHash: torrent.InfoHash}.Append(nil)
	log := eventstest.NewLog()
	o := Observer{Log: log, Dialer: &chunks{data: append(stream, said...), sizes: sizes}, PeerID: events.PeerID{2}, Timeout: time.Minute}
	outcome := o.Contact(t.Context(), &Contact{Torrent: torrent, Address: netip.MustParseAddrPort("127.0.0.1:1")})
	folded := fold(t, log.Records(), size)
	if outcome.Pieces.Known && outcome.Pieces.Value != uint64(folded) || !outcome.Pieces.Known && folded != 0 {
		t.Errorf("the session counts %v pieces, the log %d:\n%s", outcome.Pieces, folded, eventstest.Format(log.Records()))
	}
}

// fold counts the pieces that a log names and checks that all messages of its session are in it.
func fold(t *testing.T, records []events.Record, size uint32) uint32 {
	set, recorded := pieces.New(size), uint64(0)
	base, bits := events.Seq(0), []byte(nil)
	for _, r := range records {
		switch e := r.Event.(type) {
		case *events.SessionOpened, *events.MessageSent, *events.LimitReached:
			continue
		case *events.SessionClosed:
			if e.MessagesReceived != recorded {
				t.Errorf("%d messages came and %d are in the log", e.MessagesReceived, recorded)
			}
			continue
		case *events.MessagesSuppressed:
			recorded += e.Count
			continue
		case *events.BitfieldReceived:
			if set.Replace(e.Bitfield) == nil {
				base, bits = r.Seq, e.Bitfield
			}
		case *events.BitfieldChanged:
			if e.Base != base {
				t.Errorf("record %d is a difference to record %d, not to the base %d", r.Seq, e.Base, base)
			}
			bitfield := bytes.Clone(bits)
			if err := pieces.ApplyDifference(bitfield, e.Toggled); err != nil {
				t.Errorf("record %d: %v", r.Seq, err)
			}
			set.Replace(bitfield)
		case *events.HaveAllReceived:
			set.Fill()
		case *events.HaveNoneReceived:
			set.Clear()
		case *events.HaveReceived:
			set.Add(e.Piece)
		case *events.DontHaveReceived:
			set.Remove(e.Piece)
		}
		recorded++
	}
	if _, closed := records[len(records)-1].Event.(*events.SessionClosed); !closed {
		t.Error("the log does not end with the end of the session")
	}
	return set.Count()
}
