package events_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"btda/events"
	"btda/events/eventstest"
)

// roundTrip encodes and decodes an event.
func roundTrip(t testing.TB, decoder *events.Decoder, e events.Event) events.Event {
	t.Helper()
	decoded, err := decoder.Decode(e.Kind(), e.Kind().Version(), encode(t, e))
	if err != nil {
		t.Fatalf("%s: %v", eventstest.FormatEvent(e), err)
	}
	return decoded
}

func TestEveryKindRoundTrips(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := random{rand.New(rand.NewPCG(seed, 0))}
	var decoder events.Decoder
	for _, kind := range events.Kinds() {
		samples := []events.Event{kind.New(), fill(kind, new(counter))}
		for range 30 {
			samples = append(samples, fill(kind, chance))
		}
		samples = append(samples, kind.New()) // after all the others it must be all zero again
		for _, e := range samples {
			if decoded := roundTrip(t, &decoder, e); !same(e, decoded) {
				t.Errorf("%v: wrote %v, read %v", kind, flatten(e), flatten(decoded))
			}
		}
	}
	for _, e := range hotSamples() {
		if decoded := roundTrip(t, &decoder, e); !same(e, decoded) {
			t.Errorf("wrote %v, read %v", flatten(e), flatten(decoded))
		}
	}
}

func TestFilledSamplesHaveNoZeroField(t *testing.T) {
	for _, kind := range events.Kinds() {
		checkNoZero(t, kind.String(), reflect.ValueOf(fill(kind, new(counter))).Elem())
	}
}

func checkNoZero(t *testing.T, name string, v reflect.Value) {
	if v.IsZero() {
		t.Errorf("%s is zero", name)
	}
	switch v.Interface().(type) {
	case events.Address, events.Optional:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			checkNoZero(t, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkNoZero(t, name, v.Index(i))
		}
	}
}

// The library writes the same bytes from the same values and, as it writes each value in its shortest form, ours are canonical.
func TestPayloadsAreWhatTheLibraryWrites(t *testing.T) {
	chance := random{rand.New(rand.NewPCG(1, 2))}
	for _, kind := range events.Kinds() {
		for _, e := range []events.Event{kind.New(), fill(kind, new(counter)), fill(kind, chance), fill(kind, chance), fill(kind, chance)} {
			payload := encode(t, e)
			if want := encodeByLibrary(t, flatten(e)); !bytes.Equal(payload, want) {
				t.Errorf("%v\n ours    %x\n library %x", flatten(e), payload, want)
			}
			read, err := msgpack.NewDecoder(bytes.NewReader(payload)).DecodeInterface()
			if again := encodeByLibrary(t, read); err != nil || !bytes.Equal(again, payload) {
				t.Errorf("%v: the library read %v, error %v", flatten(e), read, err)
			}
		}
	}
}

func TestFieldsThatAreMissingAreZero(t *testing.T) {
	var decoder events.Decoder
	for _, kind := range events.Kinds() {
		full, empty := flatten(fill(kind, new(counter))), flatten(kind.New())
		for n := range full {
			if _, err := decoder.Decode(kind, kind.Version(), encodeByLibrary(t, full)); err != nil {
				t.Fatal(err)
			}
			e, err := decoder.Decode(kind, kind.Version(), encodeByLibrary(t, full[:n]))
			if err != nil && strings.Contains(err.Error(), "scopes for") {
				continue // a list of peers that was cut between its parts
			}
			want := fmt.Sprint(append(append([]any{}, full[:n]...), empty[n:]...))
			if err != nil || fmt.Sprint(flatten(e)) != want {
				t.Errorf("%v with %d fields: error %v, read %v, want %s", kind, n, err, flatten(e), want)
			}
		}
	}
}

func TestFieldsThatAreNewerAreSkipped(t *testing.T) {
	var decoder events.Decoder
	long := strings.Repeat("x", 70000)
	newer := []any{nil, true, uint64(1) << 40, -1, -1 << 40, 1.5, float32(1.5), "text", long, []byte("bytes"), []byte(long),
		[]any{1, []any{}, map[string]any{"a": []any{2}}}, make([]int, 70000), map[string]string{"a": "b"}, &msgpack.RawMessage{0xc7, 2, 5, 1, 2},
		&msgpack.RawMessage{0xd8, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, &msgpack.RawMessage{0xde, 0, 1, 1, 2}}
	for _, kind := range events.Kinds() {
		e := fill(kind, new(counter))
		decoded, err := decoder.Decode(kind, kind.Version(), encodeByLibrary(t, append(flatten(e), newer...)))
		if err != nil || !same(e, decoded) {
			t.Errorf("%v: read %v, error %v", kind, decoded, err)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	var decoder events.Decoder
	nested := func(depth int) []byte {
		// The two fields of a HaveReceived, then a newer one.
		return append(append([]byte{0x93, 1, 2}, bytes.Repeat([]byte{0x91}, depth)...), 0xc0)
	}
	if _, err := decoder.Decode(events.KindHaveReceived, 1, nested(16)); err != nil {
		t.Errorf("16 deep: %v", err)
	}
	_, err := decoder.Decode(events.KindHaveReceived, 1, nested(1000000))
	if !errors.Is(err, events.ErrPayload) || !strings.Contains(err.Error(), "16 deep") {
		t.Errorf("a million deep: error %v", err)
	}
}

func TestUnknownKindsAndNewerVersions(t *testing.T) {
	var decoder events.Decoder
	var encoder events.Encoder
	for _, c := range []struct {
		kind    events.Kind
		version events.Version
	}{{99, 1}, {0, 1}, {60000, 7}, {events.KindHaveReceived, 2}, {events.KindRunStarted, 60000}} {
		e, err := decoder.Decode(c.kind, c.version, []byte{1})
		unknown, ok := e.(*events.Unknown)
		if err != nil || !ok || unknown.Kind() != c.kind || unknown.Version != c.version || !bytes.Equal(unknown.Payload, []byte{1}) {
			t.Errorf("kind %d version %d: %v, error %v", c.kind, c.version, e, err)
		}
		if _, err := encoder.Append(nil, e); !errors.Is(err, events.ErrPayload) {
			t.Errorf("kind %d was written, error %v", c.kind, err)
		}
	}
}

func TestDecodeErrorsSayWhatIsWrong(t *testing.T) {
	var decoder events.Decoder
	for _, c := range []struct {
		kind    events.Kind
		payload []byte
		want    string
	}{
		{events.KindHaveReceived, nil, "ends too early"},
		{events.KindHaveReceived, []byte{0xc0}, "want an array"},
		{events.KindHaveReceived, []byte{0x92, 1}, "ends too early"},
		{events.KindHaveReceived, []byte{0x92, 1, 2, 3}, "1 bytes after the end"},
		{events.KindHaveReceived, []byte{0x92, 1, 0xff}, "negative"},
		{events.KindHaveReceived, []byte{0x92, 1, 0xa0}, "want a number"},
		{events.KindHaveReceived, []byte{0x92, 1, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0}, "4294967296 does not fit"},
		{events.KindHaveReceived, []byte{0xdd, 0xff, 0xff, 0xff, 0xff, 1, 2}, "ends too early"},
		{events.KindBitfieldReceived, []byte{0x92, 1, 0xc4, 5, 0}, "5 bytes wanted, 1 left"},
		{events.KindBitfieldReceived, []byte{0x92, 1, 0xa1, 'x'}, "want bytes"},
		{events.KindSessionOpened, []byte{0x97, 1, 1, 1, 1, 1, 1, 0xc4, 1, 1}, "an address of 1 bytes"},
		{events.KindSessionOpened, append([]byte{0x97, 1, 1, 1, 1, 1, 1, 0xc4, 19, 1}, []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04\x00\x05")...), "IPv4 address written as IPv6"},
		{events.KindSessionOpened, []byte{0x98, 1, 1, 1, 1, 1, 1, 0xc4, 0, 0xc4, 1, 1}, "want 8 bytes, got 1"},
		{events.KindPeersNamed, []byte{0x93, 1, 1, 0xc4, 1, 1}, "within an entry"},
		{events.KindPeersNamed, []byte{0x95, 1, 1, 0xc4, 0, 0xc4, 0, 0xc4, 1, 1}, "1 scopes for 0 peers"},
		{events.KindTorrentAdded, []byte{0x94, 1, 0xc4, 0}, "want 20 bytes"},
		{events.KindTrackersExchanged, []byte{0x93, 1, 1, 0xdd, 0xff, 0xff, 0xff, 0xff, 0xa0}, "4294967295 elements in 1 bytes"},
		{events.KindTrackersExchanged, []byte{0x93, 1, 1, 0x91, 1}, "want a string"},
		{events.KindDHTLookupEnded, []byte{0x93, 1, 1, 1}, "want a boolean"},
		{events.KindPlaceFound, []byte{0x92, 0xc4, 0, 0x95, 0xa0, 0xa0, 0xa0, 0xc2, 1}, "want a float"},
		{events.KindMessagesSuppressed, []byte{0x95, 1, 1, 1, 1, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "does not fit"},
		{events.KindMessagesSuppressed, []byte{0x95, 1, 1, 1, 1, 0xa0}, "want a number"},
		{events.KindRunStopped, []byte{0x93, 1, 0xa0, 0xc1}, "not msgpack"},
	} {
		_, err := decoder.Decode(c.kind, 1, c.payload)
		if !errors.Is(err, events.ErrPayload) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.kind.String()) {
			t.Errorf("%v %x: error %v, want %s", c.kind, c.payload, err, c.want)
		}
	}
	if _, err := decoder.Decode(events.KindHaveReceived, 0, []byte{0x90}); !errors.Is(err, events.ErrPayload) {
		t.Errorf("version 0: error %v", err)
	}
}

func TestEncodeRefusesBrokenLists(t *testing.T) {
	for _, peers := range []events.PeerList{{V4: make([]byte, 5)}, {V6: make([]byte, 17)}, {V4: make([]byte, 12), Scopes: []byte{1}}} {
		for _, e := range []events.Event{&events.PeersNamed{Peers: peers}, &events.TrackerAnnounced{Peers: peers}} {
			if b, err := new(events.Encoder).Append([]byte("before"), e); !errors.Is(err, events.ErrPayload) || string(b) != "before" {
				t.Errorf("%v: %q, error %v", e.Kind(), b, err)
			}
		}
	}
}

func TestMappedAddressesAreWrittenAsIPv4(t *testing.T) {
	var decoder events.Decoder
	e := &events.SessionOpened{Address: events.Address{AddrPort: addressOf("[::ffff:1.2.3.4]:5"), Scope: events.ScopePublic}}
	decoded := roundTrip(t, &decoder, e).(*events.SessionOpened)
	if decoded.Address != events.AddressOf(addressOf("1.2.3.4:5")) {
		t.Errorf("read %v", decoded.Address)
	}
}

func TestEventStaysUntilTheNextOfItsKind(t *testing.T) {
	var decoder events.Decoder
	first := roundTrip(t, &decoder, &events.TrackersExchanged{Session: 1, Trackers: []string{"a"}})
	for _, kind := range events.Kinds() {
		if kind != events.KindTrackersExchanged {
			roundTrip(t, &decoder, fill(kind, new(counter)))
		}
	}
	if !same(first, &events.TrackersExchanged{Session: 1, Trackers: []string{"a"}}) {
		t.Errorf("it became %v", flatten(first))
	}
}

// FuzzDecode holds that no payload panics, and that an event that could be read is written so that both this package and the
// library read it again.
func FuzzDecode(f *testing.F) {
	for _, kind := range events.Kinds() {
		f.Add(uint16(kind), uint16(1), encode(f, fill(kind, new(counter))))
		f.Add(uint16(kind), uint16(1), encode(f, kind.New()))
	}
	for _, e := range hotSamples() {
		f.Add(uint16(e.Kind()), uint16(1), encode(f, e))
	}
	f.Fuzz(func(t *testing.T, kind, version uint16, payload []byte) {
		var first, second events.Decoder
		e, err := first.Decode(events.Kind(kind), events.Version(version), payload)
		if err != nil {
			if !errors.Is(err, events.ErrPayload) {
				t.Fatal(err)
			}
			return
		}
		if _, unknown := e.(*events.Unknown); unknown {
			return
		}
		again := encode(t, e)
		e2, err := second.Decode(e.Kind(), e.Kind().Version(), again)
		if err != nil || !same(e, e2) {
			t.Fatalf("%x read as %v, written as %x, read as %v, error %v", payload, flatten(e), again, e2, err)
		}
		if want := encodeByLibrary(t, flatten(e)); !bytes.Equal(again, want) {
			t.Fatalf("written as %x, by the library as %x", again, want)
		}
	})
}
