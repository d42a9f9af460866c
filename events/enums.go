package events

// Source is how we came to know of a peer or an address.
type Source uint8

// The sources.
const (
	SourceTracker      Source = 1
	SourceIncoming     Source = 2
	SourceDHT          Source = 3
	SourceMagnet       Source = 4 // x.pe of a magnet link (BEP 9)
	SourcePeerExchange Source = 5 // BEP 11
	SourceLocal        Source = 6 // local service discovery (BEP 14)
	SourceCommandLine  Source = 7
	SourceEarlierRun   Source = 8 // the log that this run continues
)

var sourceNames = names{1: "tracker", 2: "incoming", 3: "dht", 4: "magnet", 5: "pex", 6: "local", 7: "command line", 8: "earlier run"}

// Direction tells which side opened a connection.
type Direction uint8

// The directions.
const (
	Outgoing Direction = 1
	Incoming Direction = 2
)

var directionNames = names{1: "outgoing", 2: "incoming"}

// Transport is the protocol below the peer wire protocol.
type Transport uint8

// The transports.
const (
	TCP Transport = 1
	UTP Transport = 2 // BEP 29
)

var transportNames = names{1: "tcp", 2: "utp"}

// Encryption is the state of message stream encryption (MSE) of a connection.
type Encryption uint8

// The states of encryption.
const (
	Plain        Encryption = 1
	MSEPlaintext Encryption = 2 // MSE handshake, payload in plain text
	MSERC4       Encryption = 3 // MSE handshake, payload in RC4
	MSE          Encryption = 4 // MSE handshake that failed before it was agreed how the payload goes
)

var encryptionNames = names{1: "plain", 2: "mse plaintext", 3: "mse rc4", 4: "mse"}

// Phase is how far something had come when it failed.
type Phase uint8

// The phases, of connections first, then of requests to trackers.
const (
	PhaseDial        Phase = 1 // connecting
	PhaseEncryption  Phase = 2 // MSE handshake
	PhaseHandshake   Phase = 3 // BitTorrent handshake (BEP 3)
	PhaseResolve     Phase = 4 // looking up a host name
	PhaseTLS         Phase = 5
	PhaseRequest     Phase = 6 // sending
	PhaseAnswer      Phase = 7 // waiting for, reading or parsing the answer
	PhaseAccept      Phase = 8 // taking in an incoming connection
	PhaseTransaction Phase = 9 // UDP tracker connection id (BEP 15)
)

var phaseNames = names{1: "dial", 2: "encryption", 3: "handshake", 4: "resolve", 5: "tls", 6: "request", 7: "answer", 8: "accept", 9: "transaction"}

// Side tells who ended a session.
type Side uint8

// The sides.
const (
	Peer Side = 1
	Us   Side = 2
)

var sideNames = names{1: "peer", 2: "us"}

// AnnounceEvent is the event that an announce names (BEP 3).
type AnnounceEvent uint8

// The announce events, numbered as in BEP 15.
const (
	AnnounceRegular   AnnounceEvent = 0
	AnnounceCompleted AnnounceEvent = 1
	AnnounceStarted   AnnounceEvent = 2
	AnnounceStopped   AnnounceEvent = 3
)

var announceEventNames = names{"regular", "completed", "started", "stopped"}

// MessageKind is the kind of a peer wire message: its number on the wire, or KeepAlive, which has none.
type MessageKind uint16

// The message kinds of BEP 3, 5, 6 and 10.
const (
	Choke         MessageKind = 0
	Unchoke       MessageKind = 1
	Interested    MessageKind = 2
	NotInterested MessageKind = 3
	Have          MessageKind = 4
	Bitfield      MessageKind = 5
	Request       MessageKind = 6
	Piece         MessageKind = 7
	Cancel        MessageKind = 8
	Port          MessageKind = 9
	Suggest       MessageKind = 13
	HaveAll       MessageKind = 14
	HaveNone      MessageKind = 15
	Reject        MessageKind = 16
	AllowedFast   MessageKind = 17
	Extended      MessageKind = 20
	KeepAlive     MessageKind = 256
)

var messageKindNames = names{0: "choke", 1: "unchoke", 2: "interested", 3: "not interested", 4: "have", 5: "bitfield", 6: "request", 7: "piece",
	8: "cancel", 9: "port", 13: "suggest", 14: "have all", 15: "have none", 16: "reject", 17: "allowed fast", 20: "extended", 256: "keep-alive"}

// Limit is a bound that something from outside reached.
type Limit uint8

// The limits.
const (
	LimitFrameLength        Limit = 1  // bytes of one peer wire message
	LimitMessages           Limit = 2  // messages of one session (--max-messages)
	LimitMessageRate        Limit = 3  // messages without content per second: see MessagesSuppressed
	LimitAvailabilityRate   Limit = 4  // new availability per second: the peer is read more slowly
	LimitExtensionHandshake Limit = 5  // bytes of an extension handshake that are kept
	LimitMetadata           Limit = 6  // bytes of metadata (BEP 9)
	LimitExchangedPeers     Limit = 7  // peers of one PEX message (BEP 11)
	LimitExchangeRate       Limit = 8  // PEX messages a minute (BEP 11)
	LimitAnswerPeers        Limit = 9  // peers of one tracker or DHT answer
	LimitKnownPeers         Limit = 10 // peers that the schedule keeps for one torrent
	LimitIncomingSessions   Limit = 11
	LimitOutgoingSessions   Limit = 12
	LimitTrackers           Limit = 13 // trackers of one torrent
	LimitAcceptRate         Limit = 14
	LimitRejectedAddresses  Limit = 15 // addresses of one torrent that are recorded as rejected
	LimitIncomingHandshakes Limit = 16 // incoming connections that have not named a torrent of ours
	LimitLookupNodes        Limit = 17 // nodes asked in one DHT lookup
	LimitDHTAnnounces       Limit = 18 // announces of others to our DHT node that are recorded in a second
)

var limitNames = names{1: "frame length", 2: "messages", 3: "message rate", 4: "availability rate", 5: "extension handshake", 6: "metadata",
	7: "exchanged peers", 8: "exchange rate", 9: "answer peers", 10: "known peers", 11: "incoming sessions", 12: "outgoing sessions", 13: "trackers",
	14: "accept rate", 15: "rejected addresses", 16: "incoming handshakes", 17: "lookup nodes", 18: "dht announces"}

var scopeNames = names{"unknown", "public", "private", "loopback", "link-local", "multicast", "unspecified", "reserved"}
