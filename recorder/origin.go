package recorder

import "net/netip"

// originOf gives what counts as one origin of incoming connections: an IPv4 address, or the /64 of IPv6 that one host has to itself. Many
// hosts may be behind one origin (NAT).
func originOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() || a.IsLoopback() {
		return a
	}
	const host = 64 // bits
	network, err := a.Prefix(host)
	if err != nil { // of no address
		return a
	}
	return network.Addr()
}
