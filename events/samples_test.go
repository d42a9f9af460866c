package events_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"btda/events"
)

func addressOf(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

// encode gives the payload of an event.
func encode(t testing.TB, e events.Event) []byte {
	t.Helper()
	payload, err := new(events.Encoder).Append(nil, e)
	if err != nil {
		t.Fatalf("%v: %v", e.Kind(), err)
	}
	return payload
}

// sampleConnectionFailed is what most events of a run are like.
var sampleConnectionFailed = &events.ConnectionFailed{Contact: 1234567, Torrent: 7, Direction: events.Outgoing, Transport: events.TCP,
	Encryption: events.Plain, Phase: events.PhaseDial, Reason: events.ReasonTimeout, Duration: 6 * time.Second,
	Address: events.AddressOf(addressOf("203.0.114.7:51413")), InfoHash: bytes.Repeat([]byte{0xab}, 20), PeerID: []byte("-TR3000-abcdefghijkl")}

var sampleHaveReceived = &events.HaveReceived{Session: 123456, Piece: 2345}

// hotSamples are events of the kinds that make up most of a log, as they are in one.
func hotSamples() []events.Event {
	var peers events.PeerList
	for i := range byte(50) {
		peers.Append(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 101, i}), 51413))
	}
	peer := events.AddressOf(addressOf("203.0.114.7:51413"))
	return []events.Event{
		sampleHaveReceived,
		&events.BitfieldReceived{Session: 123456, Bitfield: bytes.Repeat([]byte{0xaa}, 500)},
		&events.MessageReceived{Session: 123456, Message: events.KeepAlive},
		sampleConnectionFailed,
		&events.SessionOpened{Session: 123456, Contact: 1234567, Torrent: 7, Direction: events.Outgoing, Transport: events.TCP,
			Encryption: events.Plain, Address: peer, Reserved: [8]byte{5: 0x10, 7: 5}, PeerID: events.PeerID([]byte("-TR3000-abcdefghijkl")),
			DialDuration: 31 * time.Millisecond, HandshakeDuration: 62 * time.Millisecond},
		&events.SessionClosed{Session: 123456, By: events.Peer, Reason: events.ReasonClosedByPeer, BytesReceived: 12345, BytesSent: 456,
			MessagesReceived: 345, MessagesSent: 12, LongestWait: 5 * time.Second, LogWait: time.Millisecond, LongestContentWait: 6 * time.Second},
		&events.ExtensionHandshakeReceived{Session: 123456, Client: "Transmission 3.00", Port: events.Some(51413), RequestQueue: events.Some(512),
			Extensions:   []events.Extension{{Name: "upload_only", ID: 3}, {Name: "ut_metadata", ID: 200}, {Name: "ut_pex", ID: 1}},
			MetadataSize: events.Some(31235), YourIP: []byte{203, 0, 114, 7}, Length: 300, Raw: bytes.Repeat([]byte{'r'}, 300)},
		&events.TrackerAnnounced{Torrent: 7, Tracker: "http://tracker.example.org:6969/announce", Event: events.AnnounceRegular, Remote: peer,
			Duration: 85 * time.Millisecond, Interval: events.Some(1800), Seeders: events.Some(12), Leechers: events.Some(345), Peers: peers},
	}
}
