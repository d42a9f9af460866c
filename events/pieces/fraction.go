package pieces

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Fraction is a decimal from 0 to 1, such as a threshold, held exactly.
type Fraction struct {
	numerator uint64 // of tenPower(digits)
	digits    uint8  // after the decimal point, without trailing zeros
}

const maxFractionDigits = 18

// ParseFraction reads a decimal from 0 to 1 with up to 18 digits after the point, such as 0.98.
func ParseFraction(text string) (Fraction, error) {
	whole, decimals, point := strings.Cut(text, ".")
	endsInPoint := point && decimals == ""
	decimals = strings.TrimRight(decimals, "0")
	if endsInPoint || whole == "" || len(whole) > 1 || len(decimals) > maxFractionDigits || !onlyDigits(whole+decimals) {
		return Fraction{}, fmt.Errorf("%q is no fraction: want a decimal from 0 to 1, such as 0.98", text)
	}
	n, err := strconv.ParseUint(whole+decimals, 10, 64)
	f := Fraction{numerator: n, digits: uint8(len(decimals))}
	if err != nil || n > f.denominator() {
		return Fraction{}, fmt.Errorf("%q is no fraction: want a decimal from 0 to 1, such as 0.98", text)
	}
	return f, nil
}

// MustFraction is ParseFraction for constants: it panics on an error.
func MustFraction(text string) Fraction {
	f, err := ParseFraction(text)
	if err != nil {
		panic(err)
	}
	return f
}

func onlyDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func (f Fraction) denominator() uint64 {
	d := uint64(1)
	for range f.digits {
		d *= 10
	}
	return d
}

// CeilOf is the least whole number that is at least this fraction of n.
func (f Fraction) CeilOf(n uint64) uint64 {
	quotient, rest := f.of(n)
	if rest > 0 {
		quotient++
	}
	return quotient
}

// FloorOf is the greatest whole number that is at most this fraction of n.
func (f Fraction) FloorOf(n uint64) uint64 {
	quotient, _ := f.of(n)
	return quotient
}

func (f Fraction) of(n uint64) (quotient, rest uint64) {
	high, low := bits.Mul64(n, f.numerator)
	return bits.Div64(high, low, f.denominator())
}

// Compare orders fractions: -1, 0 or 1.
func (f Fraction) Compare(g Fraction) int {
	fHigh, fLow := bits.Mul64(f.numerator, g.denominator())
	gHigh, gLow := bits.Mul64(g.numerator, f.denominator())
	switch {
	case fHigh < gHigh || fHigh == gHigh && fLow < gLow:
		return -1
	case fHigh == gHigh && fLow == gLow:
		return 0
	}
	return 1
}

// String gives the decimal in its shortest form.
func (f Fraction) String() string {
	if f.digits == 0 {
		return strconv.FormatUint(f.numerator, 10)
	}
	text := fmt.Sprintf("%0*d", int(f.digits)+1, f.numerator)
	return text[:1] + "." + text[1:]
}

// Set reads a decimal, as ParseFraction does; for command-line flags.
func (f *Fraction) Set(text string) error {
	parsed, err := ParseFraction(text)
	if err == nil {
		*f = parsed
	}
	return err
}

// Type names the type in help texts.
func (f *Fraction) Type() string { return "fraction" }

// MarshalText gives the decimal.
func (f Fraction) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the decimal.
func (f *Fraction) UnmarshalText(text []byte) error { return f.Set(string(text)) }
