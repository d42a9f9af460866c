package session

import (
	"net/netip"
	"slices"
	"sync"

	"btda/events"
)

// Encryption is whether connections are encrypted (MSE). The zero value is EncryptionOff.
type Encryption string

// The kinds of encryption. All but EncryptionOff take in encrypted connections.
const (
	EncryptionOff     Encryption = "off"     // never
	EncryptionAllow   Encryption = "allow"   // where a peer does not take a plain connection
	EncryptionPrefer  Encryption = "prefer"  // plain where a peer does not take an encrypted connection
	EncryptionRequire Encryption = "require" // always, and never with a payload in plain text
)

// tries says whether to encrypt, in the order in which it is tried.
func (e Encryption) tries() []bool {
	switch e {
	case EncryptionAllow:
		return []bool{false, true}
	case EncryptionPrefer:
		return []bool{true, false}
	case EncryptionRequire:
		return []bool{true}
	}
	return []bool{false}
}

// way is how a peer is reached.
type way struct {
	transport events.Transport
	encrypted bool
}

// encryption is what is known of the encryption of a connection before the peer has agreed to anything.
func (w way) encryption() events.Encryption {
	if w.encrypted {
		return events.MSE
	}
	return events.Plain
}

// plan is the ways that are left to try, the first one first.
type plan []way

// ways are those of an observer, in the order in which they are tried with a peer of which nothing is known.
//
// A plain connection by TCP is the cheapest, and most clients take it. What takes none of these hangs up at once, so that trying costs one
// more connection with this peer and none with the others.
func (o *Observer) ways() plan {
	transports := []events.Transport{events.TCP}
	if o.UTP != nil {
		transports = append(transports, events.UTP)
	}
	var all plan
	for _, t := range transports {
		for _, e := range o.Encryption.tries() {
			all = append(all, way{transport: t, encrypted: e})
		}
	}
	return all
}

// planFor is what to try with a peer: first the way that worked the last time.
func (o *Observer) planFor(peer netip.AddrPort) plan {
	all := o.ways()
	if worked, ok := o.worked.of(peer); ok {
		if i := slices.Index(all, worked); i > 0 {
			copy(all[1:i+1], all[:i])
			all[0] = worked
		}
	}
	return all
}

// after is what is still worth trying when a way has failed. A transport that does not connect is given up, and all of them where the
// reason is not the peer's. A peer that hangs up on a plain handshake, or an encrypted one, may want the other; or another transport,
// since some clients that do without TCP take its connections all the same, and close them.
func (p plan) after(failed way, phase events.Phase, reason events.Reason) plan {
	left := slices.DeleteFunc(p, func(w way) bool { return w == failed })
	switch {
	case phase == events.PhaseDial && (failed.transport == events.UTP || isUnanswered(reason)):
		return slices.DeleteFunc(left, func(w way) bool { return w.transport == failed.transport })
	case phase == events.PhaseEncryption && (isTurnedAway(reason) || reason == events.ReasonTimeout),
		phase == events.PhaseHandshake && !failed.encrypted && isTurnedAway(reason):
		return left
	}
	return nil
}

// isUnanswered tells of a host that may be there, at a port that takes no connection.
func isUnanswered(r events.Reason) bool {
	return r == events.ReasonTimeout || r == events.ReasonRefused || r == events.ReasonReset
}

// isTurnedAway tells of a peer that does not like what it hears.
func isTurnedAway(r events.Reason) bool {
	switch r {
	case events.ReasonClosedByPeer, events.ReasonReset, events.ReasonTruncated, events.ReasonUnknownProtocol, events.ReasonTooLarge:
		return true
	}
	return false
}

// maxWorked is how many peers are remembered that are reached in another way than the first. One takes about 60 bytes.
const maxWorked = 1 << 16

// worked remembers in which way peers were reached, where that is not the first to try.
type worked struct {
	mu   sync.Mutex
	ways map[netip.AddrPort]way
}

func (m *worked) of(peer netip.AddrPort) (way, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, ok := m.ways[peer]
	return w, ok
}

// keep remembers a way. When too many are known, any other peer is forgotten.
func (m *worked) keep(peer netip.AddrPort, w way) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ways == nil {
		m.ways = make(map[netip.AddrPort]way)
	}
	for other := range m.ways {
		if len(m.ways) < maxWorked {
			break
		}
		delete(m.ways, other)
	}
	m.ways[peer] = w
}

func (m *worked) forget(peer netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.ways, peer)
}

// reached remembers in which way a peer was reached.
func (o *Observer) reached(peer netip.AddrPort, w way) {
	if first := (way{transport: events.TCP, encrypted: o.Encryption.tries()[0]}); w == first {
		o.worked.forget(peer)
	} else {
		o.worked.keep(peer, w)
	}
}

// met remembers in which way a peer reached us, where it is the way to reach it too: clients use one port for all that they do by uTP.
func (o *Observer) met(a *Arrival, agreed events.Encryption) {
	if a.Transport == events.UTP && o.UTP != nil {
		o.reached(a.Address, way{transport: events.UTP, encrypted: agreed != events.Plain})
	}
}
