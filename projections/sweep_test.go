package projections

import (
	"fmt"
	"strings"
	"testing"

	"btda/events"
	"btda/events/eventstest"
	"btda/events/pieces"
)

// TestSweepEqualsAFoldWithEachThreshold holds the counts of the sweep against the downloads of a fold with each threshold alone,
// which the naive model tells to be right.
func TestSweepEqualsAFoldWithEachThreshold(t *testing.T) {
	seed := propertySeed(t)
	counted := sweepCount{}
	for round := range propertyRounds(t) / 3 {
		records := randomStream(seed+uint64(round), 40+round%200)
		for _, policy := range Identities() {
			got, want := sweepTexts(t, policy, records), singleTexts(t, policy, records, &counted)
			if got != want {
				t.Fatalf("seed %d, identity %s\n%s\ngot\n%s\nwant\n%s", seed+uint64(round), policy, eventstest.Format(records), got, want)
			}
		}
	}
	if counted.confirmed == 0 || counted.assumed == 0 {
		t.Errorf("%d downloads confirmed, %d assumed: the test says nothing of them", counted.confirmed, counted.assumed)
	}
}

// sweepThresholds are beside the 0.75 of the recorder. Of the torrents of 8 and 13 pieces some are the same number.
var sweepThresholds = []string{"1", "0.1", "0.5", "0.25", "0.9", "0.95"}

func sweepTexts(t *testing.T, policy Identity, records []events.Record) string {
	options := DefaultOptions()
	options.Identity, options.Sweep = policy, nil
	for _, text := range sweepThresholds {
		options.Sweep = append(options.Sweep, pieces.MustFraction(text))
	}
	set, err := foldAll(options, records)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for row := range tableNamed(t, set.Tables(), "threshold_sweep").Rows {
		text += fmt.Sprintln(row[0].Integer, row[1].Real, row[2].Integer, numberOr(row[4], -1), numberOr(row[5], -1))
	}
	return text
}

// singleTexts folds once with each threshold.
func singleTexts(t *testing.T, policy Identity, records []events.Record, counted *sweepCount) string {
	thresholds := []string{"0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "1"}
	lines := make([]string, len(streamSizes)*len(thresholds))
	for i, threshold := range thresholds {
		counts := countDownloads(t, policy, records, threshold)
		for torrent, c := range counts {
			counted.confirmed += c.confirmed
			counted.assumed += c.assumed
			id, confirmed, assumed := torrent*len(thresholds)+i+1, int(c.confirmed), int(c.assumed)
			if streamSizes[torrent] == 0 {
				confirmed, assumed = -1, -1
			}
			lines[id-1] = fmt.Sprintln(id, threshold, torrent+1, confirmed, assumed)
		}
	}
	return strings.Join(lines, "")
}

// countDownloads gives the counts of each torrent.
func countDownloads(t *testing.T, policy Identity, records []events.Record, threshold string) (counts [3]sweepCount) {
	options := DefaultOptions()
	f := pieces.MustFraction(threshold)
	options.Identity, options.Threshold, options.Sweep = policy, &f, nil
	set, err := foldAll(options, records)
	if err != nil {
		t.Fatal(err)
	}
	for row := range tableNamed(t, set.Tables(), "download").Rows {
		c := &counts[row[1].Integer-1]
		if row[7].Text == "assumed" {
			c.assumed++
		} else {
			c.confirmed++
		}
	}
	return counts
}
