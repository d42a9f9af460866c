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
	// family without an address here are not dialled.
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
	}
	return dialer.DialContext(ctx, "tcp", to.String())
}

func (t TCP) local(to netip.Addr) (netip.Addr, error) {
	for _, from := range t.Bind {
		if from.Unmap().Is4() == to.Unmap().Is4() {
			return from, nil
		}
	}
	return netip.Addr{}, netfail.New(events.ReasonNoLocalAddress, "no local address of the family of "+to.String()+" to connect from")
}
