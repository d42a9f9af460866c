package events

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// names gives the words of an enumeration, by number.
type names []string

// text gives the name of a number; of one without a name, what it is and the number, such as "reason 200".
func (n names) text(what string, i uint64) string {
	if i < uint64(len(n)) && n[i] != "" {
		return n[i]
	}
	return fmt.Sprintf("%s %d", what, i)
}

// parse reads what text gives.
func (n names) parse(what, text string) (uint64, error) {
	for i, name := range n {
		if name == text && name != "" {
			return uint64(i), nil
		}
	}
	if digits, ok := strings.CutPrefix(text, what+" "); ok {
		if i, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q is not known: want one of %s", what, text, n.list())
}

func (n names) list() string {
	known := slices.DeleteFunc(slices.Clone(n), func(name string) bool { return name == "" })
	return strings.Join(known, ", ")
}

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
)

var encryptionNames = names{1: "plain", 2: "mse plaintext", 3: "mse rc4"}

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
)

var limitNames = names{1: "frame length", 2: "messages", 3: "message rate", 4: "availability rate", 5: "extension handshake", 6: "metadata",
	7: "exchanged peers", 8: "exchange rate", 9: "answer peers", 10: "known peers", 11: "incoming sessions", 12: "outgoing sessions", 13: "trackers",
	14: "accept rate", 15: "rejected addresses"}

var scopeNames = names{"unknown", "public", "private", "loopback", "link-local", "multicast", "unspecified", "reserved"}

func (s Source) String() string        { return sourceNames.text("source", uint64(s)) }
func (d Direction) String() string     { return directionNames.text("direction", uint64(d)) }
func (t Transport) String() string     { return transportNames.text("transport", uint64(t)) }
func (e Encryption) String() string    { return encryptionNames.text("encryption", uint64(e)) }
func (p Phase) String() string         { return phaseNames.text("phase", uint64(p)) }
func (s Side) String() string          { return sideNames.text("side", uint64(s)) }
func (e AnnounceEvent) String() string { return announceEventNames.text("announce event", uint64(e)) }
func (k MessageKind) String() string   { return messageKindNames.text("message", uint64(k)) }
func (l Limit) String() string         { return limitNames.text("limit", uint64(l)) }
func (s Scope) String() string         { return scopeNames.text("scope", uint64(s)) }
func (r Reason) String() string        { return reasonNames.text("reason", uint64(r)) }

// MarshalText gives the name.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText gives the name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText gives the name.
func (t Transport) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalText gives the name.
func (e Encryption) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText gives the name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// MarshalText gives the name.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText gives the name.
func (e AnnounceEvent) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText gives the name.
func (k MessageKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalText gives the name.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// MarshalText gives the name.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText gives the name.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name.
func (s *Source) UnmarshalText(b []byte) error { return parseName(s, sourceNames, "source", b) }

// UnmarshalText reads the name.
func (d *Direction) UnmarshalText(b []byte) error {
	return parseName(d, directionNames, "direction", b)
}

// UnmarshalText reads the name.
func (t *Transport) UnmarshalText(b []byte) error {
	return parseName(t, transportNames, "transport", b)
}

// UnmarshalText reads the name.
func (e *Encryption) UnmarshalText(b []byte) error {
	return parseName(e, encryptionNames, "encryption", b)
}

// UnmarshalText reads the name.
func (p *Phase) UnmarshalText(b []byte) error { return parseName(p, phaseNames, "phase", b) }

// UnmarshalText reads the name.
func (s *Side) UnmarshalText(b []byte) error { return parseName(s, sideNames, "side", b) }

// UnmarshalText reads the name.
func (e *AnnounceEvent) UnmarshalText(b []byte) error {
	return parseName(e, announceEventNames, "announce event", b)
}

// UnmarshalText reads the name.
func (k *MessageKind) UnmarshalText(b []byte) error {
	return parseName(k, messageKindNames, "message", b)
}

// UnmarshalText reads the name.
func (l *Limit) UnmarshalText(b []byte) error { return parseName(l, limitNames, "limit", b) }

// UnmarshalText reads the name.
func (s *Scope) UnmarshalText(b []byte) error { return parseName(s, scopeNames, "scope", b) }

// UnmarshalText reads the name.
func (r *Reason) UnmarshalText(b []byte) error { return parseName(r, reasonNames, "reason", b) }

func parseName[T ~uint8 | ~uint16](to *T, n names, what string, text []byte) error {
	i, err := n.parse(what, string(text))
	if err == nil && uint64(T(i)) != i {
		err = fmt.Errorf("%q: the number is too large", text)
	}
	if err == nil {
		*to = T(i)
	}
	return err
}
