package wire

import (
	"encoding/binary"

	"btda/events"
	"btda/events/pieces"
)

// Head is the beginning of a message: its length prefix, and the one or two bytes that tell its kind.
type Head struct {
	Kind      events.MessageKind
	Extension uint8  // the extension number beside events.Extended; 0 is an extension handshake
	Length    uint32 // bytes after the length prefix; 0 for a keep-alive
	Size      int    // bytes of the head itself: 4, 5 or 6
}

// Payload is the number of bytes that follow the head.
func (h Head) Payload() int { return prefixSize + int(h.Length) - h.Size }

const prefixSize = 4

// ParseHead reads the head of the message that b begins with. ok is false while b is too short to tell.
func ParseHead(b []byte) (head Head, ok bool) {
	if len(b) < prefixSize {
		return Head{}, false
	}
	head.Length = binary.BigEndian.Uint32(b)
	if head.Length == 0 {
		head.Kind, head.Size = events.KeepAlive, prefixSize
		return head, true
	}
	if len(b) < prefixSize+1 {
		return head, false
	}
	head.Kind, head.Size = events.MessageKind(b[prefixSize]), prefixSize+1
	if head.Kind != events.Extended || head.Length == 1 {
		return head, true
	}
	if len(b) < prefixSize+2 {
		return head, false
	}
	head.Extension, head.Size = b[prefixSize+1], prefixSize+2
	return head, true
}

// Bounds on the length of a message.
const (
	// minBound takes in the largest message that a peer has reason to send to us: a piece of metadata (BEP 9), 16 KiB and
	// its dictionary, or an exchange of peers (BEP 11). Clients differ in how much they put into one.
	minBound = 64 << 10
	// unknownBitfield is the largest bitfield, in bytes, that is taken while the number of pieces is not known.
	unknownBitfield = 256 << 10
)

// Bound is the greatest length, in bytes after the prefix, of a message for a torrent with a number of pieces; 0 where
// that number is not known. It takes in a bitfield that is twice as long as it should be, so that it can be recorded.
func Bound(pieceCount uint32) uint32 {
	if pieceCount == 0 {
		return 1 + unknownBitfield
	}
	return max(minBound, 1+2*uint32(pieces.BitfieldLength(pieceCount)))
}

// ParseIndex reads the payload of have (BEP 3) and lt_donthave (BEP 54). ok is false when it is not four bytes long.
func ParseIndex(payload []byte) (index events.PieceIndex, ok bool) {
	if len(payload) != 4 {
		return 0, false
	}
	return events.PieceIndex(binary.BigEndian.Uint32(payload)), true
}

// ParsePort reads the payload of port (BEP 5). ok is false when it is not two bytes long.
func ParsePort(payload []byte) (port uint16, ok bool) {
	if len(payload) != 2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(payload), true
}

// AppendKeepAlive appends a keep-alive.
func AppendKeepAlive(b []byte) []byte { return append(b, 0, 0, 0, 0) }

// AppendHaveNone appends have-none (BEP 6).
func AppendHaveNone(b []byte) []byte { return append(b, 0, 0, 0, 1, byte(events.HaveNone)) }

// AppendPort appends port, the UDP port of our DHT node (BEP 5).
func AppendPort(b []byte, port uint16) []byte {
	return binary.BigEndian.AppendUint16(append(b, 0, 0, 0, 3, byte(events.Port)), port)
}

// AppendExtended appends a message of an extension; the number is the one that the peer gave to it (BEP 10).
func AppendExtended(b []byte, extension uint8, payload []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(2+len(payload)))
	b = append(b, byte(events.Extended), extension)
	return append(b, payload...)
}
