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
