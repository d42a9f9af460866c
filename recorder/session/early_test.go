package session

import (
	"bytes"
	"sync/atomic"
	"testing"

	"btda/events"
	"btda/events/pieces"
)

// What was kept before the number of pieces was known is the set that the same messages give when it is known from the start, as far as
// they are valid.
func FuzzEarly(f *testing.F) {
	f.Fuzz(func(t *testing.T, size uint16, messages []byte) {
		count := uint32(size%100) + 1
		var kept atomic.Int64
		e, want := &early{kept: &kept}, pieces.New(count)
		fits := true
		for len(messages) >= 2 {
			kind, index := messages[0]%5, events.PieceIndex(messages[1])
			messages = messages[2:]
			switch kind {
			case 0:
				e.have(index, true)
				want.Add(index)
			case 1:
				e.have(index, false)
				want.Remove(index)
			case 2:
				e.whole(true)
				want.Fill()
				fits = true
			case 3:
				e.whole(false)
				want.Clear()
				fits = true
			case 4:
				bitfield := messages[:min(int(index)%16+1, len(messages))]
				if len(bitfield) == 0 {
					continue
				}
				e.replace(bitfield)
				if fits = len(bitfield) == pieces.BitfieldLength(count); fits {
					whole := bytes.Clone(bitfield)
					whole[len(whole)-1] &= 0xff << (uint32(8*len(whole)) - count)
					if err := want.Replace(whole); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		got, ok := e.set(count)
		if ok != fits || ok && !bytes.Equal(got.Bitfield(), want.Bitfield()) {
			t.Errorf("%08b, %v, want %08b, %v", got.Bitfield(), ok, want.Bitfield(), fits)
		}
		if e.forget(); kept.Load() != 0 {
			t.Errorf("%d bytes are still counted", kept.Load())
		}
	})
}

// What many peers make us keep is bounded, and more of it is lost as a whole.
func TestEarlyAvailabilityIsBounded(t *testing.T) {
	var kept atomic.Int64
	last := &early{kept: &kept}
	for range earlyShare / (maxEarly / 8) {
		e := &early{kept: &kept}
		e.have(maxEarly-1, true)
		e.have(maxEarly, true) // is no piece of any torrent
		if _, ok := e.set(16); !ok {
			t.Fatalf("lost with %d bytes kept", kept.Load())
		}
	}
	last.have(0, true)
	if _, ok := last.set(16); ok || kept.Load() != earlyShare {
		t.Errorf("kept with %d bytes, want it lost", kept.Load())
	}
	last.whole(true)
	if set, ok := last.set(16); !ok || set.Count() != 16 {
		t.Error("all pieces take no memory, and are lost")
	}
}
