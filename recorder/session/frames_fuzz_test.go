package session

import (
	"bytes"
	"io"
	"net"
	"testing"

	"btda/recorder/wire"
)

// chunks is a connection that gives some bytes, a few at a time.
type chunks struct {
	net.Conn
	data  []byte
	sizes []byte // of the chunks, over and over
	reads int
}

func (c *chunks) Read(to []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	size := len(c.data)
	if len(c.sizes) > 0 {
		size = 1 + int(c.sizes[c.reads%len(c.sizes)])
	}
	c.reads++
	n := copy(to[:min(len(to), size)], c.data)
	c.data = c.data[n:]
	return n, nil
}

const fuzzBound = 1 << 20

// cut cuts a stream into messages, as a session does, and gives the length of the one that was too long, or 0.
func cut(stream, sizes []byte) (messages []message, long uint32) {
	f := frames{conn: &chunks{data: stream, sizes: sizes}, bound: fuzzBound}
	for {
		switch m, state := f.next(); state {
		case whole:
			m.payload = bytes.Clone(m.payload)
			messages = append(messages, m)
		case tooLong:
			return messages, m.Length
		case partial:
			if f.fill() != nil {
				return messages, 0
			}
		}
	}
}

// cutWhole does the same with all bytes at hand.
func cutWhole(stream []byte) (messages []message, long uint32) {
	for {
		head, ok := wire.ParseHead(stream)
		if head.Length > fuzzBound {
			return messages, head.Length
		}
		if !ok || len(stream) < head.Size+head.Payload() {
			return messages, 0
		}
		payload := stream[head.Size:][:head.Payload()]
		messages = append(messages, message{Head: head, payload: payload[:min(len(payload), kept(head))]})
		stream = stream[head.Size+head.Payload():]
	}
}

// However a stream is cut up on its way, the same messages come out.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x05\x04\x00\x00\x00\x01"), []byte{0})
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		got, gotLong := cut(stream, sizes)
		want, wantLong := cutWhole(stream)
		if len(got) != len(want) || gotLong != wantLong {
			t.Fatalf("%d messages, then a length of %d; want %d, then %d", len(got), gotLong, len(want), wantLong)
		}
		for i := range got {
			if got[i].Head != want[i].Head || !bytes.Equal(got[i].payload, want[i].payload) {
				t.Errorf("message %d is %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}
