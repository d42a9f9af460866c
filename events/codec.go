package events

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// A payload is one msgpack array with one element for each field of the event, in the order of the struct; a nested struct is
// an array again, except for a PeerList, which is three elements.
// The same listing of fields (the fields method of each kind) drives encoding and decoding, so that the two
// cannot differ. Encoding is canonical: each value has one encoding, the shortest.

// ErrPayload is wrapped by every error that decoding a payload gives.
var ErrPayload = errors.New("bad event payload")

const maxNesting = 16

// codec walks the fields of an event, writing or reading each.
type codec struct {
	buf      []byte // what was written so far, or what is left to read
	fields   int    // elements written to the present array, or left in it
	decoding bool
	err      error
	strings  map[string]string // strings decoded before, so that a repeated one is not allocated again
}

func (c *codec) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", ErrPayload, fmt.Sprintf(format, args...))
	}
	c.fields = 0
}

// next reports whether a field is to be read. A field that the payload lacks, because it was written before
// the field existed, keeps its zero value.
func (c *codec) next() bool {
	if c.fields == 0 || c.err != nil {
		return false
	}
	c.fields--
	return true
}

func unsigned[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *codec, v *T) {
	if !c.decoding {
		c.fields++
		c.buf = appendUint(c.buf, uint64(*v))
		return
	}
	if !c.next() {
		*v = 0
		return
	}
	n := c.readUint()
	if *v = T(n); uint64(*v) != n {
		c.fail("%d does not fit its field", n)
	}
}

func signed[T ~int64](c *codec, v *T) {
	if !c.decoding {
		c.fields++
		c.buf = appendInt(c.buf, int64(*v))
		return
	}
	*v = 0
	if c.next() {
		*v = T(c.readInt())
	}
}

func (c *codec) duration(v *time.Duration) { signed(c, v) }

func (c *codec) flag(v *bool) {
	if !c.decoding {
		c.fields++
		c.buf = appendFlag(c.buf, *v)
		return
	}
	*v = false
	if !c.next() {
		return
	}
	switch c.readByte() {
	case 0xc3:
		*v = true
	case 0xc2:
	default:
		c.fail("want a boolean")
	}
}

func (c *codec) float(v *float64) {
	if !c.decoding {
		c.fields++
		c.buf = binary.BigEndian.AppendUint64(append(c.buf, 0xcb), math.Float64bits(*v))
		return
	}
	*v = 0
	if !c.next() {
		return
	}
	if c.readByte() != 0xcb {
		c.fail("want a float of 64 bits")
		return
	}
	if b := c.take(8); b != nil {
		*v = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
}

func (c *codec) optional(v *Optional) {
	if !c.decoding {
		c.fields++
		c.buf = appendOptional(c.buf, *v)
		return
	}
	*v = Optional{}
	if !c.next() {
		return
	}
	if len(c.buf) > 0 && c.buf[0] == 0xc0 {
		c.buf = c.buf[1:]
		return
	}
	*v = Optional{Value: c.readUint(), Known: true}
}

// bytes reads without copying: the slice is part of the payload.
func (c *codec) bytes(v *[]byte) {
	if !c.decoding {
		c.fields++
		c.buf = appendBytes(c.buf, *v)
		return
	}
	*v = nil
	if c.next() {
		*v = c.readBytes()
	}
}

// fixed reads and writes a byte string of exactly the length of v.
func (c *codec) fixed(v []byte) {
	if !c.decoding {
		c.fields++
		c.buf = appendBytes(c.buf, v)
		return
	}
	clear(v)
	if !c.next() {
		return
	}
	b := c.readBytes()
	if len(b) != len(v) {
		c.fail("want %d bytes, got %d", len(v), len(b))
		return
	}
	copy(v, b)
}

func (c *codec) text(v *string) {
	if !c.decoding {
		c.fields++
		c.buf = appendString(c.buf, *v)
		return
	}
	*v = ""
	if c.next() {
		*v = c.intern(c.readString())
	}
}

const maxInterned = 4096

func (c *codec) intern(b []byte) string {
	if s, ok := c.strings[string(b)]; ok {
		return s
	}
	s := string(b)
	if c.strings == nil || len(c.strings) >= maxInterned {
		c.strings = make(map[string]string)
	}
	if len(s) <= 512 {
		c.strings[s] = s
	}
	return s
}

// address is a byte string: the scope class, then 4 or 16 bytes of address, then 2 of port; empty for none.
func (c *codec) address(v *Address) {
	if !c.decoding {
		c.fields++
		c.buf = appendAddress(c.buf, v)
		return
	}
	*v = Address{}
	if !c.next() {
		return
	}
	switch b := c.readBytes(); len(b) {
	case 0:
	case 7:
		*v = Address{netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[1:])), binary.BigEndian.Uint16(b[5:])), Scope(b[0])}
	case 19:
		*v = Address{netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[1:])), binary.BigEndian.Uint16(b[17:])), Scope(b[0])}
		if v.Addr().Is4In6() {
			c.fail("an IPv4 address written as IPv6")
		}
	default:
		c.fail("an address of %d bytes", len(b))
	}
}

func appendAddress(b []byte, v *Address) []byte {
	ip := v.Addr().Unmap()
	switch {
	case ip.Is4():
		bytes := ip.As4()
		b = append(append(b, 0xc4, 7, byte(v.Scope)), bytes[:]...)
	case ip.Is6():
		bytes := ip.As16()
		b = append(append(b, 0xc4, 19, byte(v.Scope)), bytes[:]...)
	default:
		return append(b, 0xc4, 0)
	}
	return binary.BigEndian.AppendUint16(b, v.Port())
}

func (c *codec) peers(v *PeerList) {
	c.bytes(&v.V4)
	c.bytes(&v.V6)
	c.bytes(&v.Scopes)
	switch {
	case len(v.V4)%CompactSize4 != 0 || len(v.V6)%CompactSize6 != 0:
		c.fail("a list of peers that ends within an entry")
	case len(v.Scopes) != 0 && len(v.Scopes) != v.Len():
		c.fail("%d scopes for %d peers", len(v.Scopes), v.Len())
	}
}
