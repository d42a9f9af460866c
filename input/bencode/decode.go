package bencode

import (
	"fmt"

	zeebo "github.com/zeebo/bencode"
)

// MaxValues is the number of values, dictionary keys among them, that Unmarshal decodes at the most. A value of 2 bytes can take
// about 100 bytes of memory, so this is what bounds the memory of a decode, at about 50 MB.
const MaxValues = 1 << 19

// Raw is a value that a decode leaves bencoded.
type Raw = zeebo.RawMessage

// Unmarshal checks data and decodes it into what v points to: structs with fields tagged `bencode:"key"`, maps, slices, strings,
// []byte, int64, Raw. Unknown keys are ignored. Integers belong into int64: a narrower field would silently keep the low bits only.
// What is no well-formed value gives a *SyntaxError; a value of another type than its field gives another error, and v may then be filled in part.
func Unmarshal(data []byte, v any) (err error) {
	s, err := scanWhole(data)
	if err != nil {
		return err
	}
	if s.values > MaxValues {
		return problem(0, "%d values, more than %d", s.values, MaxValues)
	}
	// The library panics where a value does not fit into an array.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("bencode: decode into %T: %v", v, p)
		}
	}()
	if err := zeebo.DecodeBytes(data, v); err != nil {
		return fmt.Errorf("bencode: decode into %T: %w", v, err)
	}
	return nil
}

// Marshal encodes v, with dictionary keys sorted. Fields are tagged as for Unmarshal; `bencode:"key,omitempty"` leaves out what is empty.
func Marshal(v any) ([]byte, error) {
	data, err := zeebo.EncodeBytes(v)
	if err != nil {
		return nil, fmt.Errorf("bencode: encode %T: %w", v, err)
	}
	return data, nil
}
