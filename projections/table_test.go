package projections

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

var (
	createTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	columnLine  = regexp.MustCompile(`(?m)^ +(\w+) +(INTEGER|REAL|TEXT|BLOB)(.*)$`)
)

func TestColumnsAreThoseOfTheSchema(t *testing.T) {
	set, err := foldAll(DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tables := set.Tables()
	created := createTable.FindAllStringSubmatch(Schema, -1)
	if len(created) != len(tables)+1 { // provenance is no fold
		t.Errorf("%d tables in the schema, %d folds", len(created), len(tables))
	}
	for _, match := range created {
		if match[1] == "provenance" {
			continue
		}
		var columns []Column
		for _, line := range columnLine.FindAllStringSubmatch(match[2], -1) {
			typ := Type(slices.Index(typeNames[:], line[2]))
			columns = append(columns, Column{line[1], typ})
			if typ == Null || !strings.Contains(line[3], "--") && !strings.Contains(line[3], "KEY") && !strings.Contains(line[3], "REFERENCES") {
				t.Errorf("%s.%s has no comment", match[1], line[1])
			}
		}
		if table := tableNamed(t, tables, match[1]); !slices.Equal(table.Columns, columns) {
			t.Errorf("table %s: fold %v, schema %v", match[1], table.Columns, columns)
		}
	}
}

func TestRowsHaveTheTypesOfTheirColumns(t *testing.T) {
	options := DefaultOptions()
	options.WithAddresses = true
	set, err := foldAll(options, randomStream(1, 2000))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range set.Tables() {
		last := int64(0)
		for row := range table.Rows {
			if len(row) != len(table.Columns) || row[0].Integer <= last {
				t.Fatalf("table %s: row %v after id %d, want %d columns", table.Name, row, last, len(table.Columns))
			}
			last = row[0].Integer
			for i, v := range row {
				if v.Type != Null && v.Type != table.Columns[i].Type {
					t.Errorf("%s.%s is %v, want %v", table.Name, table.Columns[i].Name, v.Type, table.Columns[i].Type)
				}
			}
		}
	}
}

// TestCopyByChangesEqualsTheTables keeps a copy of all tables by Changed, at random positions of random streams.
func TestCopyByChangesEqualsTheTables(t *testing.T) {
	seed := propertySeed(t)
	for round := range 60 {
		records := randomStream(seed+uint64(round), 300)
		for _, policy := range Identities() {
			testCopy(t, policy, records, 1+round)
		}
	}
}

func testCopy(t *testing.T, policy Identity, records []events.Record, every int) {
	options := DefaultOptions()
	options.Identity = policy
	set, err := NewSet(options)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := set.Define(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	copies := map[string]map[int64]Row{}
	since := Position(0)
	for i := range records {
		set.Apply(&records[i])
		if i%every == 0 || i == len(records)-1 {
			for _, table := range set.Tables() {
				copyChanges(copies, table, since)
				compareCopy(t, copies[table.Name], table)
			}
			since = set.Position()
		}
	}
}

// A place that the log tells of after the peer was met changes the row of the peer.
func TestCopyLearnsOfAPlaceLate(t *testing.T) {
	records, err := eventstest.Parse(`
		0 RunStarted run=01 setting.threshold=0.75
		0 TorrentAdded torrent=1 info-hash=aa metadata-known=true metadata.piece-count=8 metadata.piece-length=1024
		1 SessionOpened session=1 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.4:6881 peer-id=-TR3000-aaaaaaaaaaaa
		2 PlaceFound address=9.2.3.4:0 place.country=DE
		3 PlaceFound address=9.2.3.4:0 place.country=FR`)
	if err != nil {
		t.Fatal(err)
	}
	testCopy(t, IdentityEndpoint, records, 1)
}

func copyChanges(copies map[string]map[int64]Row, table Table, since Position) {
	if copies[table.Name] == nil {
		copies[table.Name] = map[int64]Row{}
	}
	for c := range table.Changed(since) {
		if delete(copies[table.Name], c.ID); c.Row != nil {
			copies[table.Name][c.ID] = slices.Clone(c.Row)
		}
	}
}

func compareCopy(t *testing.T, copied map[int64]Row, table Table) {
	count := 0
	for row := range table.Rows {
		count++
		if !slices.Equal(copied[row[0].Integer], row) {
			t.Fatalf("table %s: the copy has\n%v, want\n%v", table.Name, copied[row[0].Integer], row)
		}
	}
	if count != len(copied) {
		t.Fatalf("table %s: the copy has %d rows, want %d", table.Name, len(copied), count)
	}
}

const twoRuns = `0 RunStarted run=01 setting.threshold=0.98
0 RunStarted run=02 setting.threshold=0.9
`

func TestDefineSaysWhatIsMissingOrContradicts(t *testing.T) {
	for text, want := range map[string]string{
		"0 RunStarted run=01": "--threshold",
		twoRuns:               "0.98 and run 02000000000000000000000000000000 with 0.9",
		"0 RunStarted run=01 setting.threshold=2":                        "setting threshold",
		"0 RunStarted run=01 setting.threshold=0.5 setting.timeout=long": "setting timeout",
		"0 RunStarted run=01 setting.threshold=0.5 setting.revisit=1":    "setting revisit",
	} {
		records, err := eventstest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := foldAll(DefaultOptions(), records); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot error %v, want one with %q", text, err, want)
		}
	}
}

func TestWrongOptionsAreErrors(t *testing.T) {
	for _, o := range []Options{{Identity: "name"}, {Settle: -1}, {Revisit: -1}} {
		if _, err := NewSet(o); err == nil {
			t.Errorf("no error for %+v", o)
		}
	}
	if _, err := ParseIdentity("x"); err == nil || !strings.Contains(err.Error(), "endpoint, ip, peer-id, 2015") {
		t.Errorf("error %v does not name the policies", err)
	}
}

func TestRecordsOfUndefinedRunsArePassedOver(t *testing.T) {
	set, err := NewSet(DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	set.Apply(&events.Record{Run: events.RunID{9}, Seq: 1, Event: &events.RunStopped{}})
	if set.Position() != 0 {
		t.Error("a record of a run that nobody knows has a position")
	}
}

// somewhere finds one address.
type somewhere struct{ address netip.Addr }

func (s somewhere) Find(a netip.Addr) (events.Place, bool) {
	return events.Place{Continent: "EU", Country: "DE", City: "Bonn", HasPosition: true, Latitude: 50.7, ASN: events.Some(7)}, a == s.address
}

func TestPlacesComeFromTheLogOrTheFinder(t *testing.T) {
	records, err := eventstest.Parse(`0 RunStarted run=01 setting.threshold=0.98
0 TorrentAdded torrent=1 info-hash=aa
1 PlaceFound address=1.2.3.5:0 place.country=FR
2 SessionOpened session=1 torrent=1 direction=outgoing address=1.2.3.4:5
2 SessionOpened session=2 torrent=1 direction=outgoing address=1.2.3.5:5
2 SessionOpened session=3 torrent=1 direction=outgoing address=1.2.3.6:5`)
	if err != nil {
		t.Fatal(err)
	}
	options := DefaultOptions()
	options.Places = somewhere{netip.MustParseAddr("1.2.3.4")}
	set, err := foldAll(options, records)
	if err != nil {
		t.Fatal(err)
	}
	s := sceneTable{heading: "peer continent country latitude longitude city asn as_org"}
	const want = "EU    DE    50.7  0     Bonn  7     NULL\nNULL  FR    NULL  NULL  NULL  NULL  NULL\nNULL  NULL  NULL  NULL  NULL  NULL  NULL\n"
	if got := s.render(t, set.Tables()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestPasskeysAreMasked looks for a passkey in all rows of all tables.
func TestPasskeysAreMasked(t *testing.T) {
	records, err := eventstest.Parse(`0 RunStarted run=01 setting.threshold=0.98
0 TorrentAdded torrent=1 info-hash=aa trackers=[[http://t.example/5ec2e7/announce?passkey=5ec2e7]]
1 TrackerAnnounced torrent=1 tracker=http://t.example/announce?passkey=5ec2e7 peers=[1.2.3.4:5]
2 TrackerScraped torrent=1 tracker=http://5ec2e7@t.example/announce`)
	if err != nil {
		t.Fatal(err)
	}
	set, err := foldAll(DefaultOptions(), records)
	if err != nil {
		t.Fatal(err)
	}
	masked := 0
	for _, table := range set.Tables() {
		for row := range table.Rows {
			for i, v := range row {
				if strings.Contains(v.Text, "=5ec2e7") || strings.Contains(v.Text, "5ec2e7@") {
					t.Errorf("%s of %s is %s", table.Columns[i].Name, table.Name, v.Text)
				}
				if strings.Contains(v.Text, events.Masked) {
					masked++
				}
			}
		}
	}
	if masked != 6 {
		t.Errorf("%d values are masked, want those of torrent, request, endpoint, scrape and two of failure", masked)
	}
}
