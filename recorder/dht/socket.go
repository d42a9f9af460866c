package dht

import (
	"context"
	"net"
	"net/netip"
)

// Names looks up host names. A *net.Resolver is one.
type Names interface {
	// LookupNetIP gives the addresses of a host on a network: "ip4" or "ip6".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// systemNames asks as the system is set up to.
var systemNames Names = net.DefaultResolver

// Listen opens a socket for a node at an address, of that family only. Port 0 stands for any.
func Listen(at netip.AddrPort) (net.PacketConn, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	return net.ListenPacket(network, at.String())
}
