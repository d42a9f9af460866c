package main

import (
	"fmt"
	"math"
	"strconv"

	"btda/projections"
)

// longestValue is how much of a text or blob is shown, in bytes.
const longestValue = 200

// valueText shows a value of a row, safe for a terminal: who wrote a file may have put anything into it.
func valueText(v projections.Value) string {
	switch v.Type {
	case projections.Null:
		return "NULL"
	case projections.Integer:
		return strconv.FormatInt(v.Integer, 10)
	case projections.Real:
		if size := math.Abs(v.Real); size >= 1e-6 && size < 1e15 { // times have no exponent
			return strconv.FormatFloat(v.Real, 'f', -1, 64)
		}
		return strconv.FormatFloat(v.Real, 'g', -1, 64)
	case projections.Text:
		return strconv.Quote(cutText(v.Text))
	}
	return fmt.Sprintf("x'%x'", cutText(v.Text))
}

func cutText(text string) string { return text[:min(len(text), longestValue)] }

func factText(value *string) string {
	if value == nil {
		return "not known"
	}
	return strconv.Quote(cutText(*value))
}
