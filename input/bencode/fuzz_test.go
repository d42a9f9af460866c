package bencode_test

import (
	"bytes"
	"testing"

	zeebo "github.com/zeebo/bencode"

	"btda/input/bencode"
)

// The library may allocate this much for an input of any kind, and for every byte of it.
const (
	allocatedAtMost        = 128 << 10
	allocatedAtMostPerByte = 256
)

// What Check accepts the library decodes, without a panic and within a multiple of the input.
func FuzzCheck(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if bencode.Check(data) != nil {
			return
		}
		var v any
		var err error
		allocated := allocatedBy(func() { err = zeebo.DecodeBytes(data, &v) })
		if err != nil {
			t.Errorf("the library refuses %q: %v", data, err)
		}
		if bound := uint64(allocatedAtMost + allocatedAtMostPerByte*len(data)); allocated > bound {
			t.Errorf("%d bytes allocated for %d", allocated, len(data))
		}
		if _, err := zeebo.EncodeBytes(v); err != nil {
			t.Errorf("%q cannot be encoded again: %v", data, err)
		}
	})
}

// The value that Prefix finds is the one that Check accepts, and nothing shorter or longer is.
func FuzzPrefix(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := bencode.Prefix(data)
		if err != nil {
			if bencode.Check(data) == nil {
				t.Errorf("Check takes %q, Prefix says %v", data, err)
			}
			return
		}
		if err := bencode.Check(data[:n]); err != nil {
			t.Errorf("Prefix takes %q, Check says %v", data[:n], err)
		}
		if whole := bencode.Check(data) == nil; whole != (n == len(data)) {
			t.Errorf("Prefix = %d of %d bytes, Check of all: %v", n, len(data), whole)
		}
	})
}

// Unmarshal never panics, whatever the type that it decodes into.
func FuzzUnmarshal(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var m message
		_ = bencode.Unmarshal(data, &m)
		var numbers [3]uint16
		_ = bencode.Unmarshal(data, &numbers)
		var texts map[string][]string
		_ = bencode.Unmarshal(data, &texts)
	})
}

// The parts of a Value, put together again, are the value.
func FuzzValue(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := bencode.Parse(data)
		if err != nil {
			return
		}
		if again := appendValue(nil, v); !bytes.Equal(again, data) {
			t.Errorf("%q became %q", data, again)
		}
	})
}

func appendValue(to []byte, v bencode.Value) []byte {
	switch {
	case v.IsList():
		to = append(to, 'l')
		for e := range v.List() {
			to = appendValue(to, e)
		}
		return append(to, 'e')
	case v.IsDict():
		to = append(to, 'd')
		for key, e := range v.Dict() {
			text, _ := bencode.Marshal(key)
			to = appendValue(append(to, text...), e)
		}
		return append(to, 'e')
	}
	if text, ok := v.Text(); ok {
		data, _ := bencode.Marshal(text)
		return append(to, data...)
	}
	n, _ := v.Int()
	data, _ := bencode.Marshal(n)
	return append(to, data...)
}
