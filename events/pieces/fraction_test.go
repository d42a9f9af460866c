package pieces_test

import (
	"math/big"
	"strings"
	"testing"

	"btda/events/pieces"
)

func TestParseFraction(t *testing.T) {
	for text, want := range map[string]string{"0": "0", "1": "1", "1.000": "1", "0.98": "0.98", "0.980": "0.98", "0.0": "0",
		"0.000000000000000001": "0.000000000000000001", "0.50000000000000000000000": "0.5"} {
		f, err := pieces.ParseFraction(text)
		if err != nil || f.String() != want {
			t.Errorf("%s: %v, error %v", text, f, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-0", "+1", "1.1", "2", "00", "0.9e1", "0,5", "1.0000000000000000001", "0.0000000000000000001", " 1", "½"} {
		if _, err := pieces.ParseFraction(text); err == nil || !strings.Contains(err.Error(), "0.98") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestFractionOfPieces(t *testing.T) {
	const most = 1<<64 - 1
	for _, c := range []struct {
		fraction    string
		of          uint64
		floor, ceil uint64
	}{
		{"0.98", 100, 98, 98}, // in binary floats 0.98 * 100 is less than 98 on some ways to compute it
		{"0.98", 101, 98, 99},
		{"0.98", 0, 0, 0},
		{"0.07", 100, 7, 7}, // 0.07 * 100 is 7.000000000000001 in binary floats
		{"1", most, most, most},
		{"0", most, 0, 0},
		{"0.999999999999999999", most, most - 19, most - 18},
	} {
		f := pieces.MustFraction(c.fraction)
		if floor, ceil := f.FloorOf(c.of), f.CeilOf(c.of); floor != c.floor || ceil != c.ceil {
			t.Errorf("%s of %d: %d and %d, want %d and %d", c.fraction, c.of, floor, ceil, c.floor, c.ceil)
		}
	}
}

func TestFractionAsFlagAndText(t *testing.T) {
	var f pieces.Fraction
	if err := f.Set("0.25"); err != nil || f.String() != "0.25" || f.Type() != "fraction" {
		t.Errorf("%v, error %v", f, err)
	}
	if err := f.UnmarshalText([]byte("x")); err == nil || f.String() != "0.25" {
		t.Errorf("%v, error %v: a bad text must change nothing", f, err)
	}
	if text, err := f.MarshalText(); string(text) != "0.25" || err != nil {
		t.Errorf("%s, error %v", text, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustFraction did not panic")
		}
	}()
	pieces.MustFraction("x")
}

// FuzzParseFraction holds the fraction against exact rational numbers: what is parsed means the same decimal, and of any number
// the same share.
func FuzzParseFraction(f *testing.F) {
	f.Add("0.98", uint64(100))
	f.Add("1", uint64(1<<64-1))
	f.Add("0.999999999999999999", uint64(1<<63))
	f.Add("00.1", uint64(1))
	f.Fuzz(func(t *testing.T, text string, n uint64) {
		fraction, err := pieces.ParseFraction(text)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		shortest, _ := new(big.Rat).SetString(fraction.String())
		if !ok || exact.Cmp(shortest) != 0 {
			t.Fatalf("%q became %v", text, fraction)
		}
		share := exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).SetUint64(n)))
		floor, rest := new(big.Int).QuoRem(share.Num(), share.Denom(), new(big.Int))
		if floor.Cmp(new(big.Int).SetUint64(fraction.FloorOf(n))) != 0 {
			t.Fatalf("floor of %v of %d is %d", fraction, n, fraction.FloorOf(n))
		}
		if exactly := rest.Sign() == 0; exactly != (fraction.CeilOf(n) == fraction.FloorOf(n)) {
			t.Fatalf("ceil of %v of %d is %d", fraction, n, fraction.CeilOf(n))
		}
	})
}

// FuzzCompareFractions holds the order of fractions against that of rational numbers.
func FuzzCompareFractions(f *testing.F) {
	f.Add("0.98", "0.980000000000000001")
	f.Add("1", "1.0")
	f.Add("0", "1")
	f.Fuzz(func(t *testing.T, a, b string) {
		left, err := pieces.ParseFraction(a)
		if err != nil {
			return
		}
		right, err := pieces.ParseFraction(b)
		if err != nil {
			return
		}
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got := left.Compare(right); got != x.Cmp(y) {
			t.Errorf("%s against %s: %d", a, b, got)
		}
	})
}
