package events

import (
	"encoding"
	"encoding/hex"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// MarshalJSON gives the record as AppendJSON does.
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

// AppendJSON appends the record as one JSON object without a line break:
//
//	{"run":"01...","seq":7,"time":"2026-01-01T00:00:03Z","kind":"HaveReceived","event":{"session":1,"piece":4}}
//
// The fields of an event have the names that FieldName gives and stand in the order of the struct, none left out.
// Byte strings, ids and hashes are hexadecimal, durations are seconds, times are RFC 3339, addresses are as
// Address.MarshalText gives them, an unknown Optional is null, enumerations are their names. A text that is not UTF-8
// has U+FFFD for each byte that does not belong. An Unknown has its payload version beside the kind.
func (r Record) AppendJSON(b []byte) []byte {
	b = append(b, `{"run":"`...)
	b = hex.AppendEncode(b, r.Run[:])
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, uint64(r.Seq), 10)
	b = append(b, `,"time":"`...)
	b = r.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","kind":`...)
	b = appendJSONText(b, r.Event.Kind().String())
	b = append(b, eventJSONKey(r.Event)...)
	return append(appendJSON(b, reflect.ValueOf(r.Event).Elem()), '}')
}

func eventJSONKey(e Event) string {
	if unknown, ok := e.(*Unknown); ok {
		return `,"version":` + strconv.Itoa(int(unknown.Version)) + `,"event":`
	}
	return `,"event":`
}

// MarshalJSON gives the peers as a list of addresses.
func (l PeerList) MarshalJSON() ([]byte, error) { return appendPeersJSON(nil, l), nil }

func appendPeersJSON(b []byte, l PeerList) []byte {
	b = append(b, '[')
	for i := range l.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, reflect.ValueOf(l.At(i)))
	}
	return append(b, ']')
}

// appendJSON appends a field of an event.
func appendJSON(b []byte, v reflect.Value) []byte {
	switch v := v.Interface().(type) {
	case Optional:
		return v.appendJSON(b)
	case PeerList:
		return appendPeersJSON(b, v)
	case time.Duration:
		return appendSeconds(b, v)
	case []byte:
		return appendHexJSON(b, v)
	case [8]byte:
		return appendHexJSON(b, v[:])
	case encoding.TextMarshaler:
		text, _ := v.MarshalText() // those of this package give no error
		return appendJSONText(b, string(text))
	}
	return appendPlainJSON(b, v)
}

// appendPlainJSON appends a value by the kind of its Go type.
func appendPlainJSON(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Struct:
		return appendStructJSON(b, v)
	case reflect.Slice:
		return appendListJSON(b, v)
	case reflect.String:
		return appendJSONText(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Float64:
		return appendFloatJSON(b, v.Float())
	}
	return strconv.AppendUint(b, v.Uint(), 10)
}

func appendStructJSON(b []byte, v reflect.Value) []byte {
	separator := byte('{')
	for i := range v.NumField() {
		b = append(b, separator, '"')
		b = append(b, FieldName(v.Type().Field(i).Name)...)
		b = appendJSON(append(b, `":`...), v.Field(i))
		separator = ','
	}
	return append(b, '}')
}

func appendListJSON(b []byte, v reflect.Value) []byte {
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v.Index(i))
	}
	return append(b, ']')
}

func appendHexJSON(b, v []byte) []byte {
	return append(hex.AppendEncode(append(b, '"'), v), '"')
}

// appendSeconds appends a duration as exact decimal seconds.
func appendSeconds(b []byte, d time.Duration) []byte {
	magnitude := uint64(d)
	if d < 0 {
		b, magnitude = append(b, '-'), -magnitude
	}
	b = strconv.AppendUint(b, magnitude/1e9, 10)
	fraction := magnitude % 1e9
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for unit := uint64(1e8); fraction > 0; unit /= 10 {
		b = append(b, '0'+byte(fraction/unit))
		fraction %= unit
	}
	return b
}

// appendFloatJSON appends a number, or null for one that JSON does not have.
func appendFloatJSON(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendJSONText appends a quoted text.
func appendJSONText(b []byte, text string) []byte {
	b = append(b, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			b = append(b, `\u00`...)
			b = hex.AppendEncode(b, []byte{byte(r)})
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
