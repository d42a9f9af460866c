package projections

import (
	"math/rand/v2"
	"testing"
)

// TestEndpointIndexIsAMap holds the table against a map, with keys that differ in one field only, across several sizes.
func TestEndpointIndexIsAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all list[endpoint]
	index, want := newEndpointIndex(), map[endpointKey]uint32{}
	for range 40 * minEndpointSlots {
		key := endpointKey{torrent: torrentIndex(random.IntN(20)), port: uint16(random.IntN(30)), address: address{15: byte(random.IntN(40))}}
		known, ok := want[key]
		if got, found := index.find(&key, &all); found != ok || got != known {
			t.Fatalf("%v is %d, %v; want %d, %v", key, got, found, known, ok)
		}
		if !ok {
			want[key] = uint32(all.add(endpoint{key: key}))
			index.add(want[key], &all)
		}
	}
	for key, known := range want {
		if got, found := index.find(&key, &all); !found || got != known {
			t.Errorf("%v is %d, %v; want %d", key, got, found, known)
		}
	}
	if len(want) < 4*minEndpointSlots {
		t.Errorf("%d keys, want enough for the table to grow several times", len(want))
	}
}
