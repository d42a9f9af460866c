package replay

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/projections"
)

// twoTorrents has peers of two torrents: one named by a tracker, seen early, and one that came to us, seen late.
const twoTorrents = `
	0    RunStarted run=01 setting.threshold=0.98 setting.revisit=5m0s
	0    TorrentAdded torrent=1 info-hash=aa display-name=a metadata-known=true metadata.piece-count=8 metadata.piece-length=1024
	0    TorrentAdded torrent=2 info-hash=bb display-name=b metadata-known=true metadata.piece-count=8 metadata.piece-length=1024
	1    TrackerAnnounced torrent=1 tracker=http://tracker.example/announce peers=[9.2.3.4:6881 9.2.3.5:6881]
	1    TrackerScraped torrent=1 tracker=http://tracker.example/announce seeders=3
	1.5  SessionOpened session=1 contact=1 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.4:6881 peer-id=-TR3000-aaaaaaaaaaaa
	2    BitfieldReceived session=1 bitfield=11111110
	9    HaveReceived session=1 piece=7
	10   SessionClosed session=1 by=us reason=complete
	15   StatisticSampled peer-queue=1
	20   SessionOpened session=2 torrent=2 direction=incoming transport=tcp encryption=plain address=9.2.3.6:6881 peer-id=-TR3000-bbbbbbbbbbbb
	21   BitfieldReceived session=2 bitfield=11111110
	29   HaveReceived session=2 piece=7
	30   SessionClosed session=2 by=us reason=complete
	31   TrackerAnnounced torrent=2 tracker=http://tracker.example/announce peers=[9.2.3.7:6881]
	32   TrackerScraped torrent=2 tracker=http://tracker.example/announce seeders=4
	33   StatisticSampled peer-queue=1`

func hashOf(b byte) events.InfoHash { return events.InfoHash{b} }

// A selection chooses rows, and changes nothing in them.
func TestSelection(t *testing.T) {
	log := recordLog(t, fromText(t, twoTorrents))
	all := replayRows(t, optionsFor(log))
	from := eventstest.Start.Add(10500 * time.Millisecond) // the second before counts too
	for name, test := range map[string]struct {
		selection Selection
		want      map[string]int
	}{
		"all": {Selection{}, map[string]int{"torrent": 2, "peer": 2, "download": 2, "endpoint": 3, "scrape": 2, "request": 4, "statistic": 2, "timing": 2, "failure": 6, "message_wait": 62, "threshold_sweep": 14, "peer_source": 2}},
		"a torrent": {Selection{Torrents: []events.InfoHash{hashOf(0xbb)}},
			map[string]int{"torrent": 1, "peer": 1, "download": 1, "endpoint": 1, "scrape": 1, "request": 3, "statistic": 2, "timing": 1, "failure": 3, "message_wait": 31, "threshold_sweep": 7, "peer_source": 1}},
		"a source": {Selection{Sources: []events.Source{events.SourceTracker}},
			map[string]int{"torrent": 2, "peer": 1, "download": 1, "endpoint": 3, "scrape": 2, "request": 2, "statistic": 2, "timing": 1, "failure": 6, "message_wait": 62, "threshold_sweep": 14, "peer_source": 1}},
		"another source": {Selection{Sources: []events.Source{events.SourceDHT}},
			map[string]int{"torrent": 2, "statistic": 2, "failure": 6, "message_wait": 62, "threshold_sweep": 14}},
		"from": {Selection{From: from.Add(time.Second)},
			map[string]int{"torrent": 2, "peer": 1, "download": 1, "endpoint": 1, "scrape": 1, "request": 3, "statistic": 2, "timing": 1, "failure": 6, "message_wait": 62, "threshold_sweep": 14, "peer_source": 1}},
		"all three": {Selection{From: from, Torrents: []events.InfoHash{hashOf(0xaa)}, Sources: []events.Source{events.SourceTracker, events.SourceIncoming}},
			map[string]int{"torrent": 1, "peer": 1, "endpoint": 1, "statistic": 2, "failure": 3, "message_wait": 31, "threshold_sweep": 7, "peer_source": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			o := optionsFor(log)
			o.Selection = test.selection
			rows := replayRows(t, o)
			counts := map[string]int{}
			for _, row := range rows {
				table, _, _ := strings.Cut(row, " ")
				counts[table]++
				if !slices.Contains(all, row) {
					t.Errorf("not a row of the whole result: %s", row)
				}
			}
			if fmt.Sprint(counts) != fmt.Sprint(test.want) {
				t.Errorf("got  %v\nwant %v", counts, test.want)
			}
		})
	}
}

func TestATorrentThatIsNotThereIsAnError(t *testing.T) {
	o := optionsFor(recordLog(t, fromText(t, oneDownload)))
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	o.Selection.Torrents = []events.InfoHash{hashOf(0xaa), hashOf(7)}
	_, err := Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "torrent 0700") || !strings.Contains(err.Error(), "which have aa00") {
		t.Errorf("error %v, want one that names the missing torrent and those that there are", err)
	}
}

// Whoever adds a table says what From and Sources mean for it.
func TestEveryTableHasATrait(t *testing.T) {
	set, err := projections.NewSet(projections.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range set.Tables() {
		trait, ok := traits[table.Name]
		if !ok {
			t.Errorf("the table %s is not in traits: say which columns a selection goes by", table.Name)
		}
		has := func(name string) bool {
			return slices.ContainsFunc(table.Columns, func(c projections.Column) bool { return c.Name == name })
		}
		if has("source") && !has("peer") && trait.source != "source" {
			t.Errorf("the table %s has a source that a selection does not go by", table.Name)
		}
		for _, name := range []string{trait.time, trait.source} {
			if name != "" && !has(name) {
				t.Errorf("the table %s has no column %s", table.Name, name)
			}
		}
	}
}

// Whatever is selected, all rows are as they are in the whole result, and none points to one that is not there.
func TestRandomSelections(t *testing.T) {
	for range rounds(4) {
		seed := rand.Uint64N(1 << 40)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			o := optionsFor(recordLog(t, randomRun(2000, seed)))
			all := map[string]bool{}
			for _, row := range replayRows(t, o) {
				all[row] = true
			}
			for range rounds(3) {
				o.Selection = randomSelection(random)
				o.Output = filepath.Join(t.TempDir(), "result.sqlite")
				if _, err := Run(t.Context(), o); err != nil && !strings.Contains(err.Error(), "is not in the logs") {
					t.Fatal(err)
				} else if err != nil {
					continue
				}
				if got := queryColumn(t, o.Output, "PRAGMA foreign_key_check"); len(got) != 0 {
					t.Errorf("%+v: rows of these tables point nowhere: %v", o.Selection, got)
				}
				for _, row := range rowsOf(t, o.Output) {
					if !all[row] {
						t.Fatalf("%+v: not a row of the whole result: %s", o.Selection, row)
					}
				}
			}
		})
	}
}

func randomSelection(random *rand.Rand) (s Selection) {
	if random.IntN(2) == 0 {
		s.From = syntheticStart.Add(time.Duration(random.IntN(900)) * time.Second)
	}
	for range random.IntN(3) {
		s.Torrents = append(s.Torrents, hashOf(byte(random.IntN(5))))
	}
	for range random.IntN(3) {
		s.Sources = append(s.Sources, Sources()[random.IntN(len(Sources()))])
	}
	return s
}
