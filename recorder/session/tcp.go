package session

import (
	"context"
	"net"
	"net/netip"

	"btda/events"
	"btda/recorder/netfail"
)

// TCP dials plain TCP.
type TCP struct {
	// Bind is the local addresses to connect from, at most one of each family; empty leaves the choice to the system. Peers of a
	// family without an address here are not dialled. A link-local IPv6 address has its zone, which is then that of all link-local
	// peers: nobody names one with a peer.
	Bind []netip.Addr
}

var _ Dialer = TCP{}

// Dial connects to a peer.
func (t TCP) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: -1} // sessions have keep-alives of their own
	if len(t.Bind) > 0 {
		from, err := t.local(to.Addr())
		if err != nil {
			return nil, err
		}
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		dialer.Control = bindLate
	}
	to, err := t.inZone(to)
	if err != nil {
		return nil, err
	}
	return dialer.DialContext(ctx, "tcp", to.String())
}

// inZone gives a link-local IPv6 address the zone of the local address.
func (t TCP) inZone(to netip.AddrPort) (netip.AddrPort, error) {
	if ip := to.Addr(); !ip.Is6() || !ip.IsLinkLocalUnicast() || ip.Zone() != "" {
		return to, nil
	}
	for _, from := range t.Bind {
		if zone := from.Zone(); zone != "" {
			return netip.AddrPortFrom(to.Addr().WithZone(zone), to.Port()), nil
		}
	}
	return to, netfail.New(events.ReasonNoLocalAddress, "no zone in which to look for "+to.String()+": want a link-local address with a zone to connect from")
}

// CheckLocal says whether connections can be made from an address: whether it is one of this host.
func CheckLocal(a netip.Addr) error {
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
	if err != nil {
		return err
	}
	return listener.Close()
}

func (t TCP) local(to netip.Addr) (netip.Addr, error) {
	for _, from := range t.Bind {
		if from.Unmap().Is4() == to.Unmap().Is4() {
			return from, nil
		}
	}
	return netip.Addr{}, netfail.New(events.ReasonNoLocalAddress, "no local address of the family of "+to.String()+" to connect from")
}

// ListenTCP takes in connections at an address, and at none of the other family.
func ListenTCP(at netip.AddrPort) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false) // peers do not use it, and its sockets cost more
	network := "tcp6"             // with IPV6_V6ONLY
	if at.Addr().Is4() {
		network = "tcp4"
	}
	return config.Listen(context.Background(), network, at.String())
}
