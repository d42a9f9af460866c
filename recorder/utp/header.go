package utp

import "encoding/binary"

// Sizes in bytes.
const (
	headerSize = 20
	// maxPacket is the longest packet that is taken: what an Ethernet frame holds.
	maxPacket = 1500
	// maxAck is the longest selective acknowledgment that means something to us: one bit for each packet that may be on its way.
	maxAck = 32
	// maxExtensions is how many extensions a packet may have. One is in use.
	maxExtensions = 4
)

// kind is the type of a packet (BEP 29).
type kind uint8

const (
	kindData kind = iota
	kindFin
	kindState
	kindReset
	kindSyn
)

// header is what is looked at of a packet.
type header struct {
	kind       kind
	connection uint16
}

// parseHeader reads the header of a packet. It reports false for what is no packet of uTP, or one that no client sends: too long, or with
// extensions that do not end in it, are too many, or do not acknowledge in whole words (BEP 29, selective ACK).
func parseHeader(b []byte) (header, bool) {
	if len(b) < headerSize || len(b) > maxPacket || b[0]&0xf != 1 || kind(b[0]>>4) > kindSyn {
		return header{}, false
	}
	if !extensionsEnd(b[1], b[headerSize:]) {
		return header{}, false
	}
	return header{kind: kind(b[0] >> 4), connection: binary.BigEndian.Uint16(b[2:4])}, true
}

// extensionsEnd walks through the extensions of a packet, the first of which has a number.
func extensionsEnd(number byte, b []byte) bool {
	const selectiveAck = 1
	for range maxExtensions + 1 {
		if number == 0 {
			return true
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) || number == selectiveAck && (b[1] == 0 || b[1]%4 != 0 || b[1] > maxAck) {
			return false
		}
		number, b = b[0], b[2+int(b[1]):]
	}
	return false
}
