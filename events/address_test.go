package events_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"btda/events"
)

func TestScopeOf(t *testing.T) {
	for text, want := range map[string]events.Scope{
		"8.8.8.8": events.ScopePublic, "2606:4700::1": events.ScopePublic, "::ffff:8.8.8.8": events.ScopePublic,
		"10.1.2.3": events.ScopePrivate, "192.168.0.1": events.ScopePrivate, "172.31.255.255": events.ScopePrivate, "100.64.0.1": events.ScopePrivate, "fd00::1": events.ScopePrivate,
		"172.32.0.0": events.ScopePublic, "100.128.0.0": events.ScopePublic,
		"127.9.9.9": events.ScopeLoopback, "::1": events.ScopeLoopback, "::ffff:127.0.0.1": events.ScopeLoopback,
		"169.254.1.1": events.ScopeLinkLocal, "fe80::1": events.ScopeLinkLocal,
		"224.0.0.1": events.ScopeMulticast, "ff02::1": events.ScopeMulticast,
		"0.0.0.0": events.ScopeUnspecified, "::": events.ScopeUnspecified,
		"0.1.2.3": events.ScopeReserved, "192.0.2.1": events.ScopeReserved, "198.19.0.1": events.ScopeReserved, "255.255.255.255": events.ScopeReserved,
		"240.0.0.1": events.ScopeReserved, "2001:db8::1": events.ScopeReserved, "100::1": events.ScopeReserved,
	} {
		if got := events.ScopeOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if got := events.ScopeOf(netip.Addr{}); got != events.ScopeUnknown {
		t.Errorf("no address: %v", got)
	}
}

func TestAddressText(t *testing.T) {
	for _, text := range []string{"", "1.2.3.4:5", "[::1]:6", "1.2.3.4:5/private", "[2606:4700::1]:6/loopback", "10.0.0.1:1/scope 77"} {
		var a events.Address
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if again, err := a.MarshalText(); string(again) != text || err != nil {
			t.Errorf("%q became %q, error %v", text, again, err)
		}
	}
	for text, want := range map[string]string{"1.2.3.4": "ip:port", "host:5": "ip:port", "1.2.3.4:5/nowhere": "loopback", "1.2.3.4:70000": "ip:port"} {
		a := events.AddressOf(addressOf("9.9.9.9:9"))
		if err := a.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || a.Port() != 9 {
			t.Errorf("%q: %v, error %v", text, a, err)
		}
	}
	if mapped := events.AddressOf(addressOf("[::ffff:1.2.3.4]:5")); mapped != events.AddressOf(addressOf("1.2.3.4:5")) {
		t.Errorf("mapped address %v", mapped)
	}
	if zoned := events.AddressOf(addressOf("[fe80::1%eth0]:5")); zoned.Addr().Zone() != "" {
		t.Errorf("zoned address %v", zoned)
	}
}

func TestPeerList(t *testing.T) {
	var l events.PeerList
	for _, text := range []string{"[2606:4700::1]:6", "1.2.3.4:5", "[::ffff:9.9.9.9]:7"} {
		l.Append(addressOf(text))
	}
	l.Append(netip.AddrPort{})
	var got []string
	for a := range l.All() {
		got = append(got, a.String())
	}
	want := []string{"1.2.3.4:5", "9.9.9.9:7", "[2606:4700::1]:6"}
	if !slices.Equal(got, want) || l.Len() != 3 {
		t.Errorf("%d peers: %v, want %v", l.Len(), got, want)
	}
	l.Scopes = []byte{byte(events.ScopeLoopback)}
	if first, second := l.At(0).Scope, l.At(1).Scope; first != events.ScopeLoopback || second != events.ScopePublic {
		t.Errorf("scopes %v and %v", first, second)
	}
	for range l.All() {
		break // it can be left early
	}
}
