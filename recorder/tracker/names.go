package tracker

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"btda/events"
)

// Names looks up host names. A *net.Resolver is one.
type Names interface {
	// LookupNetIP gives the addresses of a host on a network: "ip" is both families. An address stands for itself.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Bounds of what is remembered of names.
const (
	nameLife = 30 * time.Second
	maxNames = 1000
)

// rememberedNames asks for each name once in a while: one round of one tracker needs its addresses several times, and most torrents
// have the same trackers. Failures are not remembered.
type rememberedNames struct {
	from Names
	now  func() events.Time

	mu    sync.Mutex
	known map[string]knownName
}

type knownName struct {
	addresses []netip.Addr
	until     events.Time
}

// LookupNetIP gives the addresses of a host. The caller may change the list.
func (n *rememberedNames) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	key := network + " " + host
	if addresses := n.remembered(key); addresses != nil {
		return addresses, nil
	}
	addresses, err := n.from.LookupNetIP(ctx, network, host)
	if err == nil {
		n.remember(key, addresses)
	}
	return addresses, err
}

func (n *rememberedNames) remembered(key string) []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	if k, ok := n.known[key]; ok && n.now() < k.until {
		return slices.Clone(k.addresses)
	}
	return nil
}

func (n *rememberedNames) remember(key string, addresses []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	n.known[key] = knownName{slices.Clone(addresses), n.now().Add(nameLife)}
}
