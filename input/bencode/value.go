package bencode

import (
	"iter"
	"strconv"
)

// Value is a well-formed value, still bencoded: the very bytes of the input, not a copy. It comes from Parse only.
// Reading it allocates nothing, however large it is. The zero Value is nothing: of no type, with no elements.
type Value []byte

// Parse checks data and gives it as a Value that aliases it. Its errors are of type *SyntaxError.
func Parse(data []byte) (Value, error) {
	if err := Check(data); err != nil {
		return nil, err
	}
	return data, nil
}

// Text gives the content of a string.
func (v Value) Text() (content []byte, ok bool) {
	if len(v) == 0 || v[0] < '0' || v[0] > '9' {
		return nil, false
	}
	text := v.textAt(0)
	return v[text.from:text.to], true
}

// Int gives an integer.
func (v Value) Int() (n int64, ok bool) {
	if len(v) == 0 || v[0] != 'i' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v[1:len(v)-1]), 10, 64)
	return n, err == nil
}

// IsList says whether it is a list.
func (v Value) IsList() bool { return len(v) > 0 && v[0] == 'l' }

// IsDict says whether it is a dictionary.
func (v Value) IsDict() bool { return len(v) > 0 && v[0] == 'd' }

// List gives the elements of a list in their order, and none of anything else.
func (v Value) List() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for at := 1; v.IsList() && v[at] != 'e'; {
			end := v.endAt(at)
			if !yield(v[at:end:end]) {
				return
			}
			at = end
		}
	}
}

// Dict gives the keys and values of a dictionary in the order in which they stand, and none of anything else.
func (v Value) Dict() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for at := 1; v.IsDict() && v[at] != 'e'; {
			key := v.textAt(at)
			end := v.endAt(key.to)
			if !yield(string(v[key.from:key.to]), v[key.to:end:end]) {
				return
			}
			at = end
		}
	}
}

// Get gives the value that a dictionary holds under a key: nothing, where it has no such key or is no dictionary.
func (v Value) Get(key string) Value {
	for k, value := range v.Dict() {
		if k == key {
			return value
		}
	}
	return nil
}

// endAt gives the end of the value that begins at an offset. It leans on Check.
func (v Value) endAt(at int) int {
	depth := 0
	for {
		switch c := v[at]; c {
		case 'l', 'd':
			depth++
			at++
		case 'e':
			depth--
			at++
		case 'i':
			for at++; v[at-1] != 'e'; at++ {
			}
		default:
			at = v.textAt(at).to
		}
		if depth == 0 {
			return at
		}
	}
}

// textAt gives where the content of the string lies that begins at an offset. It leans on Check.
func (v Value) textAt(at int) span {
	length := 0
	for ; v[at] != ':'; at++ {
		length = 10*length + int(v[at]-'0')
	}
	return span{at + 1, at + 1 + length}
}
