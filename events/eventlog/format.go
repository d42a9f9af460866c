package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"btda/events"
)

// FormatVersion is the version of the layout that this program writes: of the keys, the blocks and the seal.
// FORMAT.md describes it.
const FormatVersion = 1

// The key spaces. The first byte of a key names its space. Blocks come after the definitions and before the seal, so
// that the tables of a growing log do not overlap.
const (
	spaceFormat     byte = 1 // one key: the format record
	spaceDefinition byte = 2 // then 8 bytes, the sequence number: a copy of one run or torrent record
	spaceBlock      byte = 3 // then 8 bytes, the sequence number of the first record: a block
	spaceSeal       byte = 4 // one key: the seal
)

// formatMagic opens the format record; the version follows as one byte.
const formatMagic = "btda event log\n"

// Sizes of the header of a block, in bytes, and the places of its fields. Numbers are big-endian.
const (
	headerFlags    = 1
	headerFirst    = 2
	headerCount    = 10
	headerTime     = 14
	headerSynced   = 22
	headerPrevious = 30
	headerSize     = headerPrevious + sha256.Size
)

// Flags of a block.
const (
	flagDefinition byte = 1 // the value of a definition: one record, outside of the chain
	flagPacked     byte = 2 // the records are compressed
)

// minFrameSize is the length of the shortest record within a block: four varints of one byte, and no payload.
const minFrameSize = 4

// maxPayload bounds the payload of one event, in bytes.
const maxPayload = 64 << 20

// chainHash is the SHA-256 of a stored value. Each block carries that of the value before it: the first block that of the
// format record, the seal that of the last block.
type chainHash [sha256.Size]byte

func (h chainHash) String() string { return fmt.Sprintf("%x", h[:]) }

var (
	formatKey = []byte{spaceFormat}
	sealKey   = []byte{spaceSeal}
)

func blockKey(first events.Seq) []byte { return seqKey(spaceBlock, first) }

func seqKey(space byte, seq events.Seq) []byte {
	return binary.BigEndian.AppendUint64([]byte{space}, uint64(seq))
}

func keySeq(key []byte) (events.Seq, error) {
	if len(key) != 9 {
		return 0, fmt.Errorf("key %x: want 9 bytes, got %d", key, len(key))
	}
	return events.Seq(binary.BigEndian.Uint64(key[1:])), nil
}

func formatRecord() []byte { return append([]byte(formatMagic), FormatVersion) }

// errNotALog says that a folder holds something else.
var errNotALog = errors.New("not an event log, or one whose creation was cut short")

func checkFormatRecord(value []byte) error {
	if len(value) != len(formatMagic)+1 || string(value[:len(formatMagic)]) != formatMagic {
		return fmt.Errorf("format record %q: %w", value, errNotALog)
	}
	if v := value[len(formatMagic)]; v == 0 || v > FormatVersion {
		return fmt.Errorf("format version %d is not known, only those up to %d: use a newer btda", v, FormatVersion)
	}
	return nil
}
