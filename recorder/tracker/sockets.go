package tracker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"btda/events"
	"btda/recorder/netfail"
)

// maxAddresses bounds how many addresses of a name are tried in one request, of each family.
const maxAddresses = 4

// systemNames asks as the system is set up to.
var systemNames Names = net.DefaultResolver

// systemResolver finds the trackers of our network.
var systemResolver Resolver = net.DefaultResolver

// lookUp gives the addresses of a host, of one family if that is named, at most maxAddresses of each.
func (c Config) lookUp(ctx context.Context, host string, f Family) ([]netip.Addr, error) {
	addresses, err := c.Names.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if addresses = f.first(addresses); len(addresses) == 0 {
		return nil, netfail.New(events.ReasonNameNotFound, fmt.Sprintf("the host has no address of %v", f))
	}
	return addresses, nil
}

// first gives the addresses of a family, or of both, at most maxAddresses of each.
func (f Family) first(all []netip.Addr) []netip.Addr {
	var kept []netip.Addr
	var count [2]int
	for _, a := range all {
		n := &count[familyOf(a)-IPv4]
		if *n++; f.has(a) && *n <= maxAddresses {
			kept = append(kept, a.Unmap())
		}
	}
	return kept
}

// local gives the address to ask from, the unspecified one where the system may choose.
func (c Config) local(to netip.Addr) (netip.Addr, error) {
	for _, a := range c.Bind {
		if familyOf(a) == familyOf(to) {
			return a, nil
		}
	}
	switch {
	case len(c.Bind) > 0:
		return netip.Addr{}, netfail.New(events.ReasonNoLocalAddress, fmt.Sprintf("no address to bind to of %v", familyOf(to)))
	case to.Is4():
		return netip.IPv4Unspecified(), nil
	}
	return netip.IPv6Unspecified(), nil
}

// reaches tells whether there is a way from here to an address. Nothing is sent.
func (c Config) reaches(ctx context.Context, to netip.Addr) bool {
	local, err := c.local(to)
	if err != nil {
		return false
	}
	dialer := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
	const discard = 9 // any port does
	probe, err := dialer.DialContext(ctx, "udp", netip.AddrPortFrom(to, discard).String())
	if err != nil {
		reason, _ := netfail.Classify(err)
		return !slices.Contains([]events.Reason{events.ReasonNetworkUnreachable, events.ReasonHostUnreachable, events.ReasonNoLocalAddress}, reason)
	}
	probe.Close()
	return true
}

// listenUDP opens a socket for datagrams to and from an address. It is not connected: see line.
func (c Config) listenUDP(ctx context.Context, to netip.Addr) (*net.UDPConn, error) {
	local, err := c.local(to)
	if err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: reportICMP}
	socket, err := config.ListenPacket(ctx, "udp"+familyOf(to).digit(), netip.AddrPortFrom(local, 0).String())
	if err != nil {
		return nil, err
	}
	return socket.(*net.UDPConn), nil
}

// withShare gives the first of some tries its share of the time that is left.
func withShare(ctx context.Context, tries int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(tries))
}
