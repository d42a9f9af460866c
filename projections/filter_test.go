package projections

import (
	"bytes"
	"math"
	"net/netip"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

func TestEstimates(t *testing.T) {
	full, one := make([]byte, filterSize), make([]byte, filterSize)
	for i := range full {
		full[i] = 0xff
	}
	one[7], one[9] = 1, 4
	other := make([]byte, filterSize)
	other[7], other[200] = 1, 8
	nearlyFull := append([]byte(nil), full...)
	nearlyFull[0] = 0xfe
	for name, c := range map[string]struct {
		filters [][]byte
		want    events.Optional
	}{
		"none":                    {nil, events.Optional{}},
		"no filter":               {[][]byte{{1, 2, 3}}, events.Optional{}},
		"empty":                   {[][]byte{make([]byte, filterSize)}, events.Some(0)},
		"one address":             {[][]byte{one}, events.Some(1)},
		"one address, told twice": {[][]byte{one, one}, events.Some(1)},
		"two that share a bit":    {[][]byte{one, other}, events.Some(2)},
		"one free bit":            {[][]byte{nearlyFull}, events.Some(7806)},
		"full":                    {[][]byte{full}, events.Optional{}},
		"full, and one address":   {[][]byte{one, full}, events.Optional{}},
	} {
		t.Run(name, func(t *testing.T) {
			var f filter
			for _, bits := range c.filters {
				f.unite(bits)
			}
			if got := f.estimate(); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// The same filters give the same number on every machine, though logarithms may differ in their last bit.
func TestNoEstimateIsNearTheMiddle(t *testing.T) {
	for free := 1; free < 8*filterSize; free++ {
		if free == 8*filterSize-1 {
			continue // half of an address, which is one: rounded away from zero wherever it is exact
		}
		_, fraction := math.Modf(estimateOf(free))
		if math.Abs(fraction-0.5) < 1e-9 {
			t.Errorf("%d free bits: %v", free, estimateOf(free))
		}
	}
}

// The filters of all nodes of a lookup count together, at its end; those of another family are another lookup. Without a filter there is
// no row.
func TestScrapesOfTheDHT(t *testing.T) {
	at := func(bits ...int) []byte {
		f := make([]byte, filterSize)
		for _, b := range bits {
			f[b/8] |= 1 << (b % 8)
		}
		return f
	}
	full := bytes.Repeat([]byte{0xff}, filterSize)
	records, err := eventstest.Parse(`0 RunStarted run=01 setting.threshold=0.75 setting.timeout=6s setting.revisit=300s
0 TorrentAdded torrent=1 info-hash=aa metadata-known=true metadata.piece-count=8 metadata.piece-length=1000`)
	if err != nil {
		t.Fatal(err)
	}
	four, six := events.AddressOf(netip.MustParseAddrPort("5.5.5.5:1")), events.AddressOf(netip.MustParseAddrPort("[2001:db8::5]:1"))
	for i, e := range []events.Event{
		&events.DHTScraped{Torrent: 1, Lookup: 1, Node: four, Seeds: at(1, 2), Peers: at(3, 4)},
		&events.DHTScraped{Torrent: 1, Lookup: 1, Node: four, Seeds: at(1, 2, 8, 9)},
		&events.DHTScraped{Torrent: 1, Lookup: 1, Node: six, Seeds: at(), Peers: full},
		&events.DHTLookupEnded{Torrent: 1, Lookup: 1},
		&events.DHTLookupEnded{Torrent: 1, Lookup: 1, IPv6: true},
		&events.DHTLookupEnded{Torrent: 1, Lookup: 2},
	} {
		records = append(records, events.Record{Run: records[0].Run, Seq: events.Seq(i + 3), Time: events.Time(i+1) * 1e9, Event: e})
	}
	set, err := foldAll(DefaultOptions(), records)
	if err != nil {
		t.Fatal(err)
	}
	const want = "- 1 4 2 - 1 - dht\n- 1 5 0 - - - dht"
	if got := naiveRows(t, set.Tables(), "scrape"); got != want {
		t.Errorf("tracker, torrent, time, seeders, completed, leechers, downloaders, source:\n%s\nwant\n%s", got, want)
	}
}
