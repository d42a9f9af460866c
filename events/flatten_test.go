package events_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"btda/events"
)

// flatten says what the elements of the payload of an event are, by looking at its struct instead of its fields method.
func flatten(e events.Event) []any { return flattenStruct(reflect.ValueOf(e).Elem()) }

func flattenStruct(v reflect.Value) []any {
	var all []any
	for i := range v.NumField() {
		if l, ok := v.Field(i).Interface().(events.PeerList); ok {
			all = append(all, flattenBytes(l.V4), flattenBytes(l.V6), flattenBytes(l.Scopes))
		} else {
			all = append(all, flattenValue(v.Field(i)))
		}
	}
	return all
}

func flattenValue(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case events.Optional:
		if !x.Known {
			return nil
		}
		return x.Value
	case events.Address:
		return flattenAddress(x)
	case time.Duration:
		return int64(x)
	}
	switch v.Kind() {
	case reflect.Struct:
		return flattenStruct(v)
	case reflect.Array:
		return v.Slice(0, v.Len()).Bytes()
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return flattenBytes(v.Bytes())
		}
		all := make([]any, v.Len())
		for i := range all {
			all[i] = flattenValue(v.Index(i))
		}
		return all
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Float64:
		return v.Float()
	case reflect.Int64:
		return v.Int()
	}
	return v.Uint()
}

// flattenBytes makes an empty byte string of none, which the library would write as nil.
func flattenBytes(b []byte) []byte { return append([]byte{}, b...) }

func flattenAddress(a events.Address) []byte {
	if !a.IsValid() {
		return []byte{}
	}
	b := append([]byte{byte(a.Scope)}, a.Addr().AsSlice()...)
	return append(b, byte(a.Port()>>8), byte(a.Port()))
}

// encodeByLibrary gives the canonical msgpack of a value as the library writes it.
func encodeByLibrary(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := msgpack.NewEncoder(&b)
	encoder.UseCompactInts(true)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// same reports whether two events have the same payload and the same kind.
func same(a, b events.Event) bool {
	return a.Kind() == b.Kind() && fmt.Sprint(flatten(a)) == fmt.Sprint(flatten(b))
}
