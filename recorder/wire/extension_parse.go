package wire

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"btda/events"
	"btda/input/bencode"
)

// ParseExtensionHandshake reads the payload of an extension handshake (BEP 10) into e, field by field. A field of a wrong type, a
// negative number, an extension number above 255 and the second of two equal keys are left out; Malformed says that there was one. Of a
// dictionary that ends early, or goes on with a value that is none, what comes before is kept. Bytes after the dictionary are passed over.
// Session, Length and Raw are left to the caller.
func ParseExtensionHandshake(payload []byte, e *events.ExtensionHandshakeReceived) {
	seen := make(map[string]bool)
	whole := walk(payload, func(key string, value bencode.Value) {
		read := handshakeFields[key]
		if seen[key] || read != nil && !read(e, value) {
			e.Malformed = true
		}
		seen[key] = true
	})
	e.Malformed = e.Malformed || !whole
}

// walk reads a dictionary, as far as it can be read, and reports whether that was to its end.
func walk(data []byte, each func(key string, value bencode.Value)) (whole bool) {
	if len(data) == 0 || data[0] != 'd' {
		return false
	}
	for data = data[1:]; len(data) > 0 && data[0] != 'e'; {
		key, rest, ok := cut(data)
		if !ok {
			return false
		}
		name, ok := key.Text()
		if !ok {
			return false
		}
		value, rest, ok := cut(rest)
		if !ok {
			return false
		}
		each(string(name), value)
		data = rest
	}
	return len(data) > 0
}

// cut takes the first value off data.
func cut(data []byte) (value bencode.Value, rest []byte, ok bool) {
	n, err := bencode.Prefix(data)
	if err != nil {
		return nil, nil, false
	}
	return bencode.Value(data[:n:n]), data[n:], true
}

// handshakeFields reads the fields that are known. A reader reports whether the value was of the right type and range.
var handshakeFields = map[string]func(*events.ExtensionHandshakeReceived, bencode.Value) bool{
	"m": readExtensions,
	"v": readClient,
	"p": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool {
		return readNumber(&e.Port, v, math.MaxUint16)
	},
	"reqq": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool {
		return readNumber(&e.RequestQueue, v, math.MaxInt64)
	},
	"metadata_size": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool {
		return readNumber(&e.MetadataSize, v, math.MaxInt64)
	},
	"upload_only": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool {
		return readNumber(&e.UploadOnly, v, math.MaxInt64)
	},
	"e": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool {
		return readNumber(&e.Encrypted, v, math.MaxInt64)
	},
	"yourip": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool {
		return readBytes(&e.YourIP, v, 4, 16)
	},
	"ipv4": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool { return readBytes(&e.IPv4, v, 4) },
	"ipv6": func(e *events.ExtensionHandshakeReceived, v bencode.Value) bool { return readBytes(&e.IPv6, v, 16) },
}

func readNumber(to *events.Optional, value bencode.Value, most int64) bool {
	n, ok := value.Int()
	if !ok || n < 0 || n > most {
		return false
	}
	*to = events.Some(uint64(n))
	return true
}

func readBytes(to *[]byte, value bencode.Value, lengths ...int) bool {
	content, ok := value.Text()
	if !ok || !slices.Contains(lengths, len(content)) {
		return false
	}
	*to = bytes.Clone(content)
	return true
}

func readClient(e *events.ExtensionHandshakeReceived, value bencode.Value) bool {
	text, ok := value.Text()
	e.Client = string(text)
	return ok
}

// readExtensions reads m: the numbers that the peer gave to the extensions.
func readExtensions(e *events.ExtensionHandshakeReceived, value bencode.Value) bool {
	valid := value.IsDict()
	for name, number := range value.Dict() {
		n, ok := number.Int()
		if !ok || n < 0 || n > math.MaxUint8 {
			valid = false
			continue
		}
		e.Extensions = append(e.Extensions, events.Extension{Name: name, ID: uint8(n)})
	}
	slices.SortFunc(e.Extensions, func(a, b events.Extension) int { return strings.Compare(a.Name, b.Name) })
	return valid
}
