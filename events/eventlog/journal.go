package eventlog

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"btda/events"
)

// Pebble's write-ahead log, as far as it is needed here. It consists of pages, and a page of chunks: a header, and a part
// of a batch. Reading ends at the first chunk that is not as it should be, because that is what the end looks like after
// a crash. Damage looks the same, when it lies in what Pebble takes for the torn end. But each block says what was durable
// before it was written: a block behind the place where reading ended tells when more had been there.
const (
	journalPage = 32 << 10
	batchHeader = 12 // bytes before the first operation of a batch
	batchSet    = 1  // operation: key and value follow, each after its length
)

// journalChunk has the kinds of chunk, and the length of the header of each: CRC (4), length (2), kind (1), number of the
// file (4) and, in the later kinds, a synced offset (8), all little-endian.
var journalChunk = [256]struct{ header int }{
	5: {11}, 6: {11}, 7: {11}, 8: {11}, // a whole batch; its first, middle and last part
	9: {19}, 10: {19}, 11: {19}, 12: {19},
}

// journalStarts are the kinds of chunk with which a batch begins.
var journalStarts = []byte{5, 6, 9, 10}

// journal is a write-ahead log.
type journal struct {
	data   []byte
	number uint32 // low half of the file's number, which each of its chunks carries
}

// proof finds the block that says that the most was durable, anywhere in the file, and its offset.
func (j journal) proof(last events.Seq) (offset int, synced events.Seq) {
	for _, kind := range journalStarts {
		mark := binary.LittleEndian.AppendUint32([]byte{kind}, j.number)
		for at := 0; ; at++ {
			n := bytes.Index(j.data[at:], mark)
			if n < 0 {
				break
			}
			at += n
			part, ok := j.chunk(at - 6)
			if h, found := blockIn(part); ok && found && h.first > last && h.synced > synced {
				offset, synced = at-6, h.synced
			}
		}
	}
	return offset, synced
}

// chunk returns the part of a batch in the chunk at an offset, when it is as it was written.
func (j journal) chunk(at int) ([]byte, bool) {
	if at < 0 || at+7 > len(j.data) {
		return nil, false
	}
	sum, length, kind := binary.LittleEndian.Uint32(j.data[at:]), binary.LittleEndian.Uint16(j.data[at+4:]), j.data[at+6]
	start := at + journalChunk[kind].header
	end := start + int(length)
	pageEnd := at - at%journalPage + journalPage
	if start == at || end > pageEnd || end > len(j.data) || binary.LittleEndian.Uint32(j.data[at+7:]) != j.number {
		return nil, false
	}
	return j.data[start:end], maskedCRC(j.data[at+6:end]) == sum
}

// end is the offset of the first chunk that is not as it should be.
func (j journal) end() int {
	at := 0
	for {
		part, ok := j.chunk(at)
		if !ok {
			return at
		}
		header := journalChunk[j.data[at+6]].header
		at += header + len(part)
		if rest := journalPage - at%journalPage; rest < header {
			at += rest // too short for a header
		}
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is the checksum of Pebble's and RocksDB's files.
func maskedCRC(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// blockIn finds the header of the block with which a batch begins.
func blockIn(batch []byte) (header, bool) {
	if len(batch) <= batchHeader || batch[batchHeader] != batchSet {
		return header{}, false
	}
	rest := batch[batchHeader+1:]
	n, size := binary.Uvarint(rest)
	if size <= 0 || n != uint64(len(blockKey(0))) || len(rest) < size+int(n) || rest[size] != spaceBlock {
		return header{}, false
	}
	rest = rest[size+int(n):]
	if _, size = binary.Uvarint(rest); size <= 0 || len(rest) < size+headerSize {
		return header{}, false
	}
	return getHeader(rest[size:]), true
}
