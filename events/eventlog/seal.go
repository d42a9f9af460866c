package eventlog

import (
	"encoding/binary"
	"fmt"

	"btda/events"
)

// Seal closes a log that ended in order: it proves that nothing is missing at the end.
type Seal struct {
	Records uint64
	Last    events.Seq // of the last record
	Blocks  uint64
	Head    [32]byte // chain hash of the last block
}

const sealSize = 1 + 3*8 + 32

func (s Seal) encode() []byte {
	b := []byte{FormatVersion}
	b = binary.BigEndian.AppendUint64(b, s.Records)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Last))
	b = binary.BigEndian.AppendUint64(b, s.Blocks)
	return append(b, s.Head[:]...)
}

func decodeSeal(value []byte) (Seal, error) {
	if len(value) != sealSize {
		return Seal{}, damagedf(0, "a seal of %d bytes, want %d", len(value), sealSize)
	}
	if value[0] != FormatVersion {
		return Seal{}, damagedf(0, "seal version %d is not known", value[0])
	}
	s := Seal{
		Records: binary.BigEndian.Uint64(value[1:]),
		Last:    events.Seq(binary.BigEndian.Uint64(value[9:])),
		Blocks:  binary.BigEndian.Uint64(value[17:]),
		Head:    [32]byte(value[25:]),
	}
	if s.Records != uint64(s.Last) {
		return Seal{}, damagedf(1, "a seal over %d records of which the last is %d", s.Records, s.Last)
	}
	return s, nil
}

// String says what is sealed.
func (s Seal) String() string {
	return fmt.Sprintf("%d records in %d blocks, chain head %x", s.Records, s.Blocks, s.Head)
}
