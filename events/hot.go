package events

import (
	"math"
	"time"
)

// The kinds that make up most of a log are written and read here once more, field by field and without the walk of a codec,
// which takes 3 to 7 times as long. The bytes are the same, and tests hold them to be. Reading here knows only the shape that
// this program writes: anything else, be it damage, fewer fields or more, is left to the codec.

// appendHot appends the payload of an event of a hot kind; ok is false for another kind.
func appendHot(b []byte, e Event) (_ []byte, ok bool) {
	switch e := e.(type) {
	case *HaveReceived:
		return e.append(b), true
	case *ConnectionFailed:
		return e.append(b), true
	case *BitfieldReceived:
		return e.append(b), true
	case *MessageReceived:
		return e.append(b), true
	case *SessionOpened:
		return e.append(b), true
	case *SessionClosed:
		return e.append(b), true
	case *ExtensionHandshakeReceived:
		return e.append(b), true
	case *TrackerAnnounced:
		return e.append(b)
	}
	return b, false
}

// hotEvents are the events of a Decoder that are read without the codec.
type hotEvents struct {
	haveReceived     HaveReceived // read by Decoder.Decode itself
	connectionFailed ConnectionFailed
	bitfieldReceived BitfieldReceived
	messageReceived  MessageReceived
	sessionOpened    SessionOpened
	sessionClosed    SessionClosed
	trackerAnnounced TrackerAnnounced
	handshake        ExtensionHandshakeReceived
}

// read reads a payload of the newest version of a kind. It returns nil where it cannot.
func (h *hotEvents) read(kind Kind, p []byte, c *codec) Event {
	switch kind {
	case KindConnectionFailed:
		if h.connectionFailed.read(p) {
			return &h.connectionFailed
		}
	case KindBitfieldReceived:
		if h.bitfieldReceived.read(p) {
			return &h.bitfieldReceived
		}
	case KindMessageReceived:
		if h.messageReceived.read(p) {
			return &h.messageReceived
		}
	case KindSessionOpened:
		if h.sessionOpened.read(p) {
			return &h.sessionOpened
		}
	case KindSessionClosed:
		if h.sessionClosed.read(p) {
			return &h.sessionClosed
		}
	case KindExtensionHandshakeReceived:
		if h.handshake.read(p, c) {
			return &h.handshake
		}
	case KindTrackerAnnounced:
		if h.trackerAnnounced.read(p, c) {
			return &h.trackerAnnounced
		}
	}
	return nil
}

func (e *HaveReceived) append(b []byte) []byte {
	b = appendUint(append(b, 0x92), uint64(e.Session))
	return appendUint(b, uint64(e.Piece))
}

func (e *BitfieldReceived) append(b []byte) []byte {
	b = appendUint(append(b, 0x92), uint64(e.Session))
	return appendBytes(b, e.Bitfield)
}

func (e *BitfieldReceived) read(p []byte) bool {
	session, p := cutUint(cutArray(p, 2))
	e.Session = SessionNumber(session)
	e.Bitfield, p = cutBytes(p)
	return allRead(p)
}

func (e *MessageReceived) append(b []byte) []byte {
	b = appendUint(append(b, 0x94), uint64(e.Session))
	b = appendUint(b, uint64(e.Message))
	b = appendUint(b, uint64(e.Extension))
	return appendUint(b, uint64(e.Length))
}

func (e *MessageReceived) read(p []byte) bool {
	session, p := cutUint(cutArray(p, 4))
	message, p := cutUint(p)
	extension, p := cutByte(p)
	length, p := cutUint(p)
	*e = MessageReceived{Session: SessionNumber(session), Message: MessageKind(message), Extension: extension, Length: uint32(length)}
	return allRead(p) && message <= math.MaxUint16 && fit32(length)
}

func (e *ConnectionFailed) append(b []byte) []byte {
	b = appendUint(append(b, 0x9c), uint64(e.Contact))
	b = appendUint(b, uint64(e.Torrent))
	b = appendUint(b, uint64(e.Direction))
	b = appendUint(b, uint64(e.Transport))
	b = appendUint(b, uint64(e.Encryption))
	b = appendUint(b, uint64(e.Phase))
	b = appendUint(b, uint64(e.Reason))
	b = appendAddress(b, &e.Address)
	b = appendInt(b, int64(e.Duration))
	b = appendBytes(b, e.InfoHash)
	b = appendBytes(b, e.PeerID)
	return appendString(b, e.Text)
}

func (e *ConnectionFailed) read(p []byte) bool {
	contact, p := cutUint(cutArray(p, 12))
	torrent, p := cutUint(p)
	direction, p := cutByte(p)
	transport, p := cutByte(p)
	encryption, p := cutByte(p)
	phase, p := cutByte(p)
	reason, p := cutByte(p)
	p = cutAddress(p, &e.Address)
	duration, p := cutUint(p)
	e.InfoHash, p = cutBytes(p)
	e.PeerID, p = cutBytes(p)
	e.Contact, e.Torrent, e.Duration, e.Text = ContactNumber(contact), TorrentNumber(torrent), time.Duration(duration), ""
	e.Direction, e.Transport, e.Encryption = Direction(direction), Transport(transport), Encryption(encryption)
	e.Phase, e.Reason = Phase(phase), Reason(reason)
	return allRead(cutEmptyText(p)) && fit32(torrent) && fitDurations(duration)
}

func (e *SessionOpened) append(b []byte) []byte {
	b = appendUint(append(b, 0x9b), uint64(e.Session))
	b = appendUint(b, uint64(e.Contact))
	b = appendUint(b, uint64(e.Torrent))
	b = appendUint(b, uint64(e.Direction))
	b = appendUint(b, uint64(e.Transport))
	b = appendUint(b, uint64(e.Encryption))
	b = appendAddress(b, &e.Address)
	b = appendBytes(b, e.Reserved[:])
	b = appendBytes(b, e.PeerID[:])
	b = appendInt(b, int64(e.DialDuration))
	return appendInt(b, int64(e.HandshakeDuration))
}

func (e *SessionOpened) read(p []byte) bool {
	session, p := cutUint(cutArray(p, 11))
	contact, p := cutUint(p)
	torrent, p := cutUint(p)
	direction, p := cutByte(p)
	transport, p := cutByte(p)
	encryption, p := cutByte(p)
	p = cutAddress(p, &e.Address)
	reserved, p := cutBytes(p)
	peerID, p := cutBytes(p)
	dial, p := cutUint(p)
	handshake, p := cutUint(p)
	e.Session, e.Contact, e.Torrent = SessionNumber(session), ContactNumber(contact), TorrentNumber(torrent)
	e.Direction, e.Transport, e.Encryption = Direction(direction), Transport(transport), Encryption(encryption)
	e.DialDuration, e.HandshakeDuration = time.Duration(dial), time.Duration(handshake)
	return allRead(p) && fit32(torrent) && fitDurations(dial|handshake) &&
		copy(e.Reserved[:], reserved) == len(reserved) && len(reserved) == len(e.Reserved) &&
		copy(e.PeerID[:], peerID) == len(peerID) && len(peerID) == len(e.PeerID)
}

func (e *SessionClosed) append(b []byte) []byte {
	b = appendUint(append(b, 0x9b), uint64(e.Session))
	b = appendUint(b, uint64(e.By))
	b = appendUint(b, uint64(e.Reason))
	b = appendString(b, e.Text)
	b = appendUint(b, e.BytesReceived)
	b = appendUint(b, e.BytesSent)
	b = appendUint(b, e.MessagesReceived)
	b = appendUint(b, e.MessagesSent)
	b = appendInt(b, int64(e.LongestWait))
	b = appendInt(b, int64(e.LogWait))
	return appendInt(b, int64(e.LongestContentWait))
}

func (e *SessionClosed) read(p []byte) bool {
	session, p := cutUint(cutArray(p, 11))
	by, p := cutByte(p)
	reason, p := cutByte(p)
	p = cutEmptyText(p)
	e.BytesReceived, p = cutUint(p)
	e.BytesSent, p = cutUint(p)
	e.MessagesReceived, p = cutUint(p)
	e.MessagesSent, p = cutUint(p)
	longestWait, p := cutUint(p)
	logWait, p := cutUint(p)
	contentWait, p := cutUint(p)
	e.Session, e.By, e.Reason, e.Text = SessionNumber(session), Side(by), Reason(reason), ""
	e.LongestWait, e.LogWait, e.LongestContentWait = time.Duration(longestWait), time.Duration(logWait), time.Duration(contentWait)
	return allRead(p) && fitDurations(longestWait|logWait|contentWait)
}

func (e *TrackerAnnounced) append(b []byte) (_ []byte, ok bool) {
	if !e.Peers.isPlain() {
		return b, false
	}
	b = appendUint(append(b, 0xdc, 0, 17), uint64(e.Torrent))
	b = appendString(b, e.Tracker)
	b = appendUint(b, uint64(e.Event))
	b = appendAddress(b, &e.Remote)
	b = appendInt(b, int64(e.Duration))
	b = appendOptional(b, e.Interval)
	b = appendOptional(b, e.MinInterval)
	b = appendOptional(b, e.Seeders)
	b = appendOptional(b, e.Leechers)
	b = appendOptional(b, e.Completed)
	b = appendBytes(b, e.Peers.V4)
	b = appendBytes(b, e.Peers.V6)
	b = appendBytes(b, e.Peers.Scopes)
	b = appendUint(b, uint64(e.InvalidPeers))
	b = appendBytes(b, e.ExternalIP)
	b = appendString(b, e.Warning)
	return appendString(b, e.TrackerID), true
}

func (e *TrackerAnnounced) read(p []byte, c *codec) bool {
	torrent, p := cutUint(cutLongArray(p, 17))
	p = cutText(p, &e.Tracker, c)
	event, p := cutByte(p)
	p = cutAddress(p, &e.Remote)
	duration, p := cutUint(p)
	e.Interval, p = cutOptional(p)
	e.MinInterval, p = cutOptional(p)
	e.Seeders, p = cutOptional(p)
	e.Leechers, p = cutOptional(p)
	e.Completed, p = cutOptional(p)
	p = cutPeers(p, &e.Peers)
	invalid, p := cutUint(p)
	e.ExternalIP, p = cutBytes(p)
	p = cutText(p, &e.Warning, c)
	p = cutText(p, &e.TrackerID, c)
	e.Torrent, e.Event, e.InvalidPeers = TorrentNumber(torrent), AnnounceEvent(event), uint32(invalid)
	e.Duration = time.Duration(duration)
	return allRead(p) && fit32(torrent|invalid) && fitDurations(duration)
}
