package recorder

import (
	"net/netip"
	"testing"

	"btda/events"
)

func TestRulesJudge(t *testing.T) {
	own := []events.Address{events.AddressOf(netip.MustParseAddrPort("10.0.0.5:6884"))}
	r := newRules(exclusions{netip.MustParsePrefix("8.8.8.0/24")}, own, nil)
	const public, private, loopback, linkLocal = events.ScopePublic, events.ScopePrivate, events.ScopeLoopback, events.ScopeLinkLocal
	for _, c := range []struct {
		from    events.Scope
		address string
		want    events.Reason
	}{
		{public, "1.2.3.4:5", 0},
		{public, "[2a00::1]:5", 0},
		{public, "1.2.3.4:0", events.ReasonPortZero},
		{public, "0.0.0.0:5", events.ReasonUnspecified},
		{public, "[::]:5", events.ReasonUnspecified},
		{public, "224.0.0.1:5", events.ReasonMulticast},
		{public, "[ff02::1]:5", events.ReasonMulticast},
		{loopback, "255.255.255.255:5", events.ReasonMulticast},
		{loopback, "8.8.8.8:5", events.ReasonExcluded},
		{public, "127.0.0.1:5", events.ReasonForeignScope},
		{public, "[::1]:5", events.ReasonForeignScope},
		{public, "10.0.0.1:5", events.ReasonForeignScope},
		{public, "169.254.1.1:5", events.ReasonForeignScope},
		{public, "192.0.2.1:5", events.ReasonForeignScope},
		{events.ScopeUnknown, "10.0.0.1:5", events.ReasonForeignScope},
		{private, "10.0.0.1:5", 0},
		{private, "1.2.3.4:5", 0},
		{private, "[fe80::1]:5", 0},
		{private, "127.0.0.1:5", events.ReasonForeignScope},
		{linkLocal, "192.168.0.1:5", 0},
		{loopback, "127.0.0.1:5", 0},
		{loopback, "10.0.0.1:5", 0},
		{private, "10.0.0.5:6884", events.ReasonOwnAddress},
		{private, "10.0.0.5:6885", 0},
	} {
		if got := r.judge(c.from, events.AddressOf(netip.MustParseAddrPort(c.address))); got != c.want {
			t.Errorf("%s named by a source of %v scope: %v, want %v", c.address, c.from, got, c.want)
		}
	}
}

// Where we connect from IPv4 only, an IPv6 address would fail again and again.
func TestRulesJudgeFamilies(t *testing.T) {
	r := newRules(nil, nil, []netip.Addr{netip.MustParseAddr("192.0.2.7")})
	for address, want := range map[string]events.Reason{"1.2.3.4:5": 0, "[::ffff:1.2.3.4]:5": 0, "[2a00::1]:5": events.ReasonNoLocalAddress} {
		if got := r.judge(events.ScopePublic, events.AddressOf(netip.MustParseAddrPort(address))); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}
