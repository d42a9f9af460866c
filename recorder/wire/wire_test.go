package wire_test

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/anacrolix/torrent/peer_protocol"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/wire"
)

var handshake = wire.Handshake{
	Reserved: wire.OurReserved(false),
	InfoHash: events.InfoHash([]byte("info hash of a swarm")),
	PeerID:   events.PeerID([]byte("-BD0001-ourselfourse")),
}

func TestHandshake(t *testing.T) {
	b := handshake.Append(nil)
	want := "\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x04info hash of a swarm-BD0001-ourselfourse"
	if string(b) != want || len(b) != wire.HandshakeSize {
		t.Errorf("got %q, want %q", b, want)
	}
	if got, err := wire.ParseHandshake(append(b, "what follows"...)); err != nil || got != handshake {
		t.Errorf("parsed %+v, %v", got, err)
	}
}

// The bits are those that another implementation gives to them.
func TestReserved(t *testing.T) {
	for _, dht := range []bool{false, true} {
		want := peer_protocol.NewPeerExtensionBytes(peer_protocol.ExtensionBitFast, peer_protocol.ExtensionBitLtep)
		want.SetBit(peer_protocol.ExtensionBitDht, dht)
		got := wire.OurReserved(dht)
		if got != wire.Reserved(want) {
			t.Errorf("dht %v: %x, want %x", dht, got, want)
		}
		if !got.Extensions() || !got.Fast() || got.DHT() != dht {
			t.Errorf("dht %v: bits are not read as they are written", dht)
		}
	}
	if none := (wire.Reserved{}); none.Extensions() || none.Fast() || none.DHT() {
		t.Error("a side that supports nothing supports something")
	}
}

func TestHandshakeThatIsNone(t *testing.T) {
	whole := handshake.Append(nil)
	cases := []struct {
		name  string
		bytes []byte
		check events.Reason // of CheckProtocol
		parse events.Reason
	}{
		{"nothing yet", nil, 0, events.ReasonTruncated},
		{"a part of the name", whole[:7], 0, events.ReasonTruncated},
		{"one byte short", whole[:wire.HandshakeSize-1], 0, events.ReasonTruncated},
		{"HTTP", []byte("HTTP/1.1 400 Bad Request\r\n"), events.ReasonUnknownProtocol, events.ReasonUnknownProtocol},
		{"one byte of something else", []byte{0x14}, events.ReasonUnknownProtocol, events.ReasonUnknownProtocol},
		{"another version of the name", bytes.Replace(whole, []byte("protocol"), []byte("Protocol"), 1), events.ReasonUnknownProtocol, events.ReasonUnknownProtocol},
	}
	for _, c := range cases {
		if got, _ := netfail.Classify(wire.CheckProtocol(c.bytes)); got != c.check {
			t.Errorf("%s: check: %v, want %v", c.name, got, c.check)
		}
		_, err := wire.ParseHandshake(c.bytes)
		if got, _ := netfail.Classify(err); got != c.parse {
			t.Errorf("%s: parse: %v, want %v", c.name, got, c.parse)
		}
	}
}

func TestParseHead(t *testing.T) {
	cases := []struct {
		bytes string
		want  wire.Head
		ok    bool
	}{
		{"", wire.Head{}, false},
		{"\x00\x00\x00", wire.Head{}, false},
		{"\x00\x00\x00\x00", wire.Head{Kind: events.KeepAlive, Size: 4}, true},
		{"\xff\xff\xff\xff", wire.Head{Length: 1<<32 - 1}, false},
		{"\x00\x00\x00\x05\x04", wire.Head{Kind: events.Have, Length: 5, Size: 5}, true},
		{"\x00\x00\x00\x01\x63", wire.Head{Kind: 99, Length: 1, Size: 5}, true},
		{"\x00\x00\x00\x01\x14", wire.Head{Kind: events.Extended, Length: 1, Size: 5}, true},
		{"\x00\x00\x00\x02\x14\x03", wire.Head{Kind: events.Extended, Extension: 3, Length: 2, Size: 6}, true},
	}
	for _, c := range cases {
		if got, ok := wire.ParseHead([]byte(c.bytes)); ok != c.ok || got != c.want {
			t.Errorf("%q: %+v %v, want %+v %v", c.bytes, got, ok, c.want, c.ok)
		}
	}
	if _, ok := wire.ParseHead([]byte("\x00\x00\x00\x02\x14")); ok {
		t.Error("an extended message without its number is taken for whole")
	}
}

func TestBound(t *testing.T) {
	for pieces, least := range map[uint32]uint32{0: 1 + 256<<10, 1: 16<<10 + 100, 100_000: 1 + 12_500, 8_000_000: 1 + 1_000_000} {
		if got := wire.Bound(pieces); got < least || got > 2*least+64<<10 {
			t.Errorf("%d pieces: %d, want %d to about twice that", pieces, got, least)
		}
	}
}

func TestPayloadsOfWrongLength(t *testing.T) {
	for _, b := range []string{"", "\x00\x00\x00", "\x00\x00\x00\x00\x00"} {
		if _, ok := wire.ParseIndex([]byte(b)); ok {
			t.Errorf("%q is taken for an index", b)
		}
		if _, ok := wire.ParsePort([]byte(b)); ok {
			t.Errorf("%q is taken for a port", b)
		}
	}
	if i, ok := wire.ParseIndex([]byte("\x00\x01\x00\x02")); i != 65538 || !ok {
		t.Errorf("index %d, %v", i, ok)
	}
	if p, ok := wire.ParsePort([]byte("\x1a\xe4")); p != 6884 || !ok {
		t.Errorf("port %d, %v", p, ok)
	}
}

// emptyHash is the SHA-1 of nothing.
const emptyHash = "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09"

func TestWhatWeSay(t *testing.T) {
	everything := wire.ExtensionHandshake{Exchange: true, Port: 6884, RequestQueue: 250, Client: "btda 1", YourIP: netip.MustParseAddr("::ffff:127.0.0.1")}
	cases := []struct{ name, got, want string }{
		{"keep-alive", string(wire.AppendKeepAlive(nil)), "\x00\x00\x00\x00"},
		{"have-none", string(wire.AppendHaveNone(nil)), "\x00\x00\x00\x01\x0f"},
		{"extended", string(wire.AppendExtended(nil, 7, []byte("de"))), "\x00\x00\x00\x04\x14\x07de"},
		{"handshake", string(everything.Append(nil)),
			"d1:md11:lt_donthavei3e6:lt_texi4e11:ut_metadatai2e6:ut_pexi1ee1:pi6884e4:reqqi250e2:tr20:" + emptyHash + "1:v6:btda 16:yourip4:\x7f\x00\x00\x01e"},
		{"handshake for a private torrent, not listening", string(wire.ExtensionHandshake{}.Append(nil)),
			"d1:md11:lt_donthavei3e11:ut_metadatai2ee4:reqqi0e1:v0:e"},
		{"request", string(wire.MetadataMessage{Type: wire.MetadataRequest}.Append(nil)), "d8:msg_typei0e5:piecei0ee"},
		{"reject", string(wire.MetadataMessage{Type: wire.MetadataReject, Piece: 3}.Append(nil)), "d8:msg_typei2e5:piecei3ee"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestParseExtensionHandshake(t *testing.T) {
	cases := []struct {
		name, payload string
		want          events.ExtensionHandshakeReceived
	}{
		{"libtorrent's", "d12:complete_agoi1e1:md11:lt_donthavei7e11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei132e4:reqqi500e11:upload_onlyi0e1:v18:libtorrent/2.0.8.06:yourip4\x3a\x7f\x00\x00\x01e",
			events.ExtensionHandshakeReceived{Extensions: []events.Extension{{Name: "lt_donthave", ID: 7}, {Name: "ut_metadata", ID: 2}, {Name: "ut_pex", ID: 1}},
				MetadataSize: events.Some(132), RequestQueue: events.Some(500), UploadOnly: events.Some(0), Client: "libtorrent/2.0.8.0", YourIP: []byte{127, 0, 0, 1}}},
		{"extensions out of order", "d1:md6:ut_pexi1e11:ut_metadatai2eee",
			events.ExtensionHandshakeReceived{Extensions: []events.Extension{{Name: "ut_metadata", ID: 2}, {Name: "ut_pex", ID: 1}}}},
		{"numbers out of range", "d1:md1:ai256e1:bi-1e1:ci255ee1:pi65536e4:reqqi-5ee",
			events.ExtensionHandshakeReceived{Extensions: []events.Extension{{Name: "c", ID: 255}}, Malformed: true}},
		{"mistyped fields", "d1:eli1ee1:mi3e1:p4:68814:reqqi9e1:vi1e6:yourip3:abce",
			events.ExtensionHandshakeReceived{RequestQueue: events.Some(9), Malformed: true}},
		{"the rest of what else there is", "d1:ei1e4:ipv44:\x01\x02\x03\x044:ipv616:abcdefghijklmnop1:pi6881ee",
			events.ExtensionHandshakeReceived{Encrypted: events.Some(1), IPv4: []byte{1, 2, 3, 4}, IPv6: []byte("abcdefghijklmnop"), Port: events.Some(6881)}},
		{"a key twice", "d1:pi1e1:pi2ee", events.ExtensionHandshakeReceived{Port: events.Some(1), Malformed: true}},
		{"an extension twice", "d1:ei1e1:md6:ut_pexi1e6:ut_pexi2eee", events.ExtensionHandshakeReceived{Encrypted: events.Some(1), Malformed: true}},
		{"cut off", "d1:pi6881e4:reqqi5e1:v20:libtor", events.ExtensionHandshakeReceived{Port: events.Some(6881), RequestQueue: events.Some(5), Malformed: true}},
		{"a number beyond 64 bits", "d1:pi6881e4:reqqi99999999999999999999e1:v1:xe", events.ExtensionHandshakeReceived{Port: events.Some(6881), Malformed: true}},
		{"bytes after it", "d1:pi6881eeNNNN", events.ExtensionHandshakeReceived{Port: events.Some(6881)}},
		{"a list", "le", events.ExtensionHandshakeReceived{Malformed: true}},
		{"nothing", "", events.ExtensionHandshakeReceived{Malformed: true}},
		{"too deep", "d1:m" + strings.Repeat("l", 5000), events.ExtensionHandshakeReceived{Malformed: true}},
		{"an empty one", "de", events.ExtensionHandshakeReceived{}},
	}
	for _, c := range cases {
		var got events.ExtensionHandshakeReceived
		wire.ParseExtensionHandshake([]byte(c.payload), &got)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

func TestParseMetadata(t *testing.T) {
	got, err := wire.ParseMetadata([]byte("d8:msg_typei1e5:piecei0e10:total_sizei3eeabc"))
	want := wire.MetadataMessage{Type: wire.MetadataData, TotalSize: events.Some(3), Data: []byte("abc")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("data: %+v, %v", got, err)
	}
	for _, bad := range []string{"", "i1e", "le", "de", "d8:msg_typei0ee", "d8:msg_typei3e5:piecei0ee", "d8:msg_typei0e5:piecei-1ee",
		"d8:msg_typei1e5:piecei0e10:total_sizei-1ee", "d8:msg_type1:05:piecei0ee", "d8:msg_typei0e5:piecei4294967296ee", "d8:msg_type"} {
		_, err := wire.ParseMetadata([]byte(bad))
		if reason, _ := netfail.Classify(err); reason != events.ReasonMalformed {
			t.Errorf("%q: %v, want malformed", bad, err)
		}
		if e := new(netfail.Error); !errors.As(err, &e) {
			t.Errorf("%q: error of type %T", bad, err)
		}
	}
}
