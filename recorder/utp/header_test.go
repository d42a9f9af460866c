package utp

import (
	"bytes"
	"testing"
)

func packetOf(first, extension byte, rest ...byte) []byte {
	b := make([]byte, headerSize)
	b[0], b[1], b[2], b[3] = first, extension, 0x12, 0x34
	return append(b, rest...)
}

func TestParseHeader(t *testing.T) {
	cases := []struct {
		name string
		b    []byte
		want bool
	}{
		{"data", packetOf(0x01, 0, 1, 2, 3), true},
		{"syn", packetOf(0x41, 0), true},
		{"selective ack", packetOf(0x21, 1, 0, 4, 1, 2, 3, 4), true},
		{"the longest selective ack", packetOf(0x21, 1, append([]byte{0, 32}, make([]byte, 32)...)...), true},
		{"an extension of which we do not know", packetOf(0x41, 2, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8), true},
		{"two extensions", packetOf(0x01, 2, 1, 0, 0, 4, 0, 0, 0, 0, 'x'), true},
		{"the longest", packetOf(0x01, 0, make([]byte, maxPacket-headerSize)...), true},
		{"too long", packetOf(0x01, 0, make([]byte, maxPacket-headerSize+1)...), false},
		{"too short", packetOf(0x01, 0)[:19], false},
		{"another version", packetOf(0x02, 0), false},
		{"another type", packetOf(0x51, 0), false},
		{"an extension beyond the end", packetOf(0x01, 1, 0, 8, 1, 2, 3, 4), false},
		{"no extension where one is announced", packetOf(0x01, 1), false},
		{"an ack of half a word", packetOf(0x21, 1, 0, 2, 1, 2), false},
		{"an empty ack", packetOf(0x21, 1, 0, 0), false},
		{"an ack of more than may be on its way", packetOf(0x21, 1, append([]byte{0, 36}, make([]byte, 36)...)...), false},
		{"too many extensions", packetOf(0x01, 2, 2, 0, 2, 0, 2, 0, 2, 0, 0, 0), false},
		{"dht", []byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), false},
	}
	for _, c := range cases {
		h, ok := parseHeader(c.b)
		if ok != c.want || ok && (h.kind != kind(c.b[0]>>4) || h.connection != 0x1234) {
			t.Errorf("%s: %+v, %v", c.name, h, ok)
		}
	}
}

// A packet that is taken ends its extensions within itself, and is still taken with more payload behind them, up to the bound.
func FuzzParseHeader(f *testing.F) {
	f.Add(packetOf(0x21, 1, 0, 4, 1, 2, 3, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		h, ok := parseHeader(b)
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
		if !ok {
			return
		}
		if h.kind > kindSyn || len(b) < headerSize || len(b) > maxPacket {
			t.Errorf("%+v of %d bytes", h, len(b))
		}
		number, at := b[1], headerSize
		for number != 0 {
			number, at = b[at], at+2+int(b[at+1])
		}
		if at > len(b) {
			t.Errorf("its extensions end at %d of %d bytes", at, len(b))
		}
		if again, ok := parseHeader(append(before, 'x')); len(b) < maxPacket && (!ok || again != h) {
			t.Errorf("%+v, and with a byte more %+v, %v", h, again, ok)
		}
	})
}
