package tracker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Resolver asks the DNS, as *net.Resolver does.
type Resolver interface {
	LookupAddr(ctx context.Context, address string) (names []string, err error)
	LookupSRV(ctx context.Context, service, proto, name string) (canonical string, records []*net.SRV, err error)
}

// Bounds of what the DNS may make us ask: its answers come from whoever owns the addresses.
const (
	maxLocalNames   = 4  // of one address
	maxLocalLabels  = 10 // of one name, from its end
	maxLocalTargets = 8  // trackers of one domain
	localLookup     = 10 * time.Second
)

// FindLocal asks the DNS for the trackers of the network that an address of ours is in (BEP 22): for the names of the address, and for the
// service bittorrent-tracker of each name and the domains above it, down to two labels. It gives the announce URLs of the first domain that
// has any, in the order of their priority; none is no error. An error says that the address has no name or the DNS gave no answer. A
// resolver that is nil is that of the system.
func FindLocal(ctx context.Context, resolver Resolver, address netip.Addr) (urls []string, err error) {
	if resolver == nil {
		resolver = systemResolver
	}
	timed, cancel := context.WithTimeout(ctx, localLookup)
	defer cancel()
	names, err := resolver.LookupAddr(timed, address.String())
	if err != nil {
		return nil, fmt.Errorf("the name of %v, to find trackers of its network: %w", address, err)
	}
	for _, name := range names[:min(len(names), maxLocalNames)] {
		for _, domain := range domainsOf(name) {
			if urls := findIn(ctx, resolver, domain); len(urls) > 0 {
				return urls, nil
			}
		}
	}
	return nil, nil
}

// domainsOf lists a name and the domains above it, the longest first, without those of a single label.
func domainsOf(name string) (domains []string) {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	for n := min(len(labels), maxLocalLabels); n >= 2; n-- {
		domains = append(domains, strings.Join(labels[len(labels)-n:], "."))
	}
	return domains
}

// findIn gives the trackers of a domain. Most domains have none, which the DNS calls an error.
func findIn(ctx context.Context, resolver Resolver, domain string) (urls []string) {
	timed, cancel := context.WithTimeout(ctx, localLookup)
	defer cancel()
	_, records, _ := resolver.LookupSRV(timed, "bittorrent-tracker", "tcp", domain+".")
	for _, r := range records[:min(len(records), maxLocalTargets)] {
		if host := strings.TrimSuffix(r.Target, "."); host != "" && r.Port != 0 {
			urls = append(urls, "http://"+net.JoinHostPort(host, strconv.Itoa(int(r.Port)))+"/announce")
		}
	}
	return urls
}
