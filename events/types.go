package events

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
)

// RunID names one run of the recorder: 16 random bytes, drawn once at its start.
// Together with a Seq it identifies a record among all logs ever written.
type RunID [16]byte

// InfoHash is the SHA-1 of the bencoded info dictionary (BEP 3).
type InfoHash [20]byte

// PeerID is the id that a peer gives in its handshake (BEP 3).
type PeerID [20]byte

// NodeID is the id of a DHT node (BEP 5).
type NodeID [20]byte

// Seq is the position of a record in its run: from 1, without gaps.
type Seq uint64

// Time is a moment in nanoseconds since 1970-01-01 UTC, taken where the fact was observed:
// the wall clock at the start of the run plus the monotonic time since then.
type Time int64

// TorrentNumber is the number that a run gave to a torrent in TorrentAdded, from 1.
// 0 stands for no torrent, or for one that is not ours.
type TorrentNumber uint32

// SessionNumber is the number that a run gave to a session in SessionOpened, from 1.
type SessionNumber uint64

// ContactNumber numbers the outgoing attempts to reach one peer at one time, from 1.
// The TCP, uTP, plain and encrypted tries of one visit share it. 0 stands for an incoming connection.
type ContactNumber uint64

// LookupNumber numbers the DHT lookups of a run, from 1.
type LookupNumber uint64

// PieceIndex is the index of a piece of a torrent, from 0 (BEP 3).
type PieceIndex uint32

// TimeOf converts a wall-clock time.
func TimeOf(t time.Time) Time { return Time(t.UnixNano()) }

// Add returns the moment d later; the first or last moment there is where that is beyond.
func (t Time) Add(d time.Duration) Time {
	sum := t + Time(d)
	switch {
	case d > 0 && sum < t:
		return math.MaxInt64
	case d < 0 && sum > t:
		return math.MinInt64
	}
	return sum
}

// Sub returns the time from u to t; the shortest or longest there is where that is beyond.
func (t Time) Sub(u Time) time.Duration {
	difference := t - u
	switch {
	case t > u && difference < 0:
		return math.MaxInt64
	case t < u && difference > 0:
		return math.MinInt64
	}
	return time.Duration(difference)
}

// UTC returns the moment as a time.Time in UTC.
func (t Time) UTC() time.Time { return time.Unix(0, int64(t)).UTC() }

// String gives the moment in RFC 3339 with nanoseconds.
func (t Time) String() string { return t.UTC().Format(time.RFC3339Nano) }

// MarshalText gives the moment in RFC 3339 with nanoseconds.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads RFC 3339.
func (t *Time) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return fmt.Errorf("time %q: want RFC 3339, such as 2026-01-31T12:00:00Z: %w", text, err)
	}
	*t = TimeOf(parsed)
	return nil
}

// String gives the id in hexadecimal.
func (id RunID) String() string { return hex.EncodeToString(id[:]) }

// String gives the hash in hexadecimal.
func (h InfoHash) String() string { return hex.EncodeToString(h[:]) }

// String gives the id in hexadecimal.
func (id PeerID) String() string { return hex.EncodeToString(id[:]) }

// String gives the id in hexadecimal.
func (id NodeID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText gives the id in hexadecimal.
func (id RunID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText gives the hash in hexadecimal.
func (h InfoHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// MarshalText gives the id in hexadecimal.
func (id PeerID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText gives the id in hexadecimal.
func (id NodeID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (id *RunID) UnmarshalText(text []byte) error { return unmarshalHex("run id", id[:], text) }

// UnmarshalText reads 40 hexadecimal digits.
func (h *InfoHash) UnmarshalText(text []byte) error { return unmarshalHex("info hash", h[:], text) }

// UnmarshalText reads 40 hexadecimal digits.
func (id *PeerID) UnmarshalText(text []byte) error { return unmarshalHex("peer id", id[:], text) }

// UnmarshalText reads 40 hexadecimal digits.
func (id *NodeID) UnmarshalText(text []byte) error { return unmarshalHex("node id", id[:], text) }

func unmarshalHex(what string, to, text []byte) error {
	if len(text) != 2*len(to) {
		return fmt.Errorf("%s %q: want %d hexadecimal digits, got %d characters", what, text, 2*len(to), len(text))
	}
	if _, err := hex.Decode(to, text); err != nil {
		return fmt.Errorf("%s %q: %w", what, text, err)
	}
	return nil
}

// Optional is a number that may be unknown: unknown is never 0.
type Optional struct {
	Value uint64
	Known bool
}

// Some returns a known number.
func Some(v uint64) Optional { return Optional{Value: v, Known: true} }

// String gives the number, or "unknown".
func (o Optional) String() string {
	if !o.Known {
		return "unknown"
	}
	return strconv.FormatUint(o.Value, 10)
}

// MarshalJSON gives the number, or null.
func (o Optional) MarshalJSON() ([]byte, error) { return o.appendJSON(nil), nil }

func (o Optional) appendJSON(b []byte) []byte {
	if !o.Known {
		return append(b, "null"...)
	}
	return strconv.AppendUint(b, o.Value, 10)
}
