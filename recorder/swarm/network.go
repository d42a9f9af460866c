package swarm

import (
	"net/netip"
	"slices"
	"time"

	"btda/events"
)

// networkKey names a network: one /24 of IPv4, or one /48 of IPv6.
type networkKey struct {
	bytes [6]byte
	is4   bool
}

// networkOf gives the network of a peer. Loopback has none: it is this host, which needs no sparing.
func networkOf(k *key) (networkKey, bool) {
	a := netip.AddrFrom16(k.address).Unmap()
	if a.IsLoopback() {
		return networkKey{}, false
	}
	if a.Is4() {
		b := a.As4()
		return networkKey{bytes: [6]byte{b[0], b[1], b[2]}, is4: true}, true
	}
	return networkKey{bytes: [6]byte(k.address[:6])}, true
}

// networks spares each network: between two contacts with its peers it rests for an interval. A peer that comes up meanwhile is
// parked there until it is the network's turn again. Only networks that rest or have parked peers are known.
type networks struct {
	interval time.Duration // 0 is no rest
	known    map[networkKey]*network
	resting  []*network // in the order in which their rests end
	ready    []*network // that have rested, and have parked peers
	parked   int        // peers
}

type network struct {
	key    networkKey
	rested events.Time // when its rest ends
	longer int         // rests that follow the present one, for connections that were made during one
	parked fifo
}

func newNetworks(perSecond int) networks {
	n := networks{known: make(map[networkKey]*network)}
	if perSecond > 0 {
		n.interval = time.Second / time.Duration(perSecond)
	}
	return n
}

// advance ends the rests that are over.
func (n *networks) advance(now events.Time) {
	for len(n.resting) > 0 && n.resting[0].rested <= now {
		first := n.resting[0]
		n.resting = n.resting[1:]
		if first.longer > 0 {
			first.longer--
			n.begin(first, now)
		} else if first.parked.empty() {
			delete(n.known, first.key)
		} else {
			n.ready = append(n.ready, first)
		}
	}
}

// busy gives the network at which a peer has to be parked, or nil.
func (n *networks) busy(p *peer) *network {
	if n.interval == 0 {
		return nil
	}
	k, ok := networkOf(&p.key)
	if !ok {
		return nil
	}
	return n.known[k]
}

func (n *networks) park(a *arena, at *network, i peerIndex) {
	at.parked.push(a, i)
	n.parked++
}

// take removes the first parked peer of the network whose turn it is. The contact that follows lets the network rest again.
func (n *networks) take(a *arena) peerIndex {
	first := n.ready[0]
	n.ready = n.ready[1:]
	n.parked--
	return first.parked.pop(a)
}

// drop removes the first parked peer of the network whose turn it is, without a contact.
func (n *networks) drop(a *arena) {
	first := n.ready[0]
	first.parked.pop(a)
	n.parked--
	if first.parked.empty() {
		n.ready = n.ready[1:]
		delete(n.known, first.key)
	}
}

// rest lets the network of a peer rest, if it has one.
func (n *networks) rest(p *peer, now events.Time) {
	k, ok := networkOf(&p.key)
	if n.interval == 0 || !ok {
		return
	}
	of := n.known[k]
	if of == nil {
		of = &network{key: k}
		n.known[k] = of
	}
	n.begin(of, now)
}

// begin begins a rest.
func (n *networks) begin(of *network, now events.Time) {
	of.rested = now.Add(n.interval)
	n.resting = append(n.resting, of)
}

// restLonger lets the network of a peer, if it has one, rest once more than it does already.
func (n *networks) restLonger(p *peer, now events.Time) {
	of := n.busy(p)
	switch {
	case of == nil:
		n.rest(p, now)
	case of.rested > now:
		of.longer++
	default: // its parked peers have to wait once more
		n.ready = slices.DeleteFunc(n.ready, func(other *network) bool { return other == of })
		n.begin(of, now)
	}
}

// wake gives the moment from which a parked peer may be contacted, if there is none to contact now.
func (n *networks) wake() (events.Time, bool) {
	if n.parked == 0 {
		return 0, false
	}
	return n.resting[0].rested, true
}
