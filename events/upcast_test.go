package events

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// Rehearse is rehearse for the tests of what folds events.
func Rehearse(t *testing.T, kind Kind, newest Version, steps map[Version]func([]byte) ([]byte, error)) {
	upcasters := map[Version]upcaster{}
	for version, step := range steps {
		upcasters[version] = step
	}
	rehearse(t, kind, newest, upcasters)
}

// rehearse raises the payload version of a kind for the time of a test.
func rehearse(t *testing.T, kind Kind, newest Version, steps map[Version]upcaster) {
	before := kinds[kind].version
	kinds[kind].version, upcasters[kind] = newest, steps
	t.Cleanup(func() {
		kinds[kind].version = before
		delete(upcasters, kind)
	})
}

// doublePiece is the step to a version in which a piece counts twice.
func doublePiece(payload []byte) ([]byte, error) {
	if len(payload) != 3 {
		return nil, errors.New("want three bytes")
	}
	return []byte{payload[0], payload[1], 2 * payload[2]}, nil
}

func TestOlderPayloadsAreBroughtUpStepByStep(t *testing.T) {
	for _, kind := range []Kind{KindHaveReceived, KindDontHaveReceived} {
		rehearse(t, kind, 3, map[Version]upcaster{1: doublePiece, 2: doublePiece})
		var decoder Decoder
		stored := []byte{0x92, 1, 5}
		for version, want := range map[Version]PieceIndex{1: 20, 2: 10, 3: 5} {
			e, err := decoder.Decode(kind, version, stored)
			if err != nil {
				t.Errorf("%v version %d: %v", kind, version, err)
				continue
			}
			if again, _ := new(Encoder).Append(nil, e); !bytes.Equal(again, []byte{0x92, 1, byte(want)}) {
				t.Errorf("%v version %d became %x, want piece %d", kind, version, again, want)
			}
		}
		if e, err := decoder.Decode(kind, 4, stored); err != nil || e.(*Unknown).Version != 4 {
			t.Errorf("%v version 4: %v, error %v", kind, e, err)
		}
		if !bytes.Equal(stored, []byte{0x92, 1, 5}) {
			t.Error("the stored payload changed")
		}
	}
}

func TestUpcastErrorsNameKindAndVersion(t *testing.T) {
	rehearse(t, KindHaveReceived, 3, map[Version]upcaster{2: doublePiece})
	for version, want := range map[Version]string{1: "HaveReceived has no version 1", 2: "HaveReceived version 2: want three bytes"} {
		_, err := new(Decoder).Decode(KindHaveReceived, version, nil)
		if !errors.Is(err, ErrPayload) || !strings.Contains(err.Error(), want) {
			t.Errorf("version %d: error %v, want %s", version, err, want)
		}
	}
}

func TestReleasedVersionsHaveUpcasters(t *testing.T) {
	for _, kind := range Kinds() {
		for version := Version(1); version < kind.Version(); version++ {
			if upcasters[kind][version] == nil {
				t.Errorf("%v version %d has no upcaster", kind, version)
			}
		}
	}
}

func TestKindsAreWhatTheyAreCalled(t *testing.T) {
	for _, kind := range Kinds() {
		if e := kind.New(); e.Kind() != kind || kind.Version() == 0 {
			t.Errorf("%v creates a %v of version %d", kind, e.Kind(), kind.Version())
		}
	}
	if Kind(kindLimit).Known() || Kind(0).New() != nil || Kind(kindLimit).Version() != 0 {
		t.Error("a kind is known that is not")
	}
}
