package tracker

import (
	"context"
	"net/netip"
	"net/url"
	"slices"

	"btda/events"
)

// Family is an address family over which a tracker is asked. Peers of one family are often known to a tracker only by announces that
// came over it (BEP 7, BEP 15), so a tracker that has addresses of both is asked over both.
type Family uint8

// The families.
const (
	AnyFamily Family = iota // whatever the tracker has
	IPv4
	IPv6
)

var familyNames = [...]string{"any family", "IPv4", "IPv6"}

// String gives the name.
func (f Family) String() string { return familyNames[f] }

// digit is what tells networks of package net apart.
func (f Family) digit() string { return [...]string{"", "4", "6"}[f] }

// entrySize is the size of a compact peer of the family, in bytes.
func (f Family) entrySize() int {
	if f == IPv4 {
		return events.CompactSize4
	}
	return events.CompactSize6
}

func (f Family) has(a netip.Addr) bool { return f == AnyFamily || familyOf(a) == f }

func familyOf(a netip.Addr) Family {
	if a.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}

// Families are those over which a tracker is to be asked, each on its own: both for a host name, since what it stands for may change.
// A URL that holds an address, or is of no use, is asked once.
func (c *Client) Families(tracker string) []Family {
	to, _, err := c.protocolOf(tracker)
	if err != nil || to.Hostname() == "" {
		return []Family{AnyFamily}
	}
	if _, err := netip.ParseAddr(to.Hostname()); err == nil {
		return []Family{AnyFamily}
	}
	return []Family{IPv4, IPv6}
}

// elsewhere tells that a tracker is not asked over a family, and nothing is said about it, because it is asked over the other one or
// because the failure is told by the other one.
func (c *Client) elsewhere(ctx context.Context, to *url.URL, f Family) bool {
	if f == AnyFamily {
		return false
	}
	addresses, err := c.config.lookUp(ctx, to.Hostname(), AnyFamily)
	if err != nil {
		return f != IPv4
	}
	reached := slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool { return !c.config.reaches(ctx, a) })
	if len(reached) > 0 {
		return !slices.ContainsFunc(reached, f.has)
	}
	return f != teller(addresses)
}

// teller is the family over which a tracker is asked that cannot be reached over any: the first that it has.
func teller(addresses []netip.Addr) Family {
	if slices.ContainsFunc(addresses, IPv4.has) {
		return IPv4
	}
	return IPv6
}
