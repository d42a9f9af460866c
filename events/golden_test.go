package events_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden records of kinds that have none or are not frozen yet")

// The golden records of each payload version: one line for each record with kind, version and payload in hexadecimal digits,
// and beside it the text that the payload means. They stand for every log ever written. Once the source of a kind has landed,
// its lines are frozen: a test that fails here says that logs can no longer be read as they were meant.
const (
	goldenPayloads = "testdata/version1.payloads"
	goldenTexts    = "testdata/version1.txt"
)

// notYetFrozen are the kinds whose source has not landed: no log can hold them, and -rewrite may change their records.
var notYetFrozen = []events.Kind{
	events.KindLocalPeerAnnounced,
	events.KindHolepunchTried, events.KindPlaceFound,
}

// golden is one record, as its payload and as text.
type golden struct {
	kind    events.Kind
	version events.Version
	payload []byte
	text    string
}

func readGolden(t *testing.T) []golden {
	t.Helper()
	payloads, texts := readLines(t, goldenPayloads), readLines(t, goldenTexts)
	if len(payloads) != len(texts) {
		t.Fatalf("%d payloads and %d texts", len(payloads), len(texts))
	}
	records := make([]golden, len(payloads))
	for i, line := range payloads {
		var digits string
		if _, err := fmt.Sscan(line, &records[i].kind, &records[i].version, &digits); err != nil {
			t.Fatalf("%s:%d: %v", goldenPayloads, i+1, err)
		}
		payload, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatalf("%s:%d: %v", goldenPayloads, i+1, err)
		}
		records[i].payload, records[i].text = payload, texts[i]
	}
	return records
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !(os.IsNotExist(err) && *rewrite) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}

func TestGoldenRecordsReadAsTheirText(t *testing.T) {
	rewriteGolden(t)
	var decoder events.Decoder
	for _, g := range readGolden(t) {
		e, err := decoder.Decode(g.kind, g.version, g.payload)
		if err != nil {
			t.Errorf("%v version %d: %v", g.kind, g.version, err)
			continue
		}
		if text := eventstest.FormatEvent(e); text != g.text {
			t.Errorf("%v version %d reads as\n%s\nwant\n%s", g.kind, g.version, text, g.text)
		}
	}
}

// A payload may get longer by fields that were appended since; what stood in it stays as it is.
func TestGoldenTextsAreWrittenAsTheirPayload(t *testing.T) {
	for _, g := range readGolden(t) {
		records, err := eventstest.Parse("0 " + g.text)
		if err != nil {
			t.Error(err)
			continue
		}
		e := records[0].Event
		if g.version == g.kind.Version() && !bytes.HasPrefix(fieldsOf(encode(t, e)), fieldsOf(g.payload)) {
			t.Errorf("%v is written as %x, want %x", g.kind, encode(t, e), g.payload)
		}
	}
}

// fieldsOf cuts the array header off a payload.
func fieldsOf(payload []byte) []byte {
	if payload[0] == 0xdc {
		return payload[3:]
	}
	return payload[1:]
}

func TestEveryKindHasGoldenRecords(t *testing.T) {
	have := make(map[events.Kind]int)
	for _, g := range readGolden(t) {
		have[g.kind]++
	}
	for _, kind := range events.Kinds() {
		if have[kind] < 2 {
			t.Errorf("%v has %d golden records, want one with every field and one with none: run go test ./events -rewrite", kind, have[kind])
		}
	}
}

// The text form, in which golden records and scenes are written, loses nothing.
func TestTextFormSaysEverything(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := random{rand.New(rand.NewPCG(seed, 0))}
	for _, kind := range events.Kinds() {
		for range 10 {
			e := fill(kind, chance)
			if started, ok := e.(*events.RunStarted); ok {
				nameSettings(started)
			}
			text := eventstest.FormatEvent(e)
			records, err := eventstest.Parse("0 " + text)
			if err != nil || !bytes.Equal(encode(t, e), encode(t, records[0].Event)) {
				t.Fatalf("error %v for\n%s", err, text)
			}
		}
	}
}

// nameSettings gives settings names as they have them: the text form takes no others.
func nameSettings(e *events.RunStarted) {
	for i := range e.Configuration {
		e.Configuration[i].Name = fmt.Sprint("setting-", i)
	}
}

// rewriteGolden adds the records of kinds that have none and renews those that are not frozen, when the flag asks for it.
func rewriteGolden(t *testing.T) {
	if !*rewrite {
		return
	}
	var records []golden
	if _, err := os.Stat(goldenPayloads); err == nil {
		records = slices.DeleteFunc(readGolden(t), func(g golden) bool { return slices.Contains(notYetFrozen, g.kind) })
	}
	for _, kind := range events.Kinds() {
		if !slices.ContainsFunc(records, func(g golden) bool { return g.kind == kind }) {
			records = append(records, goldenOf(t, fill(kind, new(counter))), goldenOf(t, kind.New()))
		}
	}
	slices.SortStableFunc(records, func(a, b golden) int { return int(a.kind) - int(b.kind) })
	writeGolden(t, records)
}

func goldenOf(t *testing.T, e events.Event) golden {
	return golden{kind: e.Kind(), version: e.Kind().Version(), payload: encode(t, e), text: eventstest.FormatEvent(e)}
}

func writeGolden(t *testing.T, records []golden) {
	t.Helper()
	var payloads, texts strings.Builder
	for _, g := range records {
		fmt.Fprintf(&payloads, "%d %d %x\n", g.kind, g.version, g.payload)
		texts.WriteString(g.text + "\n")
	}
	for path, content := range map[string]string{goldenPayloads: payloads.String(), goldenTexts: texts.String()} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
