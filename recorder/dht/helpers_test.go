package dht

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
)

// noNames knows no name.
type noNames struct{}

func (noNames) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func patiently(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	t.Cleanup(cancel)
	return ctx
}

func udpAddress(a netip.AddrPort) *net.UDPAddr { return net.UDPAddrFromAddrPort(a) }

func krpcAddress(a netip.AddrPort) krpc.NodeAddr {
	return krpc.NodeAddr{IP: a.Addr().AsSlice(), Port: int(a.Port())}
}

func isForeign(n krpc.NodeInfo) bool { return n.Addr.IP.To4() == nil }
