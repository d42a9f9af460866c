package events_test

import (
	"encoding/json"
	"math"
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

// Sums and differences of times that no time holds end at the first or last one.
func TestTimesSaturate(t *testing.T) {
	const first, last = events.Time(math.MinInt64), events.Time(math.MaxInt64)
	for _, c := range []struct {
		of   events.Time
		add  time.Duration
		want events.Time
	}{{5, 3, 8}, {5, -8, -3}, {last, 1, last}, {last - 1, math.MaxInt64, last}, {first, -1, first}, {first, math.MaxInt64, -1}, {-2, math.MinInt64, first}} {
		if got := c.of.Add(c.add); got != c.want {
			t.Errorf("%d and %d is %d, want %d", c.of, c.add, got, c.want)
		}
	}
	for _, c := range []struct {
		from, to events.Time
		want     time.Duration
	}{{5, 8, 3}, {8, 5, -3}, {first, last, math.MaxInt64}, {last, first, math.MinInt64}, {-1, last, math.MaxInt64}, {0, last, math.MaxInt64}, {0, first, math.MinInt64}} {
		if got := c.to.Sub(c.from); got != c.want {
			t.Errorf("from %d to %d is %d, want %d", c.from, c.to, got, c.want)
		}
	}
}
