package pieces_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"btda/events"
	"btda/events/pieces"
)

// sizes are numbers of pieces on and beside the bounds of bytes and words.
var sizes = []uint32{0, 1, 7, 8, 9, 63, 64, 65, 130}

// model is the plainest piece set.
type model map[events.PieceIndex]bool

func (m model) bitfield(size uint32) []byte {
	b := make([]byte, pieces.BitfieldLength(size))
	for i := range m {
		b[i/8] |= 1 << (7 - i%8)
	}
	return b
}

func modelOf(bitfield []byte, size uint32) model {
	m := model{}
	for i := range events.PieceIndex(size) {
		if bitfield[i/8]>>(7-i%8)&1 == 1 {
			m[i] = true
		}
	}
	return m
}

func randomBitfield(random *rand.Rand, size uint32) []byte {
	m := model{}
	for i := range events.PieceIndex(size) {
		if random.IntN(2) == 0 {
			m[i] = true
		}
	}
	return m.bitfield(size)
}

// step does one random operation on a set and its model. It returns what went wrong.
func step(random *rand.Rand, set *pieces.Set, m model, size uint32) (model, string) {
	i := events.PieceIndex(random.Uint32N(size + 2))
	inRange := uint32(i) < size
	switch random.IntN(12) {
	case 0:
		set.Fill()
		return modelOf(bytes.Repeat([]byte{0xff}, pieces.BitfieldLength(size)), size), ""
	case 1:
		set.Clear()
		return model{}, ""
	case 2:
		bitfield := randomBitfield(random, size)
		if err := set.Replace(bitfield); err != nil {
			return m, err.Error()
		}
		return modelOf(bitfield, size), ""
	case 3, 4, 5:
		removed, valid := set.Remove(i)
		if removed != m[i] || valid != inRange {
			return m, "remove"
		}
		delete(m, i)
	default:
		added, valid := set.Add(i)
		if added != (inRange && !m[i]) || valid != inRange {
			return m, "add"
		}
		if inRange {
			m[i] = true
		}
	}
	return m, ""
}

func TestSetBehavesLikeAMap(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, size := range sizes {
		set, m, wrong := pieces.New(size), model{}, ""
		for range 2000 {
			if m, wrong = step(random, &set, m, size); wrong != "" {
				t.Fatalf("%d pieces: %s", size, wrong)
			}
			if int(set.Count()) != len(m) || !bytes.Equal(set.Bitfield(), m.bitfield(size)) {
				t.Fatalf("%d pieces: %08b with count %d, want %08b", size, set.Bitfield(), set.Count(), m.bitfield(size))
			}
			if i := events.PieceIndex(random.Uint32N(size + 2)); set.Has(i) != m[i] {
				t.Fatalf("%d pieces: has %d is %v", size, i, set.Has(i))
			}
		}
	}
}

func TestWrongBitfieldChangesNothing(t *testing.T) {
	set := pieces.New(12)
	set.Add(3)
	for name, c := range map[string]struct {
		bitfield []byte
		want     error
	}{
		"short":     {[]byte{0xff}, pieces.ErrLength},
		"long":      {[]byte{0xff, 0xf0, 0}, pieces.ErrLength},
		"empty":     {nil, pieces.ErrLength},
		"spare bit": {[]byte{0xff, 0xf8}, pieces.ErrSpareBits},
	} {
		if err := set.Replace(c.bitfield); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v", name, err)
		}
		if set.Count() != 1 || !set.Has(3) || set.Size() != 12 {
			t.Errorf("%s: the set changed", name)
		}
	}
}

func TestIndexEqualToThePieceCountIsOutOfRange(t *testing.T) {
	set := pieces.New(8)
	set.Fill()
	if _, valid := set.Add(8); valid || set.Has(8) {
		t.Error("piece 8 of 8 was taken")
	}
	if _, valid := set.Remove(1<<32 - 1); valid {
		t.Error("the highest index was taken")
	}
}

func TestReplaceCopies(t *testing.T) {
	set, bitfield := pieces.New(8), []byte{0xf0}
	if err := set.Replace(bitfield); err != nil {
		t.Fatal(err)
	}
	bitfield[0] = 0
	set.Bitfield()[0] = 0
	if !set.Has(0) || set.Count() != 4 {
		t.Error("the set shares memory with the caller")
	}
}

func TestFullAndEmptySetsTakeNoMemory(t *testing.T) {
	allocations := testing.AllocsPerRun(10, func() {
		set := pieces.New(1 << 20)
		set.Fill()
		if !set.Has(5) {
			t.Error("not full")
		}
	})
	if allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}
