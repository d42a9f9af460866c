package tracker

import (
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

// dialScoped connects from one of our addresses, or from any. Every address that a name stands for is judged.
func (h *overHTTP) dialScoped(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: h.config.Timeout, ControlContext: h.judge}
	if len(h.config.Bind) == 0 {
		return dialer.DialContext(ctx, network, address)
	}
	var first error
	for _, local := range h.config.Bind {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
		conn, err := dialer.DialContext(ctx, network+family(local), address)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "4"
	}
	return "6"
}

// judge is asked right before each connect, with the address that is really dialled: a name cannot evade it.
func (h *overHTTP) judge(ctx context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return netfail.With(events.ReasonMalformed, err)
	}
	asked, _ := ctx.Value(hopKey{}).(hop)
	reason := h.forbidden(to, asked.url)
	if reason == 0 {
		return nil
	}
	err = netfail.New(reason, fmt.Sprintf("a tracker may not make us connect to %v", to))
	if asked.redirected {
		return netfail.With(events.ReasonRedirect, err)
	}
	return err
}

// forbidden gives the reason why an address may not be asked for a URL, or 0.
func (h *overHTTP) forbidden(to netip.AddrPort, asked *url.URL) events.Reason {
	scope := events.AddressOf(to).Scope
	switch {
	case to.Port() == 0:
		return events.ReasonPortZero
	case scope == events.ScopeUnspecified:
		return events.ReasonUnspecified
	case scope == events.ScopeMulticast:
		return events.ReasonMulticast
	case h.config.Excluded != nil && h.config.Excluded(to.Addr().Unmap().WithZone("")):
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
