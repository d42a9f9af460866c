package events

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// The functions of this file cut one value off the front of a payload. What is left is nil when there is no such value, and
// nothing can be cut off nil: a reader need only ask at its end whether all was there.

// allRead reports whether a payload was read to its end.
func allRead(rest []byte) bool { return rest != nil && len(rest) == 0 }

// cutArray cuts the header of an array of n < 16 fields.
func cutArray(p []byte, n byte) []byte {
	if len(p) == 0 || p[0] != 0x90|n {
		return nil
	}
	return p[1:]
}

// cutLongArray cuts the header of an array of n fields, 15 < n < 256.
func cutLongArray(p []byte, n byte) []byte {
	if len(p) < 3 || p[0] != 0xdc || p[1] != 0 || p[2] != n {
		return nil
	}
	return p[3:]
}

// cutByte cuts a number below 128.
func cutByte(p []byte) (byte, []byte) {
	if len(p) == 0 || p[0] >= 0x80 {
		return 0, nil
	}
	return p[0], p[1:]
}

func cutUint(p []byte) (uint64, []byte) {
	if len(p) == 0 {
		return 0, nil
	}
	code, rest := p[0], p[1:]
	switch {
	case code < 0x80:
		return uint64(code), rest
	case code == 0xcd && len(rest) >= 2:
		return uint64(binary.BigEndian.Uint16(rest)), rest[2:]
	case code == 0xce && len(rest) >= 4:
		return uint64(binary.BigEndian.Uint32(rest)), rest[4:]
	case code == 0xcf && len(rest) >= 8:
		return binary.BigEndian.Uint64(rest), rest[8:]
	case code == 0xcc && len(rest) >= 1:
		return uint64(rest[0]), rest[1:]
	}
	return 0, nil
}

func cutOptional(p []byte) (Optional, []byte) {
	if len(p) > 0 && p[0] == 0xc0 {
		return Optional{}, p[1:]
	}
	v, rest := cutUint(p)
	return Some(v), rest
}

// cutBytes cuts a byte string of less than 64 KiB. It does not copy.
func cutBytes(p []byte) (b, rest []byte) {
	switch {
	case len(p) >= 2 && p[0] == 0xc4:
		return split(p[2:], int(p[1]))
	case len(p) >= 3 && p[0] == 0xc5:
		return split(p[3:], int(binary.BigEndian.Uint16(p[1:])))
	}
	return nil, nil
}

// cutText cuts a text of less than 256 bytes into v. A text that v holds already need not be looked up.
func cutText(p []byte, v *string, c *codec) []byte {
	var text, rest []byte
	switch {
	case len(p) >= 1 && p[0]&0xe0 == 0xa0:
		text, rest = split(p[1:], int(p[0]&0x1f))
	case len(p) >= 2 && p[0] == 0xd9:
		text, rest = split(p[2:], int(p[1]))
	}
	if rest != nil && *v != string(text) {
		*v = c.intern(text)
	}
	return rest
}

// cutEmptyText cuts a text that is empty.
func cutEmptyText(p []byte) []byte {
	if len(p) == 0 || p[0] != 0xa0 {
		return nil
	}
	return p[1:]
}

// split cuts off n bytes.
func split(p []byte, n int) (b, rest []byte) {
	if n > len(p) {
		return nil, nil
	}
	return p[:n:n], p[n:]
}

// cutAddress cuts an IPv4 or IPv6 address.
func cutAddress(p []byte, a *Address) []byte {
	b, rest := cutBytes(p)
	switch len(b) {
	case 7:
		a.AddrPort = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[1:])), binary.BigEndian.Uint16(b[5:]))
	case 19:
		a.AddrPort = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[1:])), binary.BigEndian.Uint16(b[17:]))
		if a.Addr().Is4In6() {
			return nil
		}
	default:
		return nil
	}
	a.Scope = Scope(b[0])
	return rest
}

// cutPeers cuts a list of peers whose addresses speak for themselves.
func cutPeers(p []byte, l *PeerList) []byte {
	l.V4, p = cutBytes(p)
	l.V6, p = cutBytes(p)
	l.Scopes, p = cutBytes(p)
	if !l.isPlain() {
		return nil
	}
	return p
}

// isPlain reports whether the list consists of whole entries and has no scopes of its own.
func (l *PeerList) isPlain() bool {
	return len(l.V4)%CompactSize4 == 0 && len(l.V6)%CompactSize6 == 0 && len(l.Scopes) == 0
}

// fit32 reports whether numbers, or-ed together, fit into 32 bits.
func fit32(numbers uint64) bool { return numbers <= math.MaxUint32 }

// fitDurations reports whether numbers, or-ed together, fit into durations.
func fitDurations(numbers uint64) bool { return numbers <= math.MaxInt64 }
