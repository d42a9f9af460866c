package events

import (
	"context"
	"fmt"
)

// Version is the version of the payload of a kind: a changed meaning is a new version.
type Version uint16

// Event is one thing that happened. Its types are those of this package, as pointers.
type Event interface {
	Kind() Kind
	fields(*codec)
}

// Record is an event with its place in a log.
type Record struct {
	Run   RunID
	Seq   Seq
	Time  Time
	Event Event
}

// Unknown is an event of a kind, or a version of a kind, that this program does not know. Replay counts it and goes on.
type Unknown struct {
	Of      Kind
	Version Version
	Payload []byte
}

// Kind is the kind that is not known, or not known in this version.
func (e *Unknown) Kind() Kind { return e.Of }

func (e *Unknown) fields(c *codec) {
	c.fail("%v version %d is not known and cannot be written", e.Of, e.Version)
}

// Appender takes in events: the log, as capture sees it. It is safe for use by many goroutines.
type Appender interface {
	// Now is the run's clock.
	Now() Time
	// Append gives the event the next place in the order of the run. It returns when the event has that place, which
	// is before it is on disk, and does not keep the event. It waits while the log is behind. An error is final: the
	// log takes no more events, or ctx is done.
	Append(ctx context.Context, at Time, e Event) (Seq, error)
}

// Encoder writes payloads. It is not safe for concurrent use; the zero value is ready.
type Encoder struct{ c codec }

// Append appends the payload of an event to b: one msgpack array. The payload version is e.Kind().Version().
// An *Unknown and a PeerList with a part of an entry cannot be encoded: the error wraps ErrPayload and b is as it was.
func (enc *Encoder) Append(b []byte, e Event) ([]byte, error) {
	if payload, ok := appendHot(b, e); ok {
		return payload, nil
	}
	c := &enc.c
	*c = codec{buf: append(b, 0x90)}
	e.fields(c)
	if c.err != nil {
		return b, c.err
	}
	c.closeArray(len(b))
	b, c.buf = c.buf, nil
	return b, nil
}

// Decoder reads payloads. It is not safe for concurrent use; the zero value is ready.
type Decoder struct {
	c       codec
	hot     hotEvents
	scratch [kindLimit]Event
	unknown Unknown
}

// Decode reads the payload of an event. The event belongs to the decoder and stays as it is until the next call for
// the same kind; byte strings in it are parts of payload. A kind or version that this program does not know gives
// an *Unknown and no error. An error wraps ErrPayload.
func (d *Decoder) Decode(kind Kind, version Version, payload []byte) (Event, error) {
	// The most frequent kind of all comes first and without a call: half of its time would be spent on getting there.
	if kind == KindHaveReceived && version == kinds[KindHaveReceived].version {
		e := &d.hot.haveReceived
		session, rest := cutUint(cutArray(payload, 2))
		piece, rest := cutUint(rest)
		e.Session, e.Piece = SessionNumber(session), PieceIndex(piece)
		if allRead(rest) && fit32(piece) {
			return e, nil
		}
	}
	newest := kind.Version()
	if newest == 0 || version > newest {
		d.unknown = Unknown{Of: kind, Version: version, Payload: payload}
		return &d.unknown, nil
	}
	if version == newest {
		if e := d.hot.read(kind, payload, &d.c); e != nil {
			return e, nil
		}
	}
	return d.decode(kind, version, payload)
}

// decode reads a payload of any version up to the newest and of any shape.
func (d *Decoder) decode(kind Kind, version Version, payload []byte) (Event, error) {
	payload, err := upcast(kind, version, payload)
	if err != nil {
		return nil, err
	}
	e := d.scratch[kind]
	if e == nil {
		e = kind.New()
		d.scratch[kind] = e
	}
	c := &d.c
	c.buf, c.decoding, c.err = payload, true, nil
	c.array(e.fields)
	if len(c.buf) > 0 {
		c.fail("%d bytes after the end", len(c.buf))
	}
	if c.err != nil {
		return nil, fmt.Errorf("%v version %d: %w", kind, version, c.err)
	}
	return e, nil
}
