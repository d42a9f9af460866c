package projections

import (
	"encoding/binary"
	"hash/maphash"
)

// endpointIndex finds endpoints by their keys: an open-addressed table of numbers into the list of endpoints. The fold spends most
// of its time on looking up endpoints, and that time on waiting for memory: a map holds each key a second time, which is one more
// place to fetch it from. Nothing is ever taken out, and nothing depends on the order in the table, so that its seed may be random:
// addresses are chosen by strangers, who must not be able to choose colliding ones.
type endpointIndex struct {
	seed  maphash.Seed
	slots []endpointSlot // a power of two; at least a quarter of them free
}

// endpointSlot is free when number is 0.
type endpointSlot struct {
	tag    uint32 // of the hash: spares a look at most endpoints with another key
	number uint32 // index of the endpoint, plus one
}

const minEndpointSlots = 1 << 8

func newEndpointIndex() endpointIndex {
	return endpointIndex{seed: maphash.MakeSeed(), slots: make([]endpointSlot, minEndpointSlots)}
}

func (x *endpointIndex) hash(k *endpointKey) uint64 {
	var packed [22]byte
	binary.LittleEndian.PutUint32(packed[0:], uint32(k.torrent))
	binary.LittleEndian.PutUint16(packed[4:], k.port)
	copy(packed[6:], k.address[:])
	return maphash.Bytes(x.seed, packed[:])
}

// find gives the index of the endpoint with a key in a list; else false.
func (x *endpointIndex) find(key *endpointKey, all *list[endpoint]) (index uint32, found bool) {
	hash := x.hash(key)
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := x.slots[i]
		switch {
		case slot.number == 0:
			return 0, false
		case slot.tag == uint32(hash>>32) && all.at(int(slot.number-1)).key == *key:
			return slot.number - 1, true
		}
	}
}

// add takes in the endpoint that was added to a list last. Its key is not in the table, and those before it are.
func (x *endpointIndex) add(index uint32, all *list[endpoint]) {
	if int(index) >= len(x.slots)/4*3 {
		x.slots = make([]endpointSlot, 2*len(x.slots))
		for i := range index { // in the order of the list, which is that of memory
			x.place(i, all)
		}
	}
	x.place(index, all)
}

func (x *endpointIndex) place(index uint32, all *list[endpoint]) {
	hash := x.hash(&all.at(int(index)).key)
	mask := uint64(len(x.slots) - 1)
	i := hash & mask
	for x.slots[i].number != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = endpointSlot{tag: uint32(hash >> 32), number: index + 1}
}
