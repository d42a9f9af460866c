package eventstest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"btda/events"
)

func setList[T any](to *[]T, v value, each func(*T, value) error) error {
	if !v.isList {
		return fmt.Errorf("%q: want a list in brackets", v.text)
	}
	*to = make([]T, len(v.list))
	for i, element := range v.list {
		if err := each(&(*to)[i], element); err != nil {
			return err
		}
	}
	return nil
}

func formatList[T any](list []T, each func(T) string) (text string, ok bool) {
	words := make([]string, len(list))
	for i, element := range list {
		words[i] = each(element)
	}
	return "[" + strings.Join(words, " ") + "]", len(list) > 0
}

func setText(to *string, v value) error {
	if v.isList {
		return fmt.Errorf("a list, want a text")
	}
	*to = v.text
	return nil
}

func setExtension(to *events.Extension, v value) error {
	at := strings.LastIndexByte(v.text, '=')
	if at < 0 {
		return fmt.Errorf("%q: want name=number", v.text)
	}
	id, err := parseNumber(v.text[at+1:], 8)
	*to = events.Extension{Name: v.text[:at], ID: uint8(id)}
	return err
}

func setAddress(to *events.Address, v value) error { return setName(to, v.text) }

func formatAddress(a events.Address) string {
	text, _ := a.MarshalText()
	return strings.ReplaceAll(string(text), " ", "-")
}

func setPeers(to *events.PeerList, v value) error {
	var all []events.Address
	err := setList(&all, v, setAddress)
	for _, a := range all {
		to.Append(a.AddrPort)
	}
	return err
}

// readsBack reports whether the list of a PeerList's addresses says all that there is to say.
func readsBack(l events.PeerList) bool {
	var again events.PeerList
	for a := range l.All() {
		again.Append(a.AddrPort)
	}
	return len(l.Scopes) == 0 && bytes.Equal(again.V4, l.V4) && bytes.Equal(again.V6, l.V6)
}

func formatPeers(l events.PeerList) (text string, ok bool) {
	if !readsBack(l) {
		return "", false // its three fields are written
	}
	var all []events.Address
	for a := range l.All() {
		all = append(all, a)
	}
	return formatList(all, formatAddress)
}

// setBytes reads a byte string: bits for a bitfield, a list for a difference, else a quoted text or hexadecimal digits.
func (t target) setBytes(to *[]byte, v value) (err error) {
	digits, isHex := strings.CutPrefix(v.text, "0x")
	switch {
	case v.quoted:
		*to = []byte(v.text)
	case v.isList:
		*to, err = parseToggled(v.list)
	case t.name == "bitfield" && !isHex:
		*to, err = parseBits(v.text)
	default:
		if *to, err = hex.DecodeString(digits); err != nil {
			err = fmt.Errorf("%q: want hexadecimal digits, or a quoted text", v.text)
		}
	}
	return err
}

// maxBits is the longest bitfield that is written as bits.
const maxBits = 512

func (t target) formatBytes(b []byte) string {
	switch {
	case t.name == "bitfield" && len(b)*8 > maxBits:
		return "0x" + hex.EncodeToString(b)
	case t.name == "bitfield":
		return formatBits(b)
	case t.name == "toggled":
		return formatToggled(b)
	}
	return hex.EncodeToString(b)
}

func parseBits(text string) ([]byte, error) {
	b := make([]byte, (len(text)+7)/8)
	for i, bit := range []byte(text) {
		switch bit {
		case '1':
			b[i/8] |= 0x80 >> (i % 8)
		case '0':
		default:
			return nil, fmt.Errorf("%q: want bits, such as 11110000, or 0x and hexadecimal digits", text)
		}
	}
	return b, nil
}

func formatBits(b []byte) string {
	var text strings.Builder
	for _, v := range b {
		fmt.Fprintf(&text, "%08b", v)
	}
	return text.String()
}

func parseToggled(list []value) ([]byte, error) {
	var b []byte
	next := uint64(0)
	for _, v := range list {
		index, err := parseNumber(v.text, 64)
		if err != nil || index < next {
			return nil, fmt.Errorf("%q: want the indices of bits, ascending", v.text)
		}
		b = binary.AppendUvarint(b, index-next)
		next = index + 1
	}
	return b, nil
}

// formatToggled writes the indices of bits, or hexadecimal digits for what is no list of them.
func formatToggled(b []byte) string {
	var words []string
	var again []byte
	next := uint64(0)
	for rest := b; len(rest) > 0; {
		distance, n := binary.Uvarint(rest)
		if n <= 0 || distance >= math.MaxUint64-next {
			return hex.EncodeToString(b)
		}
		again = binary.AppendUvarint(again, distance)
		words = append(words, strconv.FormatUint(next+distance, 10))
		next, rest = next+distance+1, rest[n:]
	}
	if !bytes.Equal(again, b) {
		return hex.EncodeToString(b)
	}
	return "[" + strings.Join(words, " ") + "]"
}
