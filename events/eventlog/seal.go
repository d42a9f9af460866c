package eventlog

import (
	"encoding/binary"
	"fmt"

	"btda/events"
)

// Seal is what a clean close writes: it proves where the log ends.
type Seal struct {
	Count uint64     // records
	Last  events.Seq // of the newest record
	Head  [32]byte   // SHA-256 of the newest block: the head of the chain
}

func (s Seal) encode() []byte {
	b := binary.BigEndian.AppendUint64([]byte{blockVersion}, s.Count)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Last))
	return append(b, s.Head[:]...)
}

func parseSeal(b []byte) (Seal, error) {
	if len(b) != 49 || b[0] != blockVersion {
		return Seal{}, fmt.Errorf("%w: bad seal", ErrCorrupt)
	}
	return Seal{Count: binary.BigEndian.Uint64(b[1:]), Last: events.Seq(binary.BigEndian.Uint64(b[9:])), Head: hash(b[17:])}, nil
}
