package recorder

import (
	"net/netip"
	"slices"

	"btda/events"
)

// rules say which addresses may be dialled.
type rules struct {
	excluded exclusions
	own      map[netip.AddrPort]bool
	families []int // of addresses that we can connect from, as their lengths in bits; none is all
}

func newRules(excluded exclusions, own []events.Address, bind []netip.Addr) rules {
	r := rules{excluded: excluded, own: make(map[netip.AddrPort]bool)}
	for _, a := range bind {
		r.families = append(r.families, a.BitLen())
	}
	for _, a := range own {
		r.own[a.AddrPort] = true
	}
	return r
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// judge gives the reason why an address that a source named is never dialled, or 0. The source's own address is of scope from.
func (r rules) judge(from events.Scope, a events.Address) events.Reason {
	switch {
	case a.Port() == 0:
		return events.ReasonPortZero
	case a.Scope == events.ScopeUnspecified, a.Scope == events.ScopeUnknown:
		return events.ReasonUnspecified
	case a.Scope == events.ScopeMulticast, a.Addr() == broadcast:
		return events.ReasonMulticast
	case r.excluded.contain(a.Addr()):
		return events.ReasonExcluded
	case !mayName(from, a.Scope):
		return events.ReasonForeignScope
	case r.own[a.AddrPort]:
		return events.ReasonOwnAddress
	case len(r.families) > 0 && !slices.Contains(r.families, a.Addr().Unmap().BitLen()):
		return events.ReasonNoLocalAddress
	}
	return 0
}

// mayName tells whether a source in one scope may name addresses of another: those of its own and of wider ones.
func mayName(from, to events.Scope) bool {
	switch {
	case to == events.ScopePublic, to == from, from == events.ScopeLoopback:
		return true
	case from == events.ScopePrivate, from == events.ScopeLinkLocal:
		return to == events.ScopePrivate || to == events.ScopeLinkLocal
	}
	return false
}
