package events

import (
	"encoding/binary"
	"math"
)

// The part of msgpack that payloads use. Reading trusts nothing: every length is held against what is left.

func appendUint(b []byte, v uint64) []byte {
	if v < 0x80 {
		return append(b, byte(v))
	}
	return appendLongUint(b, v)
}

func appendLongUint(b []byte, v uint64) []byte {
	switch {
	case v <= math.MaxUint8:
		return append(b, 0xcc, byte(v))
	case v <= math.MaxUint16:
		return append(b, 0xcd, byte(v>>8), byte(v))
	case v <= math.MaxUint32:
		return append(b, 0xce, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xcf), v)
}

func appendInt(b []byte, v int64) []byte {
	switch {
	case v >= 0:
		return appendUint(b, uint64(v))
	case v >= -32:
		return append(b, byte(v))
	case v >= math.MinInt8:
		return append(b, 0xd0, byte(v))
	case v >= math.MinInt16:
		return append(b, 0xd1, byte(v>>8), byte(v))
	case v >= math.MinInt32:
		return append(b, 0xd2, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xd3), uint64(v))
}

func appendFlag(b []byte, v bool) []byte {
	if v {
		return append(b, 0xc3)
	}
	return append(b, 0xc2)
}

func appendOptional(b []byte, v Optional) []byte {
	if !v.Known {
		return append(b, 0xc0)
	}
	return appendUint(b, v.Value)
}

func appendBytes(b, v []byte) []byte {
	return append(appendLength(b, len(v), 0xc4), v...)
}

func appendString(b []byte, v string) []byte {
	if len(v) < 32 {
		return append(append(b, 0xa0|byte(len(v))), v...)
	}
	return append(appendLength(b, len(v), 0xd9), v...)
}

// appendLength writes a length of 8, 16 or 32 bits, after the code that stands for it.
func appendLength(b []byte, n int, code byte) []byte {
	switch {
	case n <= math.MaxUint8:
		return append(b, code, byte(n))
	case n <= math.MaxUint16:
		return append(b, code+1, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, code+2), uint32(n))
}

func appendArrayHeader(b []byte, n int) []byte {
	switch {
	case n <= 15:
		return append(b, 0x90|byte(n))
	case n <= math.MaxUint16:
		return append(b, 0xdc, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, 0xdd), uint32(n))
}

// take cuts n bytes from the front of what is left; nil, and an error, when there are fewer.
func (c *codec) take(n int) []byte {
	if n < 0 || n > len(c.buf) {
		c.fail("%d bytes wanted, %d left", n, len(c.buf))
		c.buf = nil
		return nil
	}
	b := c.buf[:n:n]
	c.buf = c.buf[n:]
	return b
}

func (c *codec) readByte() byte {
	if len(c.buf) == 0 {
		c.fail("ends too early")
		return 0xc1 // never used in msgpack
	}
	b := c.buf[0]
	c.buf = c.buf[1:]
	return b
}

// readBig reads a big-endian number of n bytes.
func (c *codec) readBig(n int) uint64 {
	var v uint64
	for _, b := range c.take(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (c *codec) readUint() uint64 {
	switch b := c.readByte(); {
	case b < 0x80:
		return uint64(b)
	case b >= 0xcc && b <= 0xcf:
		return c.readBig(1 << (b - 0xcc))
	case b >= 0xd0 && b <= 0xd3, b >= 0xe0:
		c.fail("a negative number")
	default:
		c.fail("want a number, got code %#x", b)
	}
	return 0
}

func (c *codec) readInt() int64 {
	switch b := c.readByte(); {
	case b < 0x80 || b >= 0xe0:
		return int64(int8(b))
	case b >= 0xcc && b <= 0xcf:
		v := c.readBig(1 << (b - 0xcc))
		if v > math.MaxInt64 {
			c.fail("%d does not fit its field", v)
		}
		return int64(v)
	case b >= 0xd0 && b <= 0xd3:
		size := 1 << (b - 0xd0)
		shift := 64 - 8*size
		return int64(c.readBig(size)<<shift) >> shift
	default:
		c.fail("want a number, got code %#x", b)
	}
	return 0
}

func (c *codec) readBytes() []byte {
	b := c.readByte()
	if b < 0xc4 || b > 0xc6 {
		c.fail("want bytes, got code %#x", b)
		return nil
	}
	return c.take(int(c.readBig(1 << (b - 0xc4))))
}

func (c *codec) readString() []byte {
	b := c.readByte()
	switch {
	case b&0xe0 == 0xa0:
		return c.take(int(b & 0x1f))
	case b >= 0xd9 && b <= 0xdb:
		return c.take(int(c.readBig(1 << (b - 0xd9))))
	}
	c.fail("want a string, got code %#x", b)
	return nil
}

func (c *codec) readArrayHeader() int {
	b := c.readByte()
	switch {
	case b&0xf0 == 0x90:
		return int(b & 0x0f)
	case b == 0xdc:
		return int(c.readBig(2))
	case b == 0xdd:
		return int(c.readBig(4))
	}
	c.fail("want an array, got code %#x", b)
	return 0
}

// skip passes over one value of any type.
func (c *codec) skip(depth int) {
	if depth > maxNesting {
		c.fail("nested more than %d deep", maxNesting)
	}
	if c.err != nil {
		return
	}
	b := c.readByte()
	values := 0
	switch {
	case b < 0x80, b >= 0xe0, b == 0xc0, b == 0xc2, b == 0xc3:
	case b&0xf0 == 0x80:
		values = 2 * int(b&0x0f)
	case b&0xf0 == 0x90:
		values = int(b & 0x0f)
	case b&0xe0 == 0xa0:
		c.take(int(b & 0x1f))
	case b >= 0xc4 && b <= 0xc6:
		c.take(int(c.readBig(1 << (b - 0xc4))))
	case b >= 0xc7 && b <= 0xc9:
		c.take(1 + int(c.readBig(1<<(b-0xc7))))
	case b == 0xca:
		c.take(4)
	case b == 0xcb:
		c.take(8)
	case b >= 0xcc && b <= 0xcf:
		c.take(1 << (b - 0xcc))
	case b >= 0xd0 && b <= 0xd3:
		c.take(1 << (b - 0xd0))
	case b >= 0xd4 && b <= 0xd8:
		c.take(1 + 1<<(b-0xd4))
	case b >= 0xd9 && b <= 0xdb:
		c.take(int(c.readBig(1 << (b - 0xd9))))
	case b == 0xdc || b == 0xdd:
		values = int(c.readBig(2 << (b - 0xdc)))
	case b == 0xde || b == 0xdf:
		values = 2 * int(c.readBig(2<<(b-0xde)))
	default:
		c.fail("code %#x is not msgpack", b)
	}
	for range values {
		if c.err != nil {
			return
		}
		c.skip(depth + 1)
	}
}
