package eventlog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"btda/events"
)

// What a recorder and a follower say to each other through an endpoint. Numbers are big-endian.
//
// The recorder greets: the magic, the version of the protocol (1 byte), the run id (16), once the log has a record.
// The follower asks, one question after the other: what (1 byte), and a sequence number from which on (8).
// The recorder answers with values as they are stored, each an item, and an item that ends the answer. An item is its kind (1 byte), the
// length of its content (4), and the content.
//
// Definitions are those of the records that are durable. Records are blocks, the first of which holds the record that was asked for; the
// answer comes when that one is durable, or never will be. An answer stops after the value that makes it longer than answerBytes.
const (
	endpointMagic   = "btda log endpoint\n"
	endpointVersion = 1
	greetingSize    = len(endpointMagic) + 1 + len(events.RunID{})
	questionSize    = 1 + 8
	answerBytes     = 4 << 20

	askDefinitions byte = 'd'
	askRecords     byte = 'r'

	itemValue   byte = 'v'
	itemEnd     byte = 'e' // number of the last durable record (8 bytes), flags (1)
	itemFailure byte = 'f' // why there is no answer, as text; the recorder hangs up

	endSealed byte = 1 // the log is closed in order: nothing comes after the last record
	endMore   byte = 2 // the answer was cut

	itemHeader  = 1 + 4
	maxValue    = maxPayload + 1<<20
	maxFailure  = 1 << 10
	mostInMind  = answerBytes + maxValue // bytes of one answer
	endItemSize = 8 + 1
)

// question is what a follower asks.
type question struct {
	what byte
	from events.Seq
}

func (q question) encode() []byte {
	return binary.BigEndian.AppendUint64([]byte{q.what}, uint64(q.from))
}

func readQuestion(r io.Reader) (question, error) {
	var b [questionSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return question{}, err
	}
	q := question{what: b[0], from: max(events.Seq(binary.BigEndian.Uint64(b[1:])), 1)}
	if q.what != askDefinitions && q.what != askRecords {
		return question{}, fmt.Errorf("a question of kind %#x is not known", q.what)
	}
	return q, nil
}

func writeItem(w *bufio.Writer, kind byte, content []byte) {
	header := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(content)))
	_, _ = w.Write(header) // the writer keeps its error
	_, _ = w.Write(content)
}

// answer is what a recorder answers.
type answer struct {
	values [][]byte // each at least as long as the header of a block
	reach  events.Seq
	sealed bool
	more   bool
}

var errProtocol = errors.New("the endpoint does not speak as a recorder does")

// readAnswer reads a whole answer. It takes no more memory than there are bytes, and no more than mostInMind.
func readAnswer(r io.Reader) (a answer, err error) {
	for size := 0; ; {
		kind, content, err := readItem(r, mostInMind-size)
		if err != nil {
			return answer{}, err
		}
		size += itemHeader + len(content)
		switch {
		case kind == itemValue && len(content) >= headerSize:
			a.values = append(a.values, content)
		case kind == itemEnd && len(content) == endItemSize && content[8]&^(endSealed|endMore) == 0:
			a.reach = events.Seq(binary.BigEndian.Uint64(content))
			a.sealed, a.more = content[8]&endSealed != 0, content[8]&endMore != 0
			return a, nil
		case kind == itemFailure && len(content) <= maxFailure:
			return answer{}, fmt.Errorf("the recorder says: %q", content)
		default:
			return answer{}, fmt.Errorf("%w: an item of kind %#x with %d bytes", errProtocol, kind, len(content))
		}
	}
}

// readItem reads an item of at most so many bytes.
func readItem(r io.Reader, most int) (kind byte, content []byte, err error) {
	var header [itemHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(header[1:])
	if int64(size) > int64(min(most, maxValue)) {
		return 0, nil, fmt.Errorf("%w: an item of %d bytes", errProtocol, size)
	}
	content, err = io.ReadAll(io.LimitReader(r, int64(size)))
	if err == nil && len(content) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	return header[0], content, err
}
