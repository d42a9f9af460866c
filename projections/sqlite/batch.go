package sqlite

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"btda/projections"
)

// cell is one value of a row, ready to be bound.
type cell struct {
	kind   projections.Type
	number uint64  // the integer, the bits of the float, or the bytes of the text
	text   uintptr // where the text is; it stays there until the batch is cleared
}

// bind gives the cell to the parameter with a number, from 1, of a statement.
func (v cell) bind(s *statement, parameter int32) error {
	tls, handle := s.c.tls, s.handle
	var code int32
	switch v.kind {
	case projections.Integer:
		code = sqlite3.Xsqlite3_bind_int64(tls, handle, parameter, int64(v.number))
	case projections.Real:
		code = sqlite3.Xsqlite3_bind_double(tls, handle, parameter, math.Float64frombits(v.number))
	case projections.Text:
		code = sqlite3.Xsqlite3_bind_text(tls, handle, parameter, v.text, int32(v.number), sqlite3.SQLITE_STATIC)
	case projections.Blob:
		code = sqlite3.Xsqlite3_bind_blob(tls, handle, parameter, v.text, int32(v.number), sqlite3.SQLITE_STATIC)
	default:
		code = sqlite3.Xsqlite3_bind_null(tls, handle, parameter)
	}
	return s.c.check(code)
}

// batch collects the rows that one statement inserts.
type batch struct {
	columns int
	cells   []cell
	texts   arena
}

func (b *batch) rows() int { return len(b.cells) / b.columns }

// bindTo gives the rows from the one with index first to the parameters of a statement, as many as it takes.
func (b *batch) bindTo(s *statement, first int) error {
	cells := b.cells[first*b.columns:]
	for i := range s.parameters {
		if err := cells[i].bind(s, int32(i+1)); err != nil {
			return err
		}
	}
	return nil
}

// longestText is the most bytes of one text or blob.
const longestText = 1 << 28

// add takes in the next value of a row, which must be of the type of its column, or NULL.
func (b *batch) add(v *projections.Value, column projections.Type) error {
	if v.Type != column && v.Type != projections.Null {
		return fmt.Errorf("a value of type %v for a column of type %v", v.Type, column)
	}
	c := cell{kind: v.Type}
	switch v.Type {
	case projections.Integer:
		c.number = uint64(v.Integer)
	case projections.Real:
		c.number = math.Float64bits(v.Real)
	case projections.Text, projections.Blob:
		text := v.Text
		if v.Type == projections.Text {
			text = readable(text)
		}
		if len(text) > longestText {
			return fmt.Errorf("%d bytes, the most is %d", len(text), longestText)
		}
		address, err := b.texts.put(text)
		if err != nil {
			return err
		}
		c.number, c.text = uint64(len(text)), address
	}
	b.cells = append(b.cells, c)
	return nil
}

// readable gives a text that every reader of the file can decode: what is not UTF-8, and the zero character at
// which some readers stop, is replaced.
func readable(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func (b *batch) clear() {
	b.cells = b.cells[:0]
	b.texts.clear()
}

// arena holds the texts of a batch in memory that stays in place.
type arena struct {
	c      *connection
	chunks []chunk
	used   int // bytes of the last chunk
}

type chunk struct {
	address uintptr
	bytes   []byte
}

const chunkSize = 64 << 10

// put copies a text and says where it is until clear.
func (a *arena) put(text string) (uintptr, error) {
	if len(a.chunks) == 0 || len(text) > len(a.chunks[len(a.chunks)-1].bytes)-a.used {
		if err := a.grow(len(text)); err != nil {
			return 0, err
		}
	}
	last := a.chunks[len(a.chunks)-1]
	address := last.address + uintptr(a.used)
	a.used += copy(last.bytes[a.used:], text)
	return address, nil
}

func (a *arena) grow(atLeast int) error {
	size := max(chunkSize, atLeast)
	address, err := a.c.allocate(size)
	if err != nil {
		return err
	}
	a.chunks = append(a.chunks, chunk{address: address, bytes: unsafe.Slice((*byte)(at(address)), size)})
	a.used = 0
	return nil
}

// clear forgets the texts and keeps the first chunk.
func (a *arena) clear() {
	a.release(1)
	a.used = 0
}

// release frees all chunks but the first few.
func (a *arena) release(but int) {
	for len(a.chunks) > but {
		libc.Xfree(a.c.tls, a.chunks[len(a.chunks)-1].address)
		a.chunks = a.chunks[:len(a.chunks)-1]
	}
}
