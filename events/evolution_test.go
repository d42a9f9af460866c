package events_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"btda/events"
	"btda/events/eventstest"
	"btda/projections"
)

const oldDownload = `
	0  RunStarted run=01 setting.threshold=0.98 setting.revisit=5m0s
	0  TorrentAdded torrent=3 info-hash=aa metadata-known=true metadata.piece-count=8 metadata.piece-length=1024
	1  SessionOpened session=1 contact=1 torrent=3 direction=outgoing address=9.2.3.4:6881 peer-id=-TR3000-aaaaaaaaaaaa
	2  BitfieldReceived session=1 bitfield=11111110
	9  HaveReceived session=1 piece=7
	10 SessionClosed session=1 by=us reason=complete`

// swapped has the two small numbers of a payload the other way round: that is how HaveReceived is stored in the rehearsal below.
func swapped(payload []byte) ([]byte, error) {
	if len(payload) != 3 || payload[0] != 0x92 {
		return nil, errors.New("want an array of two small numbers")
	}
	return []byte{payload[0], payload[2], payload[1]}, nil
}

// A kind gets a second payload version. Logs with the first one give the same rows through the upcaster.
func TestAnOlderVersionGivesTheSameRows(t *testing.T) {
	records, err := eventstest.Parse(oldDownload)
	if err != nil {
		t.Fatal(err)
	}
	want := foldedRows(t, records)
	events.Rehearse(t, events.KindHaveReceived, 2, map[events.Version]func([]byte) ([]byte, error){1: swapped})
	var mixed, misread []events.Record
	for _, r := range records {
		payload := encode(t, r.Event)
		version := r.Event.Kind().Version()
		if r.Event.Kind() == events.KindHaveReceived {
			version = 1
			if payload, err = swapped(payload); err != nil {
				t.Fatal(err)
			}
		}
		mixed = append(mixed, decoded(t, r, version, payload))
		misread = append(misread, decoded(t, r, r.Event.Kind().Version(), payload))
	}
	if got := foldedRows(t, mixed); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if slices.Equal(foldedRows(t, misread), want) {
		t.Error("without the upcaster the rows are the same too: the test shows nothing")
	}
}

// decoded is a record as it is read from its stored payload.
func decoded(t *testing.T, r events.Record, version events.Version, payload []byte) events.Record {
	t.Helper()
	e, err := new(events.Decoder).Decode(r.Event.Kind(), version, payload)
	if err != nil {
		t.Fatal(err)
	}
	r.Event = e
	return r
}

// foldedRows gives the rows of all tables.
func foldedRows(t *testing.T, records []events.Record) (rows []string) {
	t.Helper()
	set, err := projections.NewSet(projections.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := set.Define(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range records {
		set.Apply(&records[i])
	}
	for _, table := range set.Tables() {
		for row := range table.Rows {
			rows = append(rows, fmt.Sprint(table.Name, row))
		}
	}
	return rows
}

// Every golden record can be folded, in its place and alone: what a log of any version may hold breaks no fold.
func TestGoldenRecordsFold(t *testing.T) {
	records, err := eventstest.Parse(oldDownload)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range readGolden(t) {
		if g.kind == events.KindRunStarted {
			continue
		}
		with := slices.Insert(slices.Clone(records), 5, decoded(t, events.Record{Run: records[0].Run, Seq: 6, Time: records[5].Time, Event: g.kind.New()}, g.version, g.payload))
		if rows := foldedRows(t, with); len(rows) == 0 {
			t.Errorf("%v version %d: no rows", g.kind, g.version)
		}
	}
}
