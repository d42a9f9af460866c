package projections

import (
	"math"
	"math/bits"

	"btda/events"
)

// filterSize is the size of a filter of BEP 33, in bytes.
const filterSize = 256

// filter is a Bloom filter of the addresses of peers, as nodes of the DHT give it (BEP 33). Filters of several nodes tell together of all
// peers that one of them tells of: they are united, for they overlap.
type filter struct {
	bits  [filterSize]byte
	known bool // somebody gave one
}

// unite adds what another filter holds. Bytes of another length are none.
func (f *filter) unite(other []byte) {
	if len(other) != filterSize {
		return
	}
	f.known = true
	for i, b := range other {
		f.bits[i] |= b
	}
}

// estimate is about how many addresses the filter holds: exactly none for an empty one, unknown for one without a free bit, which may
// hold any number, and unknown where there is no filter.
func (f *filter) estimate() events.Optional {
	free := 8 * filterSize
	for _, b := range f.bits {
		free -= bits.OnesCount8(b)
	}
	switch {
	case !f.known, free == 0:
		return events.Optional{}
	case free == 8*filterSize:
		return events.Some(0)
	}
	return events.Some(uint64(math.Round(estimateOf(free))))
}

// estimateOf is the formula of BEP 33, for a number of free bits from 1 to one less than all. No value of it is so close to the middle
// between two whole numbers that machines could round it differently.
func estimateOf(free int) float64 {
	const bits, hashes = 8 * filterSize, 2
	return math.Log(float64(free)/bits) / (hashes * math.Log1p(-1.0/bits))
}
