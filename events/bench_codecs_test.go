package events_test

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"btda/events"
)

// putUint is the shortest msgpack form of a number.
func putUint(b []byte, v uint64) []byte {
	switch {
	case v < 0x80:
		return append(b, byte(v))
	case v <= math.MaxUint8:
		return append(b, 0xcc, byte(v))
	case v <= math.MaxUint16:
		return append(b, 0xcd, byte(v>>8), byte(v))
	case v <= math.MaxUint32:
		return append(b, 0xce, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xcf), v)
}

// cutUint reads what putUint wrote.
func cutUint(b []byte) (uint64, []byte) {
	switch b[0] {
	case 0xcc:
		return uint64(b[1]), b[2:]
	case 0xcd:
		return uint64(binary.BigEndian.Uint16(b[1:])), b[3:]
	case 0xce:
		return uint64(binary.BigEndian.Uint32(b[1:])), b[5:]
	case 0xcf:
		return binary.BigEndian.Uint64(b[1:]), b[9:]
	}
	return uint64(b[0]), b[1:]
}

func appendHaveReceived(b []byte, e *events.HaveReceived) []byte {
	b = putUint(append(b, 0x92), uint64(e.Session))
	return putUint(b, uint64(e.Piece))
}

func readHaveReceived(b []byte, e *events.HaveReceived) {
	session, b := cutUint(b[1:])
	piece, _ := cutUint(b)
	e.Session, e.Piece = events.SessionNumber(session), events.PieceIndex(piece)
}

func appendConnectionFailed(b []byte, e *events.ConnectionFailed) []byte {
	b = putUint(append(b, 0x9c), uint64(e.Contact))
	b = putUint(b, uint64(e.Torrent))
	b = append(b, byte(e.Direction), byte(e.Transport), byte(e.Encryption), byte(e.Phase), byte(e.Reason))
	ip := e.Address.Addr().As4()
	b = append(append(b, 0xc4, 7, byte(e.Address.Scope)), ip[:]...)
	b = binary.BigEndian.AppendUint16(b, e.Address.Port())
	b = putUint(b, uint64(e.Duration))
	b = append(append(b, 0xc4, byte(len(e.InfoHash))), e.InfoHash...)
	b = append(append(b, 0xc4, byte(len(e.PeerID))), e.PeerID...)
	return append(append(b, 0xa0|byte(len(e.Text))), e.Text...)
}

func readConnectionFailed(b []byte, e *events.ConnectionFailed) {
	contact, b := cutUint(b[1:])
	torrent, b := cutUint(b)
	e.Contact, e.Torrent = events.ContactNumber(contact), events.TorrentNumber(torrent)
	e.Direction, e.Transport, e.Encryption = events.Direction(b[0]), events.Transport(b[1]), events.Encryption(b[2])
	e.Phase, e.Reason = events.Phase(b[3]), events.Reason(b[4])
	e.Address.Scope = events.Scope(b[7])
	e.Address.AddrPort = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[8:])), binary.BigEndian.Uint16(b[12:]))
	duration, b := cutUint(b[14:])
	e.Duration = time.Duration(duration)
	n := int(b[1])
	e.InfoHash, b = b[2:2+n], b[2+n:]
	n = int(b[1])
	e.PeerID, b = b[2:2+n], b[2+n:]
	e.Text = string(b[1:])
}

// libraryHaveReceived is HaveReceived with the methods that the msgpack library knows.
type libraryHaveReceived events.HaveReceived

func (e *libraryHaveReceived) EncodeMsgpack(to *msgpack.Encoder) error {
	if err := to.EncodeArrayLen(2); err != nil {
		return err
	}
	if err := to.EncodeUint(uint64(e.Session)); err != nil {
		return err
	}
	return to.EncodeUint(uint64(e.Piece))
}

func (e *libraryHaveReceived) DecodeMsgpack(from *msgpack.Decoder) error {
	if _, err := from.DecodeArrayLen(); err != nil {
		return err
	}
	session, err := from.DecodeUint64()
	if err != nil {
		return err
	}
	piece, err := from.DecodeUint32()
	e.Session, e.Piece = events.SessionNumber(session), events.PieceIndex(piece)
	return err
}

// libraryConnectionFailed is ConnectionFailed with the methods that the msgpack library knows.
type libraryConnectionFailed events.ConnectionFailed

func (e *libraryConnectionFailed) EncodeMsgpack(to *msgpack.Encoder) error {
	if err := to.EncodeArrayLen(12); err != nil {
		return err
	}
	for _, n := range [...]uint64{uint64(e.Contact), uint64(e.Torrent), uint64(e.Direction), uint64(e.Transport), uint64(e.Encryption),
		uint64(e.Phase), uint64(e.Reason)} {
		if err := to.EncodeUint(n); err != nil {
			return err
		}
	}
	if err := to.EncodeBytes(libraryAddress(e.Address)); err != nil {
		return err
	}
	if err := to.EncodeUint(uint64(e.Duration)); err != nil {
		return err
	}
	if err := to.EncodeBytes(e.InfoHash); err != nil {
		return err
	}
	if err := to.EncodeBytes(e.PeerID); err != nil {
		return err
	}
	return to.EncodeString(e.Text)
}

func libraryAddress(a events.Address) []byte {
	ip := a.Addr().As4()
	return []byte{byte(a.Scope), ip[0], ip[1], ip[2], ip[3], byte(a.Port() >> 8), byte(a.Port())}
}

func (e *libraryConnectionFailed) DecodeMsgpack(from *msgpack.Decoder) error {
	if _, err := from.DecodeArrayLen(); err != nil {
		return err
	}
	var numbers [7]uint64
	for i := range numbers {
		n, err := from.DecodeUint64()
		if err != nil {
			return err
		}
		numbers[i] = n
	}
	e.Contact, e.Torrent, e.Direction = events.ContactNumber(numbers[0]), events.TorrentNumber(numbers[1]), events.Direction(numbers[2])
	e.Transport, e.Encryption = events.Transport(numbers[3]), events.Encryption(numbers[4])
	e.Phase, e.Reason = events.Phase(numbers[5]), events.Reason(numbers[6])
	return e.decodeRest(from)
}

func (e *libraryConnectionFailed) decodeRest(from *msgpack.Decoder) error {
	address, err := libraryBytes(from, e.scratch())
	if err != nil {
		return err
	}
	e.Address = events.Address{AddrPort: netip.AddrPortFrom(netip.AddrFrom4([4]byte(address[1:])), binary.BigEndian.Uint16(address[5:])), Scope: events.Scope(address[0])}
	duration, err := from.DecodeInt64()
	if err != nil {
		return err
	}
	e.Duration = time.Duration(duration)
	if e.InfoHash, err = libraryBytes(from, e.InfoHash); err != nil {
		return err
	}
	if e.PeerID, err = libraryBytes(from, e.PeerID); err != nil {
		return err
	}
	e.Text, err = from.DecodeString()
	return err
}

// scratch is space for the bytes of an address, which the PeerID that is read later overwrites.
func (e *libraryConnectionFailed) scratch() []byte { return e.PeerID[:0] }

// libraryBytes reads a byte string into space that is there.
func libraryBytes(from *msgpack.Decoder, to []byte) ([]byte, error) {
	n, err := from.DecodeBytesLen()
	if err != nil {
		return nil, err
	}
	to = to[:n]
	return to, from.ReadFull(to)
}
