package events

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"strings"
)

// Scope is the class of an address. It is recorded with the address, because a pseudonym no longer shows it.
type Scope uint8

// The scope classes.
const (
	ScopeUnknown     Scope = 0
	ScopePublic      Scope = 1
	ScopePrivate     Scope = 2 // RFC 1918, RFC 4193, RFC 6598
	ScopeLoopback    Scope = 3
	ScopeLinkLocal   Scope = 4
	ScopeMulticast   Scope = 5
	ScopeUnspecified Scope = 6
	ScopeReserved    Scope = 7 // documentation, benchmarking, 240.0.0.0/4 and other addresses that nobody has
)

var reservedPrefixes = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("100::/64"),
}

var sharedAddressSpace = netip.MustParsePrefix("100.64.0.0/10")

// ScopeOf classifies an address. IPv4-mapped IPv6 addresses count as IPv4.
func ScopeOf(a netip.Addr) Scope {
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return ScopeUnknown
	case a.IsUnspecified():
		return ScopeUnspecified
	case a.IsLoopback():
		return ScopeLoopback
	case a.IsMulticast():
		return ScopeMulticast
	case a.IsLinkLocalUnicast():
		return ScopeLinkLocal
	case a.IsPrivate(), sharedAddressSpace.Contains(a):
		return ScopePrivate
	}
	for _, p := range reservedPrefixes {
		if p.Contains(a) {
			return ScopeReserved
		}
	}
	return ScopePublic
}

// Address is an IP address and port with its scope class. The address is never IPv4-mapped and has no zone.
type Address struct {
	netip.AddrPort
	Scope Scope
}

// AddressOf classifies an address and port.
func AddressOf(a netip.AddrPort) Address {
	ip := a.Addr().Unmap().WithZone("")
	return Address{AddrPort: netip.AddrPortFrom(ip, a.Port()), Scope: ScopeOf(ip)}
}

// MarshalText gives "ip:port" or "[ip]:port", and nothing for no address. Where the scope does not follow from the address,
// which is then a pseudonym, it stands behind a slash: "1.2.3.4:5/private".
func (a Address) MarshalText() ([]byte, error) {
	if !a.IsValid() {
		return nil, nil
	}
	text, err := a.AddrPort.MarshalText()
	if a.Scope != ScopeOf(a.Addr()) {
		text = append(append(text, '/'), a.Scope.String()...)
	}
	return text, err
}

// UnmarshalText reads what MarshalText gives.
func (a *Address) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Address{}
		return nil
	}
	address, scope, pseudonym := strings.Cut(string(text), "/")
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: want ip:port or [ip]:port: %w", text, err)
	}
	read := AddressOf(parsed)
	if pseudonym {
		if err := read.Scope.UnmarshalText([]byte(scope)); err != nil {
			return fmt.Errorf("address %q: %w", text, err)
		}
	}
	*a = read
	return nil
}

// Sizes in bytes of one compact entry: address, then port, both big-endian (BEP 23, BEP 7).
const (
	CompactSize4 = 6
	CompactSize6 = 18
)

// PeerList is a list of peers as compact entries, one byte string for each address family.
type PeerList struct {
	V4 []byte // entries of CompactSize4 bytes
	V6 []byte // entries of CompactSize6 bytes
	// Scopes has one Scope for each entry, V4 first, where the addresses are pseudonyms; else it is empty and
	// the addresses speak for themselves.
	Scopes []byte
}

// Append adds a peer. An invalid address is not added.
func (l *PeerList) Append(a netip.AddrPort) {
	ip := a.Addr().Unmap()
	switch {
	case ip.Is4():
		b := ip.As4()
		l.V4 = binary.BigEndian.AppendUint16(append(l.V4, b[:]...), a.Port())
	case ip.Is6():
		b := ip.As16()
		l.V6 = binary.BigEndian.AppendUint16(append(l.V6, b[:]...), a.Port())
	}
}

// Len counts the peers.
func (l PeerList) Len() int { return len(l.V4)/CompactSize4 + len(l.V6)/CompactSize6 }

// All yields the peers in their order, IPv4 first. Bytes after the last whole entry are passed over.
func (l PeerList) All() iter.Seq[Address] {
	return func(yield func(Address) bool) {
		for i := range l.Len() {
			if !yield(l.At(i)) {
				return
			}
		}
	}
}

// At gives the peer with index i, IPv4 first.
func (l PeerList) At(i int) Address {
	var a Address
	if n := len(l.V4) / CompactSize4; i < n {
		entry := l.V4[i*CompactSize4:]
		a.AddrPort = netip.AddrPortFrom(netip.AddrFrom4([4]byte(entry)), binary.BigEndian.Uint16(entry[4:]))
	} else {
		entry := l.V6[(i-n)*CompactSize6:]
		a.AddrPort = netip.AddrPortFrom(netip.AddrFrom16([16]byte(entry)).Unmap(), binary.BigEndian.Uint16(entry[16:]))
	}
	if i < len(l.Scopes) {
		a.Scope = Scope(l.Scopes[i])
	} else {
		a.Scope = ScopeOf(a.Addr())
	}
	return a
}
