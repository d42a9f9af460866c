package bencode_test

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"btda/input/bencode"
)

func TestCheckAccepts(t *testing.T) {
	for name, data := range map[string]string{
		"integer":           "i42e",
		"zero":              "i0e",
		"least integer":     "i-9223372036854775808e",
		"greatest integer":  "i9223372036854775807e",
		"empty string":      "0:",
		"string":            "4:spam",
		"empty list":        "le",
		"list":              "l4:spami1elee",
		"empty dictionary":  "de",
		"sorted keys":       "d3:bari1e3:fooi2ee",
		"unsorted keys":     "d3:fooi2e3:bari1ee",
		"same key, other d": "d1:ad1:ai1ee1:bd1:ai1eee",
		"empty key":         "d0:i1ee",
		"64 deep":           strings.Repeat("l", 64) + strings.Repeat("e", 64),
	} {
		t.Run(name, func(t *testing.T) {
			if err := bencode.Check([]byte(data)); err != nil {
				t.Errorf("Check(%q): %v", data, err)
			}
			var v any
			if err := bencode.Unmarshal([]byte(data), &v); err != nil {
				t.Errorf("Unmarshal(%q): %v", data, err)
			}
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data   string
		offset int
	}{
		"nothing":               {"", 0},
		"unknown letter":        {"x", 0},
		"lone end":              {"e", 0},
		"integer without end":   {"i42", 0},
		"integer, no digits":    {"ie", 0},
		"integer, only a sign":  {"i-e", 0},
		"integer with plus":     {"i+1e", 0},
		"leading zero":          {"i042e", 0},
		"minus zero":            {"i-0e", 0},
		"space":                 {"i 1e", 0},
		"beyond 64 bits":        {"i9223372036854775808e", 0},
		"below 64 bits":         {"i-9223372036854775809e", 0},
		"long integer":          {"i" + strings.Repeat("9", 5000) + "e", 0},
		"string cut short":      {"l5:spam", 1},
		"string without colon":  {"12", 0},
		"length without colon":  {"1a", 1},
		"length, leading zero":  {"04:spam", 0},
		"negative length":       {"-1:a", 0},
		"length beyond int":     {strings.Repeat("9", 400) + ":a", 0},
		"list without end":      {"li1e", 0},
		"dict without end":      {"d1:ai1e", 0},
		"dict, key an integer":  {"di1ei2ee", 1},
		"dict, key a list":      {"dle1:ae", 1},
		"dict, key but nothing": {"d1:ae", 4},
		"key twice":             {"d1:ai1e1:ai2ee", 9},
		"key twice, apart":      {"d1:bi1e1:ai1e1:bi2ee", 15},
		"bytes after it":        {"i1ei2e", 3},
		"65 deep":               {strings.Repeat("l", 65) + strings.Repeat("e", 65), 64},
		"65 deep in dicts":      {strings.Repeat("d0:", 65) + strings.Repeat("e", 65), 192},
	} {
		t.Run(name, func(t *testing.T) {
			var v any
			for call, err := range map[string]error{"Check": bencode.Check([]byte(c.data)), "Unmarshal": bencode.Unmarshal([]byte(c.data), &v)} {
				var syntax *bencode.SyntaxError
				if !errors.As(err, &syntax) {
					t.Fatalf("%s(%.40q) = %v, want a *SyntaxError", call, c.data, err)
				}
				if syntax.Offset != c.offset {
					t.Errorf("%s(%.40q) = %v, want byte %d", call, c.data, err, c.offset)
				}
			}
		})
	}
}

// The library allocates the length of a string before it reads it: 2 GiB here.
func TestLengthBombAllocatesNothing(t *testing.T) {
	for _, bomb := range []string{"2147483647:", "d5:peers2147483647:", "l2147483647:"} {
		allocated := allocatedBy(func() {
			var v any
			if err := bencode.Unmarshal([]byte(bomb), &v); err == nil {
				t.Errorf("Unmarshal(%q) took it", bomb)
			}
		})
		if allocated > 64<<10 {
			t.Errorf("Unmarshal(%q) allocated %d bytes", bomb, allocated)
		}
	}
}

// The library recurses at every list and dictionary until the stack overflows, which ends the process.
func TestMegabytesOfOpenListsAreRefused(t *testing.T) {
	for _, unit := range []string{"l", "d0:"} {
		bomb := bytes.Repeat([]byte(unit), 8<<20)
		var v any
		if err := bencode.Unmarshal(bomb, &v); err == nil {
			t.Errorf("8 Mi of %q: no error", unit)
		}
		if _, err := bencode.Prefix(bomb); err == nil {
			t.Errorf("8 Mi of %q: Prefix has no error", unit)
		}
		if allocated := allocatedBy(func() { _ = bencode.Check(bomb) }); allocated > 64<<10 {
			t.Errorf("8 Mi of %q: Check allocated %d bytes", unit, allocated)
		}
	}
}

func TestUnmarshalBoundsTheNumberOfValues(t *testing.T) {
	data := []byte("l" + strings.Repeat("le", bencode.MaxValues) + "e")
	if err := bencode.Check(data); err != nil {
		t.Fatalf("Check: %v", err)
	}
	var v any
	if err := bencode.Unmarshal(data, &v); err == nil {
		t.Errorf("Unmarshal of %d values: no error", bencode.MaxValues+1)
	}
}

func TestPrefix(t *testing.T) {
	for data, want := range map[string]int{"i1e": 3, "d8:msg_typei1ee\x00\xff": 15, "0:0:": 2, "le": 2} {
		if n, err := bencode.Prefix([]byte(data)); n != want || err != nil {
			t.Errorf("Prefix(%q) = %d, %v, want %d", data, n, err, want)
		}
	}
	if _, err := bencode.Prefix([]byte("d1:a")); err == nil {
		t.Error("Prefix of a value that was cut off: no error")
	}
}

type message struct {
	Kind    int64       `bencode:"msg_type"`
	Port    int64       `bencode:"p,omitempty"`
	Content []byte      `bencode:"c,omitempty"`
	Rest    bencode.Raw `bencode:"r,omitempty"`
}

func TestUnmarshalAndMarshal(t *testing.T) {
	var m message
	if err := bencode.Unmarshal([]byte("d1:c2:ab8:msg_typei1e1:rd1:zi1e1:ai2ee7:unknownl1:xee"), &m); err != nil {
		t.Fatal(err)
	}
	if m.Kind != 1 || m.Port != 0 || string(m.Content) != "ab" || string(m.Rest) != "d1:zi1e1:ai2ee" {
		t.Errorf("decoded %+v", m)
	}
	data, err := bencode.Marshal(message{Kind: 2, Port: 6884})
	if want := "d8:msg_typei2e1:pi6884ee"; string(data) != want || err != nil {
		t.Errorf("Marshal = %q, %v, want %q", data, err, want)
	}
}

func TestUnmarshalOfAnotherType(t *testing.T) {
	var m message
	if err := bencode.Unmarshal([]byte("le"), &m); err == nil {
		t.Error("a list into a struct: no error")
	}
	var pair [2]int64
	if err := bencode.Unmarshal([]byte("li1ei2ei3ee"), &pair); err == nil {
		t.Error("three elements into an array of two: no error")
	}
}

func TestMarshalOfWhatHasNoForm(t *testing.T) {
	if data, err := bencode.Marshal(math.Pi); err == nil {
		t.Errorf("Marshal(pi) = %q", data)
	}
}

func TestValue(t *testing.T) {
	v, err := bencode.Parse([]byte("d4:name4:spam4:sizei-7e4:listli1e0:d1:xleee4:lastdee"))
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := v.Get("name").Text(); string(name) != "spam" || !ok {
		t.Errorf("name = %q, %v", name, ok)
	}
	if size, ok := v.Get("size").Int(); size != -7 || !ok {
		t.Errorf("size = %d, %v", size, ok)
	}
	var elements []string
	for e := range v.Get("list").List() {
		elements = append(elements, string(e))
	}
	if got, want := strings.Join(elements, " "), "i1e 0: d1:xlee"; got != want {
		t.Errorf("list = %s, want %s", got, want)
	}
	if !v.IsDict() || !v.Get("list").IsList() || string(v.Get("last")) != "de" {
		t.Errorf("last = %q", v.Get("last"))
	}
}

func TestValueThatIsMissing(t *testing.T) {
	v, err := bencode.Parse([]byte("i1e"))
	if err != nil {
		t.Fatal(err)
	}
	missing := v.Get("x")
	if _, ok := missing.Text(); ok || missing != nil {
		t.Errorf("Get of an integer = %q", missing)
	}
	if _, ok := missing.Int(); ok || missing.IsDict() || missing.IsList() {
		t.Error("nothing has a type")
	}
	for range missing.List() {
		t.Error("nothing has an element")
	}
}

// allocatedBy gives the bytes that the whole program allocated while f ran.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
