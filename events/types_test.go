package events_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"btda/events"
)

func TestTime(t *testing.T) {
	const text = "2026-01-31T12:00:00.000000001Z"
	var at events.Time
	if err := at.UnmarshalText([]byte(text)); err != nil || at.String() != text {
		t.Errorf("%v, error %v", at, err)
	}
	if later := at.Add(time.Second); later.Sub(at) != time.Second || events.TimeOf(later.UTC()) != later {
		t.Errorf("a second later is %v", later)
	}
	if written, err := at.MarshalText(); string(written) != text || err != nil {
		t.Errorf("%s, error %v", written, err)
	}
	if err := at.UnmarshalText([]byte("noon")); err == nil || !strings.Contains(err.Error(), "RFC 3339") {
		t.Errorf("error %v", err)
	}
}

func TestIDsAsText(t *testing.T) {
	digits := strings.Repeat("0a", 20)
	var ids struct {
		Run  events.RunID
		Hash events.InfoHash
		Peer events.PeerID
		Node events.NodeID
	}
	text := `{"Run":"` + digits[:32] + `","Hash":"` + digits + `","Peer":"` + digits + `","Node":"` + digits + `"}`
	if err := json.Unmarshal([]byte(text), &ids); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(ids); string(again) != text || err != nil {
		t.Errorf("%s, error %v", again, err)
	}
	for bad, want := range map[string]string{"0a": "want 40 hexadecimal digits, got 2 characters", strings.Repeat("x", 40): "invalid byte"} {
		if err := ids.Hash.UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func TestOptional(t *testing.T) {
	for text, o := range map[string]events.Optional{"unknown": {}, "0": events.Some(0), "18446744073709551615": events.Some(1<<64 - 1)} {
		if o.String() != text {
			t.Errorf("%v, want %s", o, text)
		}
	}
	if text, err := json.Marshal([]events.Optional{{}, events.Some(0)}); string(text) != "[null,0]" || err != nil {
		t.Errorf("%s, error %v", text, err)
	}
}

func TestRunStartedSetting(t *testing.T) {
	started := events.RunStarted{Configuration: []events.Setting{{Name: "threshold", Value: "0.98"}}}
	if value, ok := started.Setting("threshold"); value != "0.98" || !ok {
		t.Errorf("%q, %v", value, ok)
	}
	if value, ok := started.Setting("port"); value != "" || ok {
		t.Errorf("%q, %v", value, ok)
	}
}
