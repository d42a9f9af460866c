package session

import (
	"net"
	"sync"

	"btda/events"
	"btda/recorder/wire"
)

const (
	readBuffer = 512
	// largeStep is how much memory is added for a large payload at one time, so that a peer has to send what it makes us hold.
	largeStep = 4 << 10
	// keptHandshake is how much of an extension handshake is kept and parsed, in bytes.
	keptHandshake = 16 << 10
	// keptExchange is how much is taken in of a message that names peers or trackers, in bytes: of peers many times what is used of one.
	keptExchange = 16 << 10
	// keptMetadata takes in the dictionary of a metadata message, which is what is looked at.
	keptMetadata = 256
)

// message is a message that came whole.
type message struct {
	wire.Head
	payload []byte // what is kept of it, until the next message
}

// state is how far the next message has come.
type state uint8

const (
	partial state = iota // more bytes are needed
	whole
	tooLong // its length, in head, is above the bound
)

// frames cuts what a connection gives into messages. It goes on where it was when a read is cut off by a deadline.
type frames struct {
	conn  net.Conn
	bound uint32 // length of the longest message that is taken
	// wholeMetadata keeps all of a metadata message, not only its dictionary.
	wholeMetadata bool
	received      uint64 // bytes

	head   wire.Head
	opened bool    // the head was read, and its payload was not
	keep   int     // bytes of the payload that are still to be kept
	skip   int     // bytes after these that are passed over
	large  *[]byte // payload that does not stay in the buffer; from largePayloads

	start, end int // of the bytes in the buffer that are still to be looked at
	buffer     [readBuffer]byte
}

var largePayloads = sync.Pool{New: func() any { return new([]byte) }}

func (f *frames) waiting() []byte { return f.buffer[f.start:f.end] }

// begun reports that a part of a message came.
func (f *frames) begun() bool { return f.opened || f.start < f.end }

// fill reads once.
func (f *frames) fill() error {
	to := f.space()
	n, err := f.conn.Read(to)
	f.received += uint64(n)
	if f.large != nil && f.keep > 0 {
		*f.large = (*f.large)[:len(*f.large)+n]
		f.keep -= n
	} else {
		f.end += n
	}
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// space is where the next bytes go: a large payload, or the buffer.
func (f *frames) space() []byte {
	if f.large == nil || f.keep == 0 {
		if f.start > 0 {
			f.end = copy(f.buffer[:], f.waiting())
			f.start = 0
		}
		return f.buffer[f.end:]
	}
	have := *f.large
	if len(have) == cap(have) {
		have = append(have, make([]byte, min(f.keep, max(largeStep, len(have))))...)[:len(have)]
		*f.large = have
	}
	return have[len(have):min(cap(have), len(have)+f.keep)]
}

// next gives the next message, as far as it was read. With partial, fill comes next.
func (f *frames) next() (message, state) {
	if !f.opened {
		head, ok := wire.ParseHead(f.waiting())
		if head.Length > f.bound {
			return message{Head: head}, tooLong
		}
		if !ok {
			return message{}, partial
		}
		f.open(head)
	}
	payload, ok := f.payload()
	if !ok {
		return message{}, partial
	}
	f.opened = false
	return message{Head: f.head, payload: payload}, whole
}

func (f *frames) open(head wire.Head) {
	f.forget()
	f.head, f.opened = head, true
	f.start += head.Size
	f.keep = min(head.Payload(), f.kept(head))
	f.skip = head.Payload() - f.keep
	if f.skip > 0 && f.keep > 0 || f.keep > readBuffer {
		f.large = largePayloads.Get().(*[]byte)
		*f.large = (*f.large)[:0]
	}
}

// kept is how much is looked at of the payload of a message.
func (f *frames) kept(head wire.Head) int {
	if f.wholeMetadata && head.Kind == events.Extended && head.Extension == wire.MetadataID {
		return keptMetadataPiece
	}
	return kept(head)
}

// kept is the same while no metadata is fetched.
func kept(head wire.Head) int {
	switch head.Kind {
	case events.Have:
		return 4
	case events.Port:
		return 2
	case events.Bitfield:
		return head.Payload()
	case events.Extended:
		return keptOfExtension(head.Extension)
	}
	return 0
}

func keptOfExtension(number uint8) int {
	switch number {
	case 0:
		return keptHandshake
	case wire.MetadataID:
		return keptMetadata
	case wire.DontHaveID:
		return 4
	case wire.PeerExchangeID, wire.TrackersID:
		return keptExchange
	}
	return 0
}

// payload gives what is kept of the payload, once the message is whole.
func (f *frames) payload() (payload []byte, ok bool) {
	if f.large == nil && f.skip == 0 {
		if len(f.waiting()) < f.keep {
			return nil, false
		}
		payload = f.waiting()[:f.keep]
		f.start += f.keep
		return payload, true
	}
	f.move()
	if f.keep > 0 || f.skip > 0 {
		return nil, false
	}
	if f.large != nil {
		payload = *f.large
	}
	return payload, true
}

// move takes bytes out of the buffer: first those to keep, then those to pass over.
func (f *frames) move() {
	if n := min(f.keep, len(f.waiting())); n > 0 {
		*f.large = append(*f.large, f.waiting()[:n]...)
		f.keep -= n
		f.start += n
	}
	if f.keep == 0 {
		n := min(f.skip, len(f.waiting()))
		f.skip -= n
		f.start += n
	}
}

// maxPooled is the capacity above which a large payload is left to the garbage collector.
const maxPooled = 64 << 10

// forget gives the large payload of the last message back.
func (f *frames) forget() {
	if f.large != nil && cap(*f.large) <= maxPooled {
		largePayloads.Put(f.large)
	}
	f.large = nil
}
