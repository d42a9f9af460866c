package dht

import (
	"net/netip"
	"sync"

	"btda/events"
)

// networkOf gives what one owner of addresses has at least: an address of IPv4, a /64 of IPv6; and whether it is public.
func networkOf(a netip.Addr) (netip.Prefix, bool) {
	a = a.Unmap()
	bits := 32
	if a.Is6() {
		bits = 64
	}
	network, err := a.Prefix(bits)
	return network, err == nil && events.ScopeOf(a) == events.ScopePublic
}

// Bounds of what is kept of how others see us.
const (
	maxViewers  = 1000
	enoughViews = 3 // of different viewers, for an address to be believed
)

// views are what nodes that we asked say our address is (BEP 42). Each network has one voice.
type views struct {
	mu     sync.Mutex
	seen   map[netip.Prefix]netip.Addr // by the viewer, since age was called
	before netip.Addr                  // what most had said until then
}

func newViews() *views { return &views{seen: make(map[netip.Prefix]netip.Addr)} }

func (v *views) add(from events.Address, compact []byte) {
	ours := addrPortOf(compact).Addr()
	viewer, _ := networkOf(from.Addr())
	if events.ScopeOf(ours) != events.ScopePublic {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, known := v.seen[viewer]; known || len(v.seen) < maxViewers {
		v.seen[viewer] = ours
	}
}

// age lets only count what is said from now on. Until enough is said, our address is as before.
func (v *views) age() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if most, ok := v.majority(); ok {
		v.before = most
	}
	clear(v.seen)
}

// external is the address that most say, if enough do.
func (v *views) external() (most netip.Addr, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if most, ok = v.majority(); !ok {
		most = v.before
	}
	return most, most.IsValid()
}

// majority is what most say since age was called. The caller holds mu.
func (v *views) majority() (most netip.Addr, ok bool) {
	counts := make(map[netip.Addr]int)
	for _, a := range v.seen {
		counts[a]++
		if counts[a] > counts[most] {
			most = a
		}
	}
	return most, counts[most] >= enoughViews && 2*counts[most] > len(v.seen)
}
