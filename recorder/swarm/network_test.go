package swarm

import (
	"net/netip"
	"testing"
	"time"
)

func TestOneNetworkIsSparedAndOthersAreNot(t *testing.T) {
	o := plain
	o.NetworkDialRate = 2
	s := New(o)
	s.Offer(1, addresses(0, 3)...) // one /24
	s.Offer(1, address(256), address(512))
	for _, want := range []netip.AddrPort{address(0), address(256), address(512)} {
		if c := next(t, s, 0); c.Address != want {
			t.Errorf("contact %v, want %v", c.Address, want)
		}
	}
	none(t, s, 0, 500*time.Millisecond)
	s.Offer(1, address(3)) // behind those that are parked
	for n, at := range []time.Duration{500 * time.Millisecond, time.Second, 1500 * time.Millisecond} {
		if c := next(t, s, at); c.Address != address(1+n) {
			t.Errorf("contact %v, want %v", c.Address, address(1+n))
		}
	}
	if _, ok := s.Wake(start.Add(time.Hour)); ok || len(s.networks.known) > 0 && s.networks.parked > 0 {
		t.Error("a peer waits, want none")
	}
}

func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.200", "2001:db8:7:1::1": "2001:db8:7:2::1", "::ffff:192.0.2.9": "192.0.2.7",
	} {
		a, aOK := networkOfText(text)
		b, bOK := networkOfText(want)
		if !aOK || !bOK || a != b {
			t.Errorf("%s and %s are of two networks, %v and %v", text, want, a, b)
		}
	}
	for text, other := range map[string]string{"192.0.2.7": "192.0.3.7", "2001:db8:7::1": "2001:db8:8::1", "1.2.3.4": "102:300::"} {
		a, _ := networkOfText(text)
		if b, _ := networkOfText(other); a == b {
			t.Errorf("%s and %s are of one network", text, other)
		}
	}
	for _, text := range []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"} {
		if _, ok := networkOfText(text); ok {
			t.Errorf("%s has a network, want none for this host", text)
		}
	}
}

func networkOfText(text string) (networkKey, bool) {
	k := keyOf(1, netip.AddrPortFrom(netip.MustParseAddr(text), 1))
	return networkOf(&k)
}
