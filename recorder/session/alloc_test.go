package session

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/wire"
)

// nowhere is a log that keeps nothing.
type nowhere struct{}

func (nowhere) Now() events.Time                                                      { return 0 }
func (nowhere) Append(context.Context, events.Time, events.Event) (events.Seq, error) { return 1, nil }

// Neither haves nor other small messages take memory, however many come.
func TestMessagesAreNotAllocated(t *testing.T) {
	few, many := sessionAllocations(100), sessionAllocations(2000)
	if more := many - few; more > 5 {
		t.Errorf("%v allocations with 300 messages, %v more with 5,700 more", few, more)
	}
}

// sessionAllocations counts the allocations of a session in which so many haves, keep-alives and exchanges of peers come.
func sessionAllocations(messages uint32) float64 {
	stream := wire.Handshake{Reserved: wire.OurReserved(false)}.Append(nil)
	for i := range messages {
		stream = binary.BigEndian.AppendUint32(append(stream, 0, 0, 0, 5, byte(events.Have)), i)
		stream = wire.AppendExtended(wire.AppendKeepAlive(stream), wire.PeerExchangeID, []byte("d5:added0:e"))
	}
	return testing.AllocsPerRun(5, func() {
		o := Observer{Log: nowhere{}, Dialer: &chunks{data: bytes.Clone(stream)}, PeerID: events.PeerID{1}, Timeout: time.Minute}
		o.Contact(context.Background(), &Contact{Torrent: Torrent{Pieces: 10_000, Complete: 10_000}, Address: netip.MustParseAddrPort("127.0.0.1:1")})
	})
}

// A session that waits for the next message does not hold the bitfield that came before.
func TestWaitingSessionsHoldNoMessage(t *testing.T) {
	const pieces = 1 << 15
	stream := binary.BigEndian.AppendUint32(nil, 1+pieces/8)
	stream = append(append(stream, byte(events.Bitfield)), make([]byte, pieces/8)...)
	stream = append(stream, 0, 0) // half a length
	contact := Contact{Torrent: Torrent{Pieces: pieces, Complete: pieces}}
	s := newSession(t.Context(), &Observer{Log: nowhere{}}, link{conn: &chunks{data: stream}, contact: &contact})
	s.timers = s.firstTimers()
	for s.fill() == nil {
		s.receiveAll()
	}
	if s.begin != StartKnown || s.frames.large != nil {
		t.Errorf("start %v; a buffer is held: %v; want a known start and none", s.begin, s.frames.large != nil)
	}
}
