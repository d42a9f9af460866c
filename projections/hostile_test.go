package projections

import (
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

// TestDurationsWithoutBound folds with durations and times that no sum holds. The fold neither hangs nor takes for due what never is.
func TestDurationsWithoutBound(t *testing.T) {
	for name, c := range map[string]struct {
		revisit string
		settle  time.Duration
		times   [3]events.Time
		speed   string
	}{
		"revisit":        {"2562047h47m16.854775807s", time.Second, [3]events.Time{1, 10e9, 20e9}, "0.052632"},
		"revisit, half":  {"1281023h", time.Second, [3]events.Time{1 << 62, 1<<62 + 10e9, 1<<62 + 20e9}, "0.052632"},
		"settle":         {"5m", 1<<63 - 1, [3]events.Time{1e18, 1e18 + 1, 1e18 + 2}, "NULL"},
		"end of time":    {"1s", time.Second, [3]events.Time{1e18, 1e18 + 10e9, 1<<63 - 1}, "1"},
		"all of time":    {"1s", time.Second, [3]events.Time{-1 << 63, 0, 1<<63 - 1}, "1"},
		"back to before": {"1s", time.Second, [3]events.Time{1<<63 - 1, 0, -1 << 63}, "NULL"},
	} {
		t.Run(name, func(t *testing.T) {
			set := foldWithDurations(t, c.revisit, c.settle, c.times)
			speed := sceneTable{heading: "peer max_speed"}
			if got := speed.render(t, set.Tables()); got != c.speed+"\n" {
				t.Errorf("speed %swant %s", got, c.speed)
			}
		})
	}
}

func foldWithDurations(t *testing.T, revisit string, settle time.Duration, times [3]events.Time) *Set {
	records, err := eventstest.Parse(`0 RunStarted run=01 setting.threshold=0.75 setting.timeout=6s setting.revisit=` + revisit + `
0 TorrentAdded torrent=1 info-hash=aa metadata-known=true metadata.piece-count=8 metadata.piece-length=1000
0 SessionOpened session=1 torrent=1 direction=outgoing address=1.2.3.4:5
0 BitfieldReceived session=1 bitfield=11110000
0 HaveReceived session=1 piece=4
0 SessionClosed session=1`)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		records[i].Time = times[max(i-3, 0)]
	}
	options := DefaultOptions()
	options.Settle = settle
	set, err := foldAll(options, records)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
