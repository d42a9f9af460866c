package events_test

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"btda/events"
)

// goldenNames holds the name of every number of every enumeration. Lines are only ever added, with -rewrite.
const goldenNames = "testdata/names.txt"

// enumerations has a value of each type whose numbers stand in logs.
var enumerations = []encoding.TextMarshaler{events.Kind(0), events.Scope(0), events.Source(0), events.Direction(0), events.Transport(0), events.Encryption(0),
	events.Phase(0), events.Side(0), events.AnnounceEvent(0), events.MessageKind(0), events.Limit(0), events.Reason(0)}

// nameOf gives the name of a number; ok is false for one without a name.
func nameOf(enumeration reflect.Type, number uint64) (name string, ok bool) {
	v := reflect.New(enumeration).Elem()
	v.SetUint(number)
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	return string(text), err == nil && !strings.HasSuffix(string(text), fmt.Sprint(" ", number))
}

func currentNames() []string {
	var lines []string
	for _, zero := range enumerations {
		enumeration := reflect.TypeOf(zero)
		for number := range uint64(512) {
			if enumeration.Bits() == 8 && number > 255 {
				break
			}
			if name, ok := nameOf(enumeration, number); ok {
				lines = append(lines, fmt.Sprintf("%s %d %s", enumeration.Name(), number, name))
			}
		}
	}
	return lines
}

func TestNumbersKeepTheirNames(t *testing.T) {
	current := currentNames()
	if *rewrite {
		if err := os.WriteFile(goldenNames, []byte(strings.Join(current, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	frozen := readLines(t, goldenNames)
	known := make(map[string]bool)
	for _, line := range frozen {
		known[line] = true
	}
	for _, line := range current {
		if !known[line] {
			t.Errorf("%s is not in %s: run go test ./events -rewrite, and check that lines are only added", line, goldenNames)
		}
		delete(known, line)
	}
	for line := range known {
		t.Errorf("%s is gone: a number is never used again", line)
	}
}

func TestNamesAreReadBack(t *testing.T) {
	for _, zero := range enumerations {
		enumeration := reflect.TypeOf(zero)
		seen := make(map[string]uint64)
		for number := range uint64(300) {
			if enumeration.Bits() == 8 && number > 255 {
				break
			}
			name, _ := nameOf(enumeration, number)
			if other, twice := seen[name]; twice {
				t.Errorf("%v: %d and %d are both called %q", enumeration, other, number, name)
			}
			seen[name] = number
			back := reflect.New(enumeration)
			if err := back.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(name)); err != nil || back.Elem().Uint() != number {
				t.Errorf("%v: %q reads as %d, error %v", enumeration, name, back.Elem().Uint(), err)
			}
		}
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	var reason events.Reason
	if err := reason.UnmarshalText([]byte("tired")); err == nil || !strings.Contains(err.Error(), `reason "tired" is not known: want one of other, timeout`) {
		t.Errorf("error %v", err)
	}
	if err := reason.UnmarshalText([]byte("reason 256")); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("error %v", err)
	}
}
