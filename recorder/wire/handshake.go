package wire

import (
	"fmt"

	"btda/events"
	"btda/recorder/netfail"
)

// protocol is what every handshake begins with: the length of the name, and the name (BEP 3).
const protocol = "\x13BitTorrent protocol"

// Sizes and offsets of the parts of a handshake, in bytes.
const (
	HandshakeSize = 68
	// PreludeSize is how much of a handshake comes before the peer id. It tells for which torrent the handshake is, and some peers
	// send no more until they are answered.
	PreludeSize    = peerIDOffset
	reservedOffset = len(protocol)
	infoHashOffset = reservedOffset + 8
	peerIDOffset   = infoHashOffset + 20
)

// Reserved is the eight bytes of a handshake in which a side says what it supports.
type Reserved [8]byte

// The bits of the extensions that are used here.
const (
	extensionsByte, extensionsBit = 5, 0x10 // BEP 10
	fastByte, fastBit             = 7, 0x04 // BEP 6
	dhtByte, dhtBit               = 7, 0x01 // BEP 5
)

// OurReserved is what we support: the extension protocol and the fast extension, and the DHT where a node of ours runs.
func OurReserved(dht bool) Reserved {
	var r Reserved
	r[extensionsByte] |= extensionsBit
	r[fastByte] |= fastBit
	if dht {
		r[dhtByte] |= dhtBit
	}
	return r
}

// Extensions reports support of the extension protocol (BEP 10).
func (r Reserved) Extensions() bool { return r[extensionsByte]&extensionsBit != 0 }

// Fast reports support of the fast extension (BEP 6).
func (r Reserved) Fast() bool { return r[fastByte]&fastBit != 0 }

// DHT reports a DHT node (BEP 5).
func (r Reserved) DHT() bool { return r[dhtByte]&dhtBit != 0 }

// Handshake is the first thing that each side sends (BEP 3).
type Handshake struct {
	Reserved Reserved
	InfoHash events.InfoHash
	PeerID   events.PeerID
}

// Append appends the HandshakeSize bytes of the handshake to b.
func (h Handshake) Append(b []byte) []byte {
	b = append(b, protocol...)
	b = append(b, h.Reserved[:]...)
	b = append(b, h.InfoHash[:]...)
	return append(b, h.PeerID[:]...)
}

// CheckProtocol reports whether b, the first bytes of a connection, however few, may begin a handshake. The error has
// events.ReasonUnknownProtocol: more bytes will not help.
func CheckProtocol(b []byte) error {
	n := min(len(b), len(protocol))
	if string(b[:n]) != protocol[:n] {
		return netfail.New(events.ReasonUnknownProtocol, fmt.Sprintf("bytes that begin with %q are no BitTorrent handshake", b[:n]))
	}
	return nil
}

// ParseHandshake reads the first HandshakeSize bytes of b. The error has events.ReasonUnknownProtocol, or
// events.ReasonTruncated when there are fewer bytes.
func ParseHandshake(b []byte) (Handshake, error) {
	h, err := parse(b, HandshakeSize)
	if err == nil {
		h.PeerID = events.PeerID(b[peerIDOffset:HandshakeSize])
	}
	return h, err
}

// ParsePrelude reads the first PreludeSize bytes of b, a handshake without its peer id. The error is as from ParseHandshake.
func ParsePrelude(b []byte) (Handshake, error) { return parse(b, PreludeSize) }

func parse(b []byte, size int) (Handshake, error) {
	if err := CheckProtocol(b); err != nil {
		return Handshake{}, err
	}
	if len(b) < size {
		return Handshake{}, netfail.New(events.ReasonTruncated, fmt.Sprintf("a handshake of %d bytes, want %d", len(b), size))
	}
	return Handshake{Reserved: Reserved(b[reservedOffset:infoHashOffset]), InfoHash: events.InfoHash(b[infoHashOffset:peerIDOffset])}, nil
}
