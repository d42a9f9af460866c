package events_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"time"

	"btda/events"
)

// filler gives every field of an event a value.
type filler interface {
	number(bits int) uint64
	signed() int64
	float() float64
	bytes(n int) []byte
	flag() bool
	length() int // of a list, a text or a byte string
}

// fill gives an event of a kind with every field filled.
func fill(kind events.Kind, f filler) events.Event {
	e := kind.New()
	fillStruct(reflect.ValueOf(e).Elem(), f)
	return e
}

func fillStruct(v reflect.Value, f filler) {
	for i := range v.NumField() {
		fillValue(v.Field(i), f)
	}
}

func fillValue(v reflect.Value, f filler) {
	switch to := v.Addr().Interface().(type) {
	case *events.Optional:
		if f.flag() {
			*to = events.Some(f.number(64))
		}
		return
	case *events.Address:
		*to = fillAddress(f)
		return
	case *events.PeerList:
		fillPeers(to, f)
		return
	}
	fillPlain(v, f)
}

func fillPlain(v reflect.Value, f filler) {
	switch v.Kind() {
	case reflect.Struct:
		fillStruct(v, f)
	case reflect.Array:
		copy(v.Slice(0, v.Len()).Bytes(), f.bytes(v.Len()))
	case reflect.Slice:
		fillSlice(v, f)
	case reflect.String:
		v.SetString(string(f.bytes(f.length())))
	case reflect.Bool:
		v.SetBool(f.flag())
	case reflect.Float64:
		v.SetFloat(f.float())
	case reflect.Int64:
		v.SetInt(f.signed())
	default:
		v.SetUint(f.number(v.Type().Bits()))
	}
}

func fillSlice(v reflect.Value, f filler) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(f.bytes(f.length()))
		return
	}
	n := min(f.length(), 20)
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		fillValue(v.Index(i), f)
	}
}

func fillAddress(f filler) events.Address {
	port := uint16(f.number(16))
	if f.flag() {
		return events.AddressOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte(f.bytes(4))), port))
	}
	a := events.AddressOf(netip.AddrPortFrom(netip.AddrFrom16([16]byte(f.bytes(16))), port))
	a.Scope = events.Scope(f.number(8))
	return a
}

func fillPeers(l *events.PeerList, f filler) {
	l.V4, l.V6 = f.bytes(f.length()*events.CompactSize4), f.bytes(f.length()*events.CompactSize6)
	if f.flag() {
		l.Scopes = f.bytes(l.Len())
	}
}

// counter fills with 1, 2, 3 and so on: readable, and never zero.
type counter struct{ last byte }

func (c *counter) number(int) uint64 { c.last++; return uint64(c.last) }
func (c *counter) signed() int64     { return int64(c.number(64)) * int64(time.Second) }
func (c *counter) float() float64    { return float64(c.number(64)) + 0.5 }
func (c *counter) flag() bool        { return true }
func (c *counter) length() int       { return 2 }

func (c *counter) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + c.last%26
	}
	c.last++
	return b
}

// random fills with numbers of every length and texts of any bytes.
type random struct{ *rand.Rand }

func (r random) number(bits int) uint64 { return r.Uint64() >> (64 - bits + r.IntN(bits)) }
func (r random) signed() int64          { return int64(r.Uint64()) >> r.IntN(64) }
func (r random) float() float64         { return r.NormFloat64() }
func (r random) flag() bool             { return r.IntN(2) == 0 }

func (r random) length() int {
	if r.IntN(50) == 0 {
		return r.IntN(70000)
	}
	return r.IntN(40) * r.IntN(10)
}

func (r random) bytes(n int) []byte {
	b := make([]byte, n, n+8)
	for i := 0; i < n; i += 8 {
		copy(b[i:], binary.LittleEndian.AppendUint64(nil, r.Uint64()))
	}
	return b
}
