package projections

import (
	"math"

	"btda/events"
)

// Type is the type of a Value, and of the values of a Column.
type Type uint8

// The types, as SQLite has them. The zero Value is NULL.
const (
	Null    Type = 0
	Integer Type = 1
	Real    Type = 2
	Text    Type = 3
	Blob    Type = 4
)

var typeNames = [...]string{"NULL", "INTEGER", "REAL", "TEXT", "BLOB"}

// String gives the word that the schema uses.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown type"
}

// Value is one value of a row: a union without boxing, so that rows cost no allocation. Only the field that Type names counts.
type Value struct {
	Type    Type
	Integer int64
	Real    float64
	Text    string // of Text, and the bytes of Blob
}

// Row has one value for each column of its table, in the order of the columns.
type Row []Value

func integer[T ~int64 | ~int32 | ~uint8 | ~uint32 | ~uint64 | ~int](v T) Value {
	return Value{Type: Integer, Integer: int64(v)}
}

func decimal(v float64) Value { return Value{Type: Real, Real: v} }

func text(v string) Value { return Value{Type: Text, Text: v} }

func blob(v string) Value { return Value{Type: Blob, Text: v} }

func boolean(v bool) Value {
	if v {
		return integer(1)
	}
	return integer(0)
}

// known gives the value where it is known, else NULL.
func known(v Value, is bool) Value {
	if is {
		return v
	}
	return Value{}
}

// textOrNull gives NULL for an empty text.
func textOrNull(v string) Value { return known(text(v), v != "") }

// count gives NULL for a number that no column can hold: nobody has that many of anything.
func count(v uint64) Value { return known(integer(v), v <= math.MaxInt64) }

// optional is count, and gives NULL for an unknown number too.
func optional(v events.Optional) Value { return known(count(v.Value), v.Known) }
