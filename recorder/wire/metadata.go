package wire

import (
	"math"

	"btda/events"
	"btda/recorder/netfail"
)

// MetadataType is the type of a metadata message (BEP 9).
type MetadataType uint8

// The types of metadata messages.
const (
	MetadataRequest MetadataType = 0
	MetadataData    MetadataType = 1
	MetadataReject  MetadataType = 2
)

// MetadataMessage is a message of ut_metadata (BEP 9).
type MetadataMessage struct {
	Type      MetadataType
	Piece     uint32
	TotalSize events.Optional // bytes of the whole metadata, as a data message says
	Data      []byte          // of a data message: what follows the dictionary
}

// Append appends the payload of the message to b.
func (m MetadataMessage) Append(b []byte) []byte {
	b = appendInteger(append(b, 'd'), "msg_type", int(m.Type))
	b = appendInteger(b, "piece", int(m.Piece))
	if m.TotalSize.Known {
		b = appendInteger(b, "total_size", int(m.TotalSize.Value))
	}
	return append(append(b, 'e'), m.Data...)
}

// ParseMetadata reads the payload of a message of ut_metadata. Data aliases it. The error has events.ReasonMalformed: no
// dictionary, a missing or mistyped field, or a type that BEP 9 does not have.
func ParseMetadata(payload []byte) (MetadataMessage, error) {
	dictionary, rest, ok := cut(payload)
	if !ok || !dictionary.IsDict() {
		return MetadataMessage{}, errMetadata
	}
	kind, hasKind := dictionary.Get("msg_type").Int()
	piece, hasPiece := dictionary.Get("piece").Int()
	if !hasKind || !hasPiece || kind < 0 || kind > int64(MetadataReject) || piece < 0 || piece > math.MaxUint32 {
		return MetadataMessage{}, errMetadata
	}
	m := MetadataMessage{Type: MetadataType(kind), Piece: uint32(piece)}
	if size := dictionary.Get("total_size"); size != nil && !readNumber(&m.TotalSize, size, math.MaxInt64) {
		return MetadataMessage{}, errMetadata
	}
	if m.Type == MetadataData {
		m.Data = rest
	}
	return m, nil
}

var errMetadata = netfail.New(events.ReasonMalformed,
	"a ut_metadata message without a dictionary that has msg_type and piece (BEP 9)")
