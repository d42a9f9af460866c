package eventlog

import (
	"fmt"
	"slices"

	"github.com/golang/snappy"
)

// A block is compressed before it is committed, not by the store: so the write-ahead log, the memtables and the chain work on
// half of the bytes as well.

// packedAtMost is the greatest factor by which Snappy makes data smaller: its densest element gives 64 bytes for 3.
const packedAtMost = 22

// pack compresses the records of a block into buf, whose content goes. It returns a value that has the header of the block
// and says that it is compressed; false where that would not be smaller.
func pack(buf, plain []byte) ([]byte, bool) {
	buf = buf[:0]
	buf = slices.Grow(buf, headerSize+snappy.MaxEncodedLen(len(plain)-headerSize))
	buf = append(buf, plain[:headerSize]...)
	buf[headerFlags] |= flagPacked
	records := snappy.Encode(buf[headerSize:cap(buf)], plain[headerSize:])
	return buf[:headerSize+len(records)], len(records) < len(plain)-headerSize
}

// unpack undoes pack, into buf, whose content goes.
func unpack(buf, value []byte) ([]byte, error) {
	records := value[headerSize:]
	size, err := snappy.DecodedLen(records)
	if err == nil && size > packedAtMost*len(records) {
		err = fmt.Errorf("%d bytes cannot hold %d", len(records), size)
	}
	if err != nil {
		return nil, damagedf(headerSize, "compressed records: %v", err)
	}
	buf = append(slices.Grow(buf[:0], headerSize+size), value[:headerSize]...)
	if _, err := snappy.Decode(buf[headerSize:headerSize+size], records); err != nil {
		return nil, damagedf(headerSize, "compressed records: %v", err)
	}
	return buf[:headerSize+size], nil
}
