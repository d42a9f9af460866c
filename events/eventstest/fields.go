package eventstest

import (
	"encoding"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"btda/events"
)

const settingPrefix = "setting."

// target is a field of an event that the text form can name.
type target struct {
	name  string
	value reflect.Value
	peers *events.PeerList // that the field is part of, or nil
}

// structFields lists the fields of a struct and those of the structs nested in it.
func structFields(prefix string, v reflect.Value) []target {
	var all []target
	for i := range v.NumField() {
		t := target{name: prefix + kebab(v.Type().Field(i).Name), value: v.Field(i)}
		t.peers, _ = v.Addr().Interface().(*events.PeerList)
		switch t.value.Interface().(type) {
		case []events.Setting: // each setting is a field of its own
		case events.Metadata, events.Place:
			all = append(all, structFields(t.name+".", t.value)...)
		case events.PeerList:
			all = append(append(all, t), structFields(t.name+".", t.value)...)
		default:
			all = append(all, t)
		}
	}
	return all
}

func kebab(goName string) string { return strings.ReplaceAll(events.FieldName(goName), "_", "-") }

// set reads a value into the field.
func (t target) set(v value) error {
	switch to := t.value.Addr().Interface().(type) {
	case *events.PeerList:
		return setPeers(to, v)
	case *[]events.Address:
		return setList(to, v, setAddress)
	case *[]events.TrackerTier:
		return setList(to, v, func(tier *events.TrackerTier, v value) error { return setList((*[]string)(tier), v, setText) })
	case *[]events.Extension:
		return setList(to, v, setExtension)
	case *[]string:
		return setList(to, v, setText)
	}
	if v.isList && t.name != "toggled" {
		return fmt.Errorf("a list, want one value")
	}
	return t.setScalar(v)
}

func (t target) setScalar(v value) error {
	switch to := t.value.Addr().Interface().(type) {
	case *events.PeerID:
		if len(v.text) == len(to) {
			copy(to[:], v.text)
			return nil
		}
	case *events.Optional:
		n, err := parseNumber(v.text, 64)
		*to = events.Some(n)
		return err
	case *time.Duration:
		d, err := time.ParseDuration(v.text)
		*to = d
		return err
	case *[]byte:
		return t.setBytes(to, v)
	case encoding.TextUnmarshaler:
		if t.value.Kind() != reflect.Array { // an array is a hash or id, which may be shorter than its text form
			return setName(to, v.text)
		}
	}
	return setBasic(t.value, v.text)
}

// setBasic reads a value by the kind of its Go type.
func setBasic(to reflect.Value, text string) error {
	switch to.Kind() {
	case reflect.String:
		to.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q: want true or false", text)
		}
		to.SetBool(text == "true")
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		to.SetFloat(f)
		return err
	case reflect.Array:
		return setFixed(to.Slice(0, to.Len()).Bytes(), text)
	default:
		n, err := parseNumber(text, to.Type().Bits())
		if err == nil {
			to.SetUint(n)
		}
		return err
	}
	return nil
}

// setName reads a name, which may have hyphens for its spaces.
func setName(to encoding.TextUnmarshaler, text string) error {
	err := to.UnmarshalText([]byte(text))
	if err != nil && to.UnmarshalText([]byte(strings.ReplaceAll(text, "-", " "))) == nil {
		return nil
	}
	return err
}

// setFixed reads hexadecimal digits, followed by zeros where they are too few.
func setFixed(to []byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) > len(to) {
		return fmt.Errorf("%q: want up to %d hexadecimal digits, an even number of them", text, 2*len(to))
	}
	clear(to[copy(to, b):])
	return nil
}

// text writes the field; ok is false for one that is left out.
func (t target) text() (text string, ok bool) {
	if t.value.IsZero() || t.peers != nil && readsBack(*t.peers) {
		return "", false
	}
	switch v := t.value.Interface().(type) {
	case events.PeerList:
		return formatPeers(v)
	case []events.Address:
		return formatList(v, formatAddress)
	case []events.TrackerTier:
		return formatList(v, func(tier events.TrackerTier) string {
			text, _ := formatList(tier, quote)
			return text
		})
	case []events.Extension:
		return formatList(v, func(x events.Extension) string { return quote(fmt.Sprintf("%s=%d", x.Name, x.ID)) })
	case []string:
		return formatList(v, quote)
	case []byte:
		return t.formatBytes(v), len(v) > 0
	}
	return t.scalarText(), true
}

func (t target) scalarText() string {
	switch v := t.value.Interface().(type) {
	case events.Address:
		return formatAddress(v)
	case events.PeerID:
		if strings.Trim(string(v[:]), graphic) == "" {
			return string(v[:])
		}
		return v.String()
	case [8]byte:
		return hex.EncodeToString(v[:])
	case string:
		return quote(v)
	case encoding.TextMarshaler:
		name, _ := v.MarshalText()
		return strings.ReplaceAll(string(name), " ", "-")
	}
	return fmt.Sprint(t.value.Interface())
}

// graphic are the characters of a peer id that is written as text.
const graphic = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
