package pieces_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"btda/events/pieces"
)

func TestDifferenceLeadsFromOneBitfieldToTheOther(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		size := sizes[random.IntN(len(sizes))]
		from, to := randomBitfield(random, size), randomBitfield(random, size)
		difference := pieces.AppendDifference([]byte("before"), from, to)
		if !bytes.HasPrefix(difference, []byte("before")) {
			t.Fatal("what was there is gone")
		}
		if err := pieces.ApplyDifference(from, difference[len("before"):]); err != nil || !bytes.Equal(from, to) {
			t.Fatalf("got %08b, error %v, want %08b", from, err, to)
		}
	}
}

func TestDifferenceOfOnePieceIsShort(t *testing.T) {
	from, to := make([]byte, 4096), make([]byte, 4096)
	to[4000] = 1
	if d := pieces.AppendDifference(nil, from, to); len(d) != 3 {
		t.Errorf("%d bytes for one piece", len(d))
	}
	if d := pieces.AppendDifference(nil, from, from); len(d) != 0 {
		t.Errorf("%d bytes for no piece", len(d))
	}
}

func TestDifferenceOfUnlikeLengthsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	pieces.AppendDifference(nil, []byte{1}, []byte{1, 2})
}

func TestApplyDifferenceRefuses(t *testing.T) {
	for name, difference := range map[string][]byte{
		"index at the end":   {16},
		"runs past the end":  {15, 0},
		"cut varint":         {0x80},
		"overflowing varint": bytes.Repeat([]byte{0xff}, 11),
		"largest varint":     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
	} {
		if err := pieces.ApplyDifference(make([]byte, 2), difference); !errors.Is(err, pieces.ErrDifference) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// FuzzApplyDifference holds that any bytes either are refused or toggle bits so that the difference of the two bitfields
// leads to the same place.
func FuzzApplyDifference(f *testing.F) {
	f.Add([]byte{0xf0, 0x00}, []byte{0, 4, 9})
	f.Add([]byte{0xff}, []byte{8})
	f.Add([]byte{}, []byte{0x80})
	f.Fuzz(func(t *testing.T, bitfield, difference []byte) {
		changed := bytes.Clone(bitfield)
		if pieces.ApplyDifference(changed, difference) != nil {
			return
		}
		again := bytes.Clone(bitfield)
		if err := pieces.ApplyDifference(again, pieces.AppendDifference(nil, bitfield, changed)); err != nil || !bytes.Equal(again, changed) {
			t.Errorf("%x changed by %x gives %x, then %x, error %v", bitfield, difference, changed, again, err)
		}
	})
}
