package bencode

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// MaxDepth is how deep lists and dictionaries may lie in one another.
const MaxDepth = 64

// maxIntegerDigits is the length of the longest integer, -9223372036854775808.
const maxIntegerDigits = 20

// SyntaxError says what is wrong in bencoded bytes, and where.
type SyntaxError struct {
	Offset  int // of the byte at which the trouble lies, from 0
	Problem string
}

// Error gives the problem and the offset.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("bencode: %s at byte %d", e.Problem, e.Offset)
}

// Check says whether data is exactly one well-formed value that is safe to decode. Its errors are of type *SyntaxError.
func Check(data []byte) error {
	_, err := scanWhole(data)
	return err
}

// Prefix gives the length of the first value of data in bytes, whatever follows it, as in metadata messages (BEP 9).
// Its errors are of type *SyntaxError.
func Prefix(data []byte) (n int, err error) {
	s := scan{data: data}
	return s.value(0, 0)
}

func scanWhole(data []byte) (*scan, error) {
	s := &scan{data: data}
	n, err := s.value(0, 0)
	if err == nil && n < len(data) {
		err = problem(n, "%d bytes after the value", len(data)-n)
	}
	return s, err
}

// scan walks over bencoded bytes once. Each method begins at an offset and gives the offset after what it read.
type scan struct {
	data   []byte
	values int    // read so far, dictionary keys among them
	keys   []span // of the dictionaries that are open, outermost first
}

type span struct{ from, to int }

func problem(offset int, format string, args ...any) *SyntaxError {
	return &SyntaxError{Offset: offset, Problem: fmt.Sprintf(format, args...)}
}

func (s *scan) value(at, depth int) (end int, err error) {
	if at >= len(s.data) {
		return at, problem(at, "end of input where a value should begin")
	}
	s.values++
	switch c := s.data[at]; {
	case c == 'i':
		return s.integer(at)
	case c >= '0' && c <= '9':
		text, err := s.text(at)
		return text.to, err
	case c != 'l' && c != 'd':
		return at, problem(at, "%q where a value should begin", c)
	case depth == MaxDepth:
		return at, problem(at, "lists and dictionaries nested deeper than %d", MaxDepth)
	case c == 'l':
		return s.list(at, depth+1)
	}
	return s.dict(at, depth+1)
}

func (s *scan) integer(at int) (end int, err error) {
	window := s.data[at+1 : min(len(s.data), at+maxIntegerDigits+2)]
	n := bytes.IndexByte(window, 'e')
	if n < 0 {
		return at, problem(at, "integer without end, or longer than %d characters", maxIntegerDigits)
	}
	digits := string(window[:n])
	value, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strconv.FormatInt(value, 10) != digits {
		return at, problem(at, "%q is no integer of 64 bits in its shortest form", digits)
	}
	return at + n + 2, nil
}

// text reads a string and gives where its content lies.
func (s *scan) text(at int) (content span, err error) {
	colon, length := at, 0
	for ; colon < len(s.data) && s.data[colon] >= '0' && s.data[colon] <= '9'; colon++ {
		length = 10*length + int(s.data[colon]-'0')
		if length > len(s.data) {
			return span{at, at}, problem(at, "string length beyond the input")
		}
	}
	switch {
	case colon == at || colon == len(s.data) || s.data[colon] != ':':
		return span{at, at}, problem(colon, "no string, or no colon after its length")
	case s.data[at] == '0' && colon > at+1:
		return span{at, at}, problem(at, "string length with a leading zero")
	case length > len(s.data)-colon-1:
		return span{at, at}, problem(at, "string of %d bytes with %d left", length, len(s.data)-colon-1)
	}
	return span{colon + 1, colon + 1 + length}, nil
}

func (s *scan) list(at, depth int) (end int, err error) {
	for end = at + 1; end < len(s.data); {
		if s.data[end] == 'e' {
			return end + 1, nil
		}
		if end, err = s.value(end, depth); err != nil {
			return end, err
		}
	}
	return at, problem(at, "list without end")
}

func (s *scan) dict(at, depth int) (end int, err error) {
	outer := len(s.keys)
	for end = at + 1; end < len(s.data); {
		if s.data[end] == 'e' {
			return end + 1, s.closeDict(outer)
		}
		key, err := s.text(end)
		if err != nil {
			return end, err
		}
		s.values++
		s.keys = append(s.keys, key)
		if end, err = s.value(key.to, depth); err != nil {
			return end, err
		}
	}
	return at, problem(at, "dictionary without end")
}

// closeDict refuses a key that came twice and forgets the keys from outer on.
func (s *scan) closeDict(outer int) error {
	keys := s.keys[outer:]
	s.keys = s.keys[:outer]
	if !slices.IsSortedFunc(keys, s.compareKeys) {
		slices.SortStableFunc(keys, s.compareKeys)
	}
	for i := 1; i < len(keys); i++ {
		if s.compareKeys(keys[i-1], keys[i]) == 0 {
			return problem(keys[i].from, "dictionary key %.40q for the second time", s.data[keys[i].from:keys[i].to])
		}
	}
	return nil
}

func (s *scan) compareKeys(a, b span) int {
	return bytes.Compare(s.data[a.from:a.to], s.data[b.from:b.to])
}
