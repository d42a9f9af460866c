package sqlite

import (
	"cmp"
	"math"
	"strings"
	"unsafe"

	"btda/projections"
)

// memory looks at bytes of SQLite as at a text.
func memory(address uintptr, size int32) string {
	if address == 0 || size <= 0 {
		return ""
	}
	return unsafe.String((*byte)(at(address)), int(size))
}

// Compare orders values as SQLite does with the collation BINARY: NULL, then numbers, then texts, then blobs. Numbers are compared
// exactly, whatever their type.
func Compare(a, b projections.Value) int {
	if c := cmp.Compare(rank(a.Type), rank(b.Type)); c != 0 {
		return c
	}
	switch {
	case a.Type == projections.Null:
		return 0
	case a.Type == projections.Text, a.Type == projections.Blob:
		return strings.Compare(a.Text, b.Text)
	case a.Type == projections.Integer && b.Type == projections.Integer:
		return cmp.Compare(a.Integer, b.Integer)
	case a.Type == projections.Real && b.Type == projections.Real:
		return cmp.Compare(a.Real, b.Real)
	case a.Type == projections.Integer:
		return compareMixed(a.Integer, b.Real)
	}
	return -compareMixed(b.Integer, a.Real)
}

// rank is the class of a type in the order of SQLite.
func rank(t projections.Type) int {
	if t == projections.Real {
		return int(projections.Integer)
	}
	return int(t)
}

// compareMixed compares without rounding, which turning the integer into a float would do beyond 2^53.
func compareMixed(i int64, f float64) int {
	switch {
	case f >= math.MaxInt64:
		return -1
	case f < math.MinInt64:
		return 1
	}
	if c := cmp.Compare(i, int64(f)); c != 0 {
		return c
	}
	return -cmp.Compare(f-math.Trunc(f), 0)
}
