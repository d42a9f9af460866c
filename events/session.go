package events

import "time"

// SessionOpened says that both handshakes of a connection for one of our torrents are done (BEP 3).
type SessionOpened struct {
	Session           SessionNumber
	Contact           ContactNumber // 0 for incoming
	Torrent           TorrentNumber
	Direction         Direction
	Transport         Transport
	Encryption        Encryption
	Address           Address       // of the peer; the port of an incoming one is not the port that it listens on
	Reserved          [8]byte       // of the peer's handshake
	PeerID            PeerID        // of the peer's handshake
	DialDuration      time.Duration // until connected; 0 for incoming
	HandshakeDuration time.Duration // from connected to the whole handshake
}

// BitfieldReceived is a bitfield message (BEP 3), as received: its length and spare bits may be wrong.
type BitfieldReceived struct {
	Session  SessionNumber
	Bitfield []byte // high bit of the first byte is piece 0
}

// BitfieldChanged is a bitfield message stored as the exact difference to the base of the session: the bitfield of its latest valid
// BitfieldReceived, that is one with the length and spare bits that the number of pieces asks for. So who reads the events keeps
// one base for each open session, whatever the peer sends. A difference to anything else changes nothing.
type BitfieldChanged struct {
	Session SessionNumber
	Base    Seq // of the BitfieldReceived that is the base
	// Toggled names the bits that differ, ascending: the index of the first and then the distance to the one
	// before, less one, each an unsigned varint. Spare bits count as bits.
	Toggled []byte
}

// HaveAllReceived is a have-all message (BEP 6).
type HaveAllReceived struct{ Session SessionNumber }

// HaveNoneReceived is a have-none message (BEP 6).
type HaveNoneReceived struct{ Session SessionNumber }

// HaveReceived is a have message (BEP 3). The index may be out of range.
type HaveReceived struct {
	Session SessionNumber
	Piece   PieceIndex
}

// DontHaveReceived is a lt_donthave message (BEP 54). The index may be out of range.
type DontHaveReceived struct {
	Session SessionNumber
	Piece   PieceIndex
}

// ExtensionHandshakeReceived is an extension handshake (BEP 10): what of it could be parsed, and as received.
type ExtensionHandshakeReceived struct {
	Session      SessionNumber
	Extensions   []Extension // of m, sorted by name
	Client       string      // v
	Port         Optional    // p: the port that the peer listens on
	RequestQueue Optional    // reqq
	MetadataSize Optional    // bytes (BEP 9)
	UploadOnly   Optional    // BEP 21
	Encrypted    Optional    // e: prefers encryption
	YourIP       []byte      // 4 or 16 bytes, or empty
	IPv4         []byte      // 4 bytes, or empty
	IPv6         []byte      // 16 bytes, or empty
	Malformed    bool        // not a bencoded dictionary, or a field of a wrong type
	Length       uint32      // bytes of the whole handshake
	Raw          []byte      // the first 16 KiB; empty in pseudonym mode
}

// Extension is the number that a peer gave to an extension in m of its extension handshake. 0 switches it off.
type Extension struct {
	Name string
	ID   uint8
}

// PortReceived is a port message: the port of the peer's DHT node (BEP 5).
type PortReceived struct {
	Session SessionNumber
	Port    uint16
}

// MessageReceived is a message of any kind that has no event of its own.
type MessageReceived struct {
	Session   SessionNumber
	Message   MessageKind
	Extension uint8  // the extension number beside Extended, which is ours; 0 is a handshake
	Length    uint32 // bytes after the length prefix
}

// MessageSent is a message of ours: what we say changes what we see.
type MessageSent struct {
	Session   SessionNumber
	Message   MessageKind
	Extension uint8  // the extension number beside Extended, which is the peer's; 0 is a handshake
	Length    uint32 // bytes after the length prefix
}

// MessagesSuppressed counts messages without content that came above the rate that is stored one by one. They came
// between Since and the time of the event.
type MessagesSuppressed struct {
	Session SessionNumber
	Message MessageKind
	Count   uint64
	Bytes   uint64
	Since   Time
}

// LimitReached says that something from outside reached a bound.
type LimitReached struct {
	Session SessionNumber // 0 unless a session reached it
	Torrent TorrentNumber // 0 unless it belongs to one
	Limit   Limit
	Value   uint64 // that was claimed or counted
	Bound   uint64
}

// SessionClosed is the end of a session.
type SessionClosed struct {
	Session          SessionNumber
	By               Side
	Reason           Reason
	Text             string // of the error, beside ReasonOther
	BytesReceived    uint64
	BytesSent        uint64
	MessagesReceived uint64
	MessagesSent     uint64
	LongestWait      time.Duration // between two messages, or the handshake and the first
	LogWait          time.Duration // spent waiting for the log
	// LongestContentWait is as LongestWait, for messages that tell about pieces, and the first extension handshake. Others, such as
	// keep-alives and answers to our own questions, do not prolong a visit.
	LongestContentWait time.Duration
}

// Kind is KindSessionOpened.
func (*SessionOpened) Kind() Kind { return KindSessionOpened }

// Kind is KindBitfieldReceived.
func (*BitfieldReceived) Kind() Kind { return KindBitfieldReceived }

// Kind is KindBitfieldChanged.
func (*BitfieldChanged) Kind() Kind { return KindBitfieldChanged }

// Kind is KindHaveAllReceived.
func (*HaveAllReceived) Kind() Kind { return KindHaveAllReceived }

// Kind is KindHaveNoneReceived.
func (*HaveNoneReceived) Kind() Kind { return KindHaveNoneReceived }

// Kind is KindHaveReceived.
func (*HaveReceived) Kind() Kind { return KindHaveReceived }

// Kind is KindDontHaveReceived.
func (*DontHaveReceived) Kind() Kind { return KindDontHaveReceived }

// Kind is KindExtensionHandshakeReceived.
func (*ExtensionHandshakeReceived) Kind() Kind { return KindExtensionHandshakeReceived }

// Kind is KindPortReceived.
func (*PortReceived) Kind() Kind { return KindPortReceived }

// Kind is KindMessageReceived.
func (*MessageReceived) Kind() Kind { return KindMessageReceived }

// Kind is KindMessageSent.
func (*MessageSent) Kind() Kind { return KindMessageSent }

// Kind is KindMessagesSuppressed.
func (*MessagesSuppressed) Kind() Kind { return KindMessagesSuppressed }

// Kind is KindLimitReached.
func (*LimitReached) Kind() Kind { return KindLimitReached }

// Kind is KindSessionClosed.
func (*SessionClosed) Kind() Kind { return KindSessionClosed }

func (e *SessionOpened) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Contact)
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Direction)
	unsigned(c, &e.Transport)
	unsigned(c, &e.Encryption)
	c.address(&e.Address)
	c.fixed(e.Reserved[:])
	c.fixed(e.PeerID[:])
	c.duration(&e.DialDuration)
	c.duration(&e.HandshakeDuration)
}

func (e *BitfieldReceived) fields(c *codec) {
	unsigned(c, &e.Session)
	c.bytes(&e.Bitfield)
}

func (e *BitfieldChanged) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Base)
	c.bytes(&e.Toggled)
}

func (e *HaveAllReceived) fields(c *codec)  { unsigned(c, &e.Session) }
func (e *HaveNoneReceived) fields(c *codec) { unsigned(c, &e.Session) }

func (e *HaveReceived) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Piece)
}

func (e *DontHaveReceived) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Piece)
}

func (e *ExtensionHandshakeReceived) fields(c *codec) {
	unsigned(c, &e.Session)
	list(c, &e.Extensions, func(c *codec, x *Extension) { c.group(x.fields) })
	c.text(&e.Client)
	c.optional(&e.Port)
	c.optional(&e.RequestQueue)
	c.optional(&e.MetadataSize)
	c.optional(&e.UploadOnly)
	c.optional(&e.Encrypted)
	c.bytes(&e.YourIP)
	c.bytes(&e.IPv4)
	c.bytes(&e.IPv6)
	c.flag(&e.Malformed)
	unsigned(c, &e.Length)
	c.bytes(&e.Raw)
}

func (x *Extension) fields(c *codec) {
	c.text(&x.Name)
	unsigned(c, &x.ID)
}

func (e *PortReceived) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Port)
}

func (e *MessageReceived) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Message)
	unsigned(c, &e.Extension)
	unsigned(c, &e.Length)
}

func (e *MessageSent) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Message)
	unsigned(c, &e.Extension)
	unsigned(c, &e.Length)
}

func (e *MessagesSuppressed) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Message)
	unsigned(c, &e.Count)
	unsigned(c, &e.Bytes)
	signed(c, &e.Since)
}

func (e *LimitReached) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Limit)
	unsigned(c, &e.Value)
	unsigned(c, &e.Bound)
}

func (e *SessionClosed) fields(c *codec) {
	unsigned(c, &e.Session)
	unsigned(c, &e.By)
	unsigned(c, &e.Reason)
	c.text(&e.Text)
	unsigned(c, &e.BytesReceived)
	unsigned(c, &e.BytesSent)
	unsigned(c, &e.MessagesReceived)
	unsigned(c, &e.MessagesSent)
	c.duration(&e.LongestWait)
	c.duration(&e.LogWait)
	c.duration(&e.LongestContentWait)
}
