package tracker

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"btda/events"
	"btda/recorder/netfail"
)

// scoped tells the dialer what a connection is for.
type scoped struct{ next http.RoundTripper }

// hop is one request of a chain of redirects.
type hop struct {
	url        *url.URL
	redirected bool
}

type hopKey struct{}

// RoundTrip is that of http.RoundTripper.
func (s scoped) RoundTrip(r *http.Request) (*http.Response, error) {
	if w, ok := r.Context().Value(watchKey{}).(*watch); ok {
		w.begin()
	}
	ctx := context.WithValue(r.Context(), hopKey{}, hop{url: r.URL, redirected: r.Response != nil})
	return s.next.RoundTrip(r.WithContext(ctx))
}

func (h *overHTTP) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := h.dialer(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if w, ok := ctx.Value(watchKey{}).(*watch); ok {
		conn = meteredConn{conn, w}
	}
	return conn, nil
}

type familyKey struct{}

// dialScoped connects to the first address of a host that takes the connection, of the family over which the tracker is asked. Each
// gets its share of the time that is left, and each is judged.
func (h *overHTTP) dialScoped(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, netfail.With(events.ReasonMalformed, err)
	}
	family, _ := ctx.Value(familyKey{}).(Family)
	addresses, err := h.config.lookUp(ctx, host, family)
	if err != nil {
		return nil, err
	}
	var first error
	for i, a := range addresses {
		share, cancel := withShare(ctx, len(addresses)-i)
		conn, err := h.dialFrom(share, a, endpoint{network, net.JoinHostPort(a.String(), port)})
		cancel()
		if err == nil {
			return conn, nil
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}

// endpoint is what a net.Dialer takes.
type endpoint struct{ network, address string }

// dialFrom connects from the address of ours that fits.
func (h *overHTTP) dialFrom(ctx context.Context, to netip.Addr, e endpoint) (net.Conn, error) {
	local, err := h.config.local(to)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0)), ControlContext: h.judge}
	return dialer.DialContext(ctx, e.network, e.address)
}

// judge is asked right before each connect, with the address that is really dialled: a name cannot evade it.
func (h *overHTTP) judge(ctx context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return netfail.With(events.ReasonMalformed, err)
	}
	asked, _ := ctx.Value(hopKey{}).(hop)
	err = h.config.judge(to, asked.url)
	if asked.redirected {
		return netfail.With(events.ReasonRedirect, err)
	}
	return err
}

// judge gives an error unless an address may be asked for a URL.
func (c Config) judge(to netip.AddrPort, asked *url.URL) error {
	if reason := c.forbidden(to, asked); reason != 0 {
		return netfail.New(reason, fmt.Sprintf("a tracker may not make us connect to %v", to))
	}
	return nil
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// forbidden gives the reason why an address may not be asked for a URL, or 0.
func (c Config) forbidden(to netip.AddrPort, asked *url.URL) events.Reason {
	scope := events.AddressOf(to).Scope
	switch {
	case to.Port() == 0:
		return events.ReasonPortZero
	case scope == events.ScopeUnspecified:
		return events.ReasonUnspecified
	case scope == events.ScopeMulticast, to.Addr().Unmap() == broadcast:
		return events.ReasonMulticast
	case c.Excluded != nil && c.Excluded(to.Addr().Unmap().WithZone("")):
		return events.ReasonExcluded
	case scope != events.ScopePublic && !trackerPath(asked):
		return events.ReasonForeignScope
	}
	return 0
}

// trackerPath tells whether a URL can only mean a tracker, so that it may be asked within the own network.
func trackerPath(u *url.URL) bool {
	if u == nil || slices.Contains(strings.Split(u.Path, "/"), "..") {
		return false
	}
	return strings.HasPrefix(u.Path, "/announce") || strings.HasPrefix(u.Path, "/scrape")
}
