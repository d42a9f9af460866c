package dht

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	anacrolix "github.com/anacrolix/dht/v2"

	"btda/events"
	"btda/events/eventstest"
)

// The id fits to the address that others see, once enough of them agree (BEP 42).
func TestTheIDFitsToTheAddressThatOthersSee(t *testing.T) {
	for name, c := range map[string]struct {
		views []string
		want  string
	}{
		"nobody says":       {nil, ""},
		"too few":           {[]string{"5.5.5.5", "5.5.5.5"}, ""},
		"enough":            {[]string{"5.5.5.5", "5.5.5.5", "5.5.5.5"}, "5.5.5.5"},
		"most":              {[]string{"5.5.5.5", "5.5.5.5", "6.6.6.6", "5.5.5.5"}, "5.5.5.5"},
		"no majority":       {[]string{"5.5.5.5", "5.5.5.5", "5.5.5.5", "6.6.6.6", "7.7.7.7", "8.8.8.8"}, ""},
		"a private address": {[]string{"10.0.0.1", "10.0.0.1", "10.0.0.1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := newViews()
			for i, ours := range c.views {
				var compact events.PeerList
				compact.Append(netip.AddrPortFrom(netip.MustParseAddr(ours), 6881))
				v.add(address(fmt.Sprintf("9.9.9.%d:1", i+1)), compact.V4)
			}
			external, ok := v.external()
			if ok != (c.want != "") || ok && external.String() != c.want {
				t.Fatalf("%v, %v", external, ok)
			}
			t0 := table{id: newID(netip.Addr{})}
			if id, better := t0.secured(v); better {
				t1 := table{id: id}
				if _, again := t1.secured(v); again {
					t.Error("the new id does not fit either")
				}
			}
		})
	}
}

// The id follows when others see another address of ours: lookups go on, under the new id, which is kept.
func TestTheIDFollowsTheAddress(t *testing.T) {
	var seen atomic.Pointer[string]
	see := func(ip string) {
		var l events.PeerList
		l.Append(netip.AddrPortFrom(netip.MustParseAddr(ip), 6881))
		compact := "2:ip6:" + string(l.V4)
		seen.Store(&compact)
	}
	see("5.5.5.5")
	var bootstrap []string
	for i := range 4 {
		l := startLiar(t, fmt.Sprintf("127.0.0.%d", 10+i), func(m message) []string {
			return []string{"d" + *seen.Load() + response(m, fmt.Sprintf("%020d", i), tokenAnswer)[1:]}
		})
		bootstrap = append(bootstrap, l.address.String())
	}
	n := startNode(t, "127.0.0.1", beginWith(bootstrap...))
	fits := func(ip string) bool {
		return anacrolix.NodeIdSecure(n.server.Load().ID(), netip.MustParseAddr(ip).AsSlice())
	}
	n.lookUp(t, testRequest)
	first := n.server.Load().ID()
	var parts sync.WaitGroup
	defer parts.Wait()
	defer n.stop()
	if n.followAddress(t.Context(), &parts); n.server.Load().ID() != first || !fits("5.5.5.5") {
		t.Errorf("the id %x does not fit, or has changed without need", n.server.Load().ID())
	}
	see("6.6.6.6")
	n.lookUp(t, testRequest)
	n.followAddress(t.Context(), &parts)
	if !fits("6.6.6.6") {
		t.Errorf("the id %x does not fit to the new address", n.server.Load().ID())
	}
	if end := n.lookUp(t, testRequest); end.Answered != 4 || end.Reason != 0 {
		t.Errorf("afterwards: %s", eventstest.FormatEvent(end))
	}
	n.followAddress(t.Context(), &parts)
	if n.followAddress(t.Context(), &parts); !fits("6.6.6.6") {
		t.Error("the id has changed though nobody said anything new")
	}
}
