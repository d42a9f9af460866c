package wire_test

import (
	"bytes"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/peer_protocol"

	"btda/events"
	"btda/recorder/wire"
)

// What another implementation writes is read as it was meant.
func TestParsePeerExchange(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("192.0.2.7:6881"), netip.MustParseAddrPort("[2001:db8::7]:6882")
	gone := netip.MustParseAddrPort("198.51.100.1:1")
	message := peer_protocol.PexMsg{
		Added:       krpc.CompactIPv4NodeAddrs{nodeAddress(v4)},
		AddedFlags:  []peer_protocol.PexPeerFlags{peer_protocol.PexPrefersEncryption},
		Added6:      krpc.CompactIPv6NodeAddrs{nodeAddress(v6)},
		Added6Flags: []peer_protocol.PexPeerFlags{peer_protocol.PexSeedUploadOnly | peer_protocol.PexSupportsUtp},
		Dropped:     krpc.CompactIPv4NodeAddrs{nodeAddress(gone)},
	}
	payload := message.Message(peer_protocol.ExtensionNumber(wire.PeerExchangeID)).ExtendedPayload
	got, err := wire.ParsePeerExchange(payload)
	want := wire.PeerExchange{Flags: []byte{1, 6}}
	want.Added.Append(v4)
	want.Added.Append(v6)
	want.Dropped.Append(gone)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q was read as %+v, %v", payload, got, err)
	}
}

func nodeAddress(a netip.AddrPort) krpc.NodeAddr {
	return krpc.NodeAddr{IP: net.IP(a.Addr().AsSlice()), Port: int(a.Port())}
}

func TestFlagsOfExchangedPeers(t *testing.T) {
	const one4, one6 = "\xc0\x00\x02\x01\x1a\xe1", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1a\xe1"
	cases := []struct {
		name, added, flags, added6, flags6 string
		want                               string
	}{
		{"none", one4, "", one6, "", ""},
		{"of IPv4 only", one4 + one4, "\x01\x02", one6, "", "\x01\x02"},
		{"fewer than peers", one4 + one4, "\x01", "", "", "\x01"},
		{"more than peers", one4, "\x01\x02\x03", "", "", "\x01"},
		{"fewer of IPv4 than peers, and of IPv6", one4 + one4, "\x01", one6, "\x04", "\x01\x00\x04"},
		{"of IPv6 only", one4, "", one6, "\x04\x05", "\x00\x04"},
	}
	for _, c := range cases {
		got, err := wire.ParsePeerExchange(dictionary("added", c.added, "added.f", c.flags, "added6", c.added6, "added6.f", c.flags6))
		if err != nil || string(got.Flags) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got.Flags, err, c.want)
		}
	}
}

// dictionary bencodes keys, which are in order, and their strings.
func dictionary(pairs ...string) []byte {
	b := []byte{'d'}
	for _, text := range pairs {
		b = append(strconv.AppendInt(b, int64(len(text)), 10), ':')
		b = append(b, text...)
	}
	return append(b, 'e')
}

func TestCutPeerExchange(t *testing.T) {
	whole := func() (p wire.PeerExchange) {
		for i := range byte(3) {
			p.Added.Append(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, i}), 1))
			p.Added.Append(netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 15: i}), 1))
			p.Dropped.Append(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 3, i}), 1))
		}
		p.Flags = []byte{0, 1, 2, 3, 4, 5}
		return p
	}
	for most := range 8 {
		p, before := whole(), whole()
		p.Cut(most)
		for i, a := range slices.Collect(p.Added.All()) {
			if a != before.Added.At(i) || int(p.Flags[i]) != i {
				t.Errorf("cut to %d: peer %d is %v with flags %d", most, i, a, p.Flags[i])
			}
		}
		if p.Added.Len() != min(most, 6) || len(p.Flags) != min(most, 6) || p.Dropped.Len() != min(most, 3) {
			t.Errorf("cut to %d: %+v", most, p)
		}
	}
}

func TestPeerExchangeThatIsNone(t *testing.T) {
	for _, payload := range []string{
		"", "nonsense", "le", "i1e", "d", "d5:added5:12345e", "d6:added617:12345678901234567e", "d7:dropped7:1234567e", "d8:dropped61:1e",
		"d5:addedi1ee", "d7:added.fle" + "e", "d5:added1000000:xe",
	} {
		if got, err := wire.ParsePeerExchange([]byte(payload)); err == nil {
			t.Errorf("%q was read as %+v", payload, got)
		}
	}
	if got, err := wire.ParsePeerExchange([]byte("de")); err != nil || got.Len() != 0 {
		t.Errorf("a message of nothing: %+v, %v", got, err)
	}
}

func TestParseTrackerExchange(t *testing.T) {
	cases := []struct {
		payload string
		want    []string
		valid   bool
	}{
		{"d5:addedl21:http://192.0.2.1:80/a7:udp://xee", []string{"http://192.0.2.1:80/a", "udp://x"}, true},
		{"de", nil, true},
		{"d5:addedlee", nil, true},
		{"d5:addedi1ee", nil, false},
		{"d5:addedli1eee", nil, false},
		{"le", nil, false},
		{"", nil, false},
		{"d5:addedl999999:xee", nil, false},
	}
	for _, c := range cases {
		got, err := wire.ParseTrackerExchange([]byte(c.payload))
		if !slices.Equal(got, c.want) || (err == nil) != c.valid {
			t.Errorf("%q was read as %q, %v", c.payload, got, err)
		}
	}
}

// What is taken of a message of PEX is whole entries, no more flags than peers, and no longer than the message.
func FuzzParsePeerExchange(f *testing.F) {
	f.Add([]byte("d5:added6:\xc0\x00\x02\x01\x1a\xe17:added.f1:\x018:added6.f0:7:dropped0:e"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := wire.ParsePeerExchange(payload)
		if err != nil {
			return
		}
		if len(p.Added.V4)%events.CompactSize4+len(p.Added.V6)%events.CompactSize6+len(p.Dropped.V4)%events.CompactSize4+len(p.Dropped.V6)%events.CompactSize6 != 0 {
			t.Errorf("%q has entries that are not whole: %+v", payload, p)
		}
		if taken := len(p.Added.V4) + len(p.Added.V6) + len(p.Dropped.V4) + len(p.Dropped.V6); taken > len(payload) || len(p.Flags) > p.Added.Len() {
			t.Errorf("%d bytes and %d flags of %d bytes", taken, len(p.Flags), len(payload))
		}
		again, err := wire.ParsePeerExchange(dictionary(
			"added", string(p.Added.V4), "added.f", string(p.Flags[:min(len(p.Flags), len(p.Added.V4)/events.CompactSize4)]),
			"added6", string(p.Added.V6), "added6.f", string(p.Flags[min(len(p.Flags), len(p.Added.V4)/events.CompactSize4):]),
			"dropped", string(p.Dropped.V4), "dropped6", string(p.Dropped.V6)))
		if err != nil || !bytes.Equal(again.Flags, p.Flags) || !slices.Equal(slices.Collect(again.Added.All()), slices.Collect(p.Added.All())) {
			t.Errorf("%+v was read again as %+v, %v", p, again, err)
		}
	})
}

// The URLs of a message are parts of it.
func FuzzParseTrackerExchange(f *testing.F) {
	f.Add([]byte("d5:addedl21:http://192.0.2.1:80/a7:udp://xee"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		urls, err := wire.ParseTrackerExchange(payload)
		if err != nil && urls != nil {
			t.Errorf("%q beside %v", urls, err)
		}
		if got := len(strings.Join(urls, "")); got > len(payload) {
			t.Errorf("%d bytes of URLs in %d bytes", got, len(payload))
		}
		for _, u := range urls {
			if !bytes.Contains(payload, []byte(u)) {
				t.Errorf("%q is no part of %q", u, payload)
			}
		}
	})
}
