package wire_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/input/bencode"
	"btda/recorder/wire"
)

// A handshake that is taken is written as the same bytes, and what begins it never looks wrong before it is whole.
func FuzzParseHandshake(f *testing.F) {
	f.Add(handshake.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := wire.ParseHandshake(b)
		if err != nil {
			return
		}
		if again := h.Append(nil); !bytes.Equal(again, b[:wire.HandshakeSize]) {
			t.Errorf("%q was written as %q", b, again)
		}
		for n := range wire.HandshakeSize {
			if err := wire.CheckProtocol(b[:n]); err != nil {
				t.Errorf("its first %d bytes: %v", n, err)
			}
		}
		prelude, err := wire.ParsePrelude(b[:wire.PreludeSize])
		if prelude.PeerID = h.PeerID; err != nil || prelude != h {
			t.Errorf("its prelude is %+v, %v", prelude, err)
		}
	})
}

// A head does not depend on what follows it, and its sizes add up.
func FuzzParseHead(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03\x14\x00\x64\x65"))
	f.Fuzz(func(t *testing.T, b []byte) {
		head, ok := wire.ParseHead(b)
		if !ok {
			if len(b) >= 6 {
				t.Errorf("%q has no head", b)
			}
			return
		}
		if again, _ := wire.ParseHead(b[:head.Size]); again != head {
			t.Errorf("%+v with, %+v without what follows", head, again)
		}
		if head.Payload() < 0 || head.Size+head.Payload() != 4+int(head.Length) {
			t.Errorf("%+v has a payload of %d bytes", head, head.Payload())
		}
	})
}

// What is kept of a handshake is sorted, unique, part of the input and no longer than it. A dictionary without anything wrong in it
// is not malformed.
func FuzzParseExtensionHandshake(f *testing.F) {
	f.Add([]byte("d1:ei0e4:ipv44:abcd1:md11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei132e1:pi6881e4:reqqi500e11:upload_onlyi0e1:v18:libtorrent/2.0.8.06:yourip4:abcde"))
	f.Add([]byte("d1:md6:ut_pexi256e6:ut_pexi1eee"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var e events.ExtensionHandshakeReceived
		wire.ParseExtensionHandshake(payload, &e)
		if !slices.IsSortedFunc(e.Extensions, compareStrictly) {
			t.Errorf("extensions %+v", e.Extensions)
		}
		kept := len(e.Client) + len(e.YourIP) + len(e.IPv4) + len(e.IPv6)
		for _, x := range e.Extensions {
			kept += len(x.Name)
		}
		if kept > len(payload) {
			t.Errorf("%d bytes were kept of %d", kept, len(payload))
		}
		if n, err := bencode.Prefix(payload); (err != nil || payload[0] != 'd') && !e.Malformed {
			t.Errorf("not malformed, though %d bytes of a dictionary: %v", n, err)
		}
		var again events.ExtensionHandshakeReceived
		wire.ParseExtensionHandshake(payload, &again)
		if !reflect.DeepEqual(e, again) {
			t.Errorf("%+v, then %+v", e, again)
		}
	})
}

func compareStrictly(a, b events.Extension) int {
	if a.Name == b.Name {
		return 1 // never in order
	}
	return strings.Compare(a.Name, b.Name)
}

// What we say about ourselves is read as we meant it.
func FuzzExtensionHandshake(f *testing.F) {
	f.Add(true, uint16(6884), uint16(250), "btda", []byte{127, 0, 0, 1})
	f.Fuzz(func(t *testing.T, exchange bool, port, queue uint16, client string, ip []byte) {
		yourIP, _ := netip.AddrFromSlice(ip)
		ours := wire.ExtensionHandshake{Exchange: exchange, Port: port, RequestQueue: int(queue), Client: client, YourIP: yourIP}
		payload := ours.Append(nil)
		if err := bencode.Check(payload); err != nil {
			t.Fatal(err)
		}
		var e events.ExtensionHandshakeReceived
		wire.ParseExtensionHandshake(payload, &e)
		if e.Malformed || e.Port.Value != uint64(port) || e.Port.Known != (port != 0) || e.RequestQueue != events.Some(uint64(queue)) || e.Client != client {
			t.Errorf("%q was read as %+v", payload, e)
		}
		if got, _ := netip.AddrFromSlice(e.YourIP); got != yourIP.Unmap() {
			t.Errorf("yourip %v, want %v", got, yourIP)
		}
		if has := slices.ContainsFunc(e.Extensions, func(x events.Extension) bool { return x.Name == wire.PeerExchangeName }); has != exchange {
			t.Errorf("ut_pex %v, want %v", has, exchange)
		}
	})
}

// A metadata message that is taken is written and read as the same message.
func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte("d8:msg_typei1e5:piecei0e10:total_sizei3eeabc"))
	f.Add([]byte("d8:msg_typei0e5:piecei0ee"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := wire.ParseMetadata(payload)
		if err != nil {
			return
		}
		again, err := wire.ParseMetadata(m.Append(nil))
		if err != nil || again.Type != m.Type || again.Piece != m.Piece || again.TotalSize != m.TotalSize || !bytes.Equal(again.Data, m.Data) {
			t.Errorf("%q: %+v, then %+v, %v", payload, m, again, err)
		}
	})
}
