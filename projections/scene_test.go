package projections

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/events/pieces"
)

var rewrite = flag.Bool("rewrite", false, "write the rows that the scenes give into testdata/scenes; then read the difference")

// A scene opens with prose. Then come sections, each with a heading:
//
//	-- options threshold=0.5 identity=ip
//	-- events
//	(the text form of package eventstest)
//	-- download id pieces_below pieces_above
//	(the rows of a table, with the columns that the heading names)
//
// Times of rows count from eventstest.Start.
type scene struct {
	prose   string
	options Options
	events  string
	tables  []sceneTable
}

type sceneTable struct {
	heading string // table and columns
	rows    string
}

func TestScenes(t *testing.T) {
	paths, err := filepath.Glob("testdata/scenes/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scenes: ", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { testScene(t, path) })
	}
}

func testScene(t *testing.T, path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseScene(string(content))
	if err != nil {
		t.Fatal(err)
	}
	records, err := eventstest.Parse(s.events)
	if err != nil {
		t.Fatal("events: ", err)
	}
	set, err := foldAll(s.options, records)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.tables {
		got := s.tables[i].render(t, set.Tables())
		if !*rewrite && got != s.tables[i].rows {
			t.Errorf("%s\n-- %s\ngot\n%swant\n%s", s.prose, s.tables[i].heading, got, s.tables[i].rows)
		}
		s.tables[i].rows = got
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(s.format(string(content))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func foldAll(o Options, records []events.Record) (*Set, error) {
	set, err := NewSet(o)
	if err != nil {
		return nil, err
	}
	for i := range records {
		if err := set.Define(&records[i]); err != nil {
			return nil, err
		}
	}
	for i := range records {
		set.Apply(&records[i])
	}
	return set, nil
}

func parseScene(content string) (*scene, error) {
	s := &scene{options: DefaultOptions()}
	parts := strings.Split("\n"+content, "\n-- ")
	if s.prose = strings.TrimSpace(parts[0]); s.prose == "" {
		return nil, fmt.Errorf("the scene does not open with prose")
	}
	for _, part := range parts[1:] {
		heading, body, _ := strings.Cut(part, "\n")
		name, rest, _ := strings.Cut(heading, " ")
		switch name {
		case "options":
			if err := s.readOptions(rest); err != nil {
				return nil, err
			}
		case "events":
			s.events = body
		default:
			s.tables = append(s.tables, sceneTable{heading, strings.TrimRight(body, "\n") + "\n"})
		}
	}
	return s, nil
}

func (s *scene) readOptions(text string) error {
	for _, field := range strings.Fields(text) {
		name, value, _ := strings.Cut(field, "=")
		var err error
		switch name {
		case "threshold":
			var f pieces.Fraction
			f, err = pieces.ParseFraction(value)
			s.options.Threshold = &f
		case "sweep":
			s.options.Sweep, err = parseSweep(value)
		case "identity":
			s.options.Identity, err = ParseIdentity(value)
		case "settle":
			s.options.Settle, err = time.ParseDuration(value)
		case "with-addresses":
			s.options.WithAddresses = true
		default:
			err = fmt.Errorf("option %q is not known", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func parseSweep(text string) (sweep []pieces.Fraction, err error) {
	for word := range strings.SplitSeq(text, ",") {
		f, parseErr := pieces.ParseFraction(word)
		sweep, err = append(sweep, f), errors.Join(err, parseErr)
	}
	return sweep, err
}

// format gives the scene as it was, with the rows that it has now.
func (s *scene) format(content string) string {
	head, _, _ := strings.Cut(content, "\n-- "+s.tables[0].heading+"\n")
	var b strings.Builder
	b.WriteString(head)
	for _, table := range s.tables {
		b.WriteString("\n-- " + table.heading + "\n" + table.rows)
	}
	return b.String()
}

func (s *sceneTable) render(t *testing.T, tables []Table) string {
	words := strings.Fields(s.heading)
	table := tableNamed(t, tables, words[0])
	var columns []int
	for _, name := range words[1:] {
		i := slices.IndexFunc(table.Columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("table %s has no column %q", table.Name, name)
		}
		columns = append(columns, i)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	rows := 0
	for row := range table.Rows {
		for k, i := range columns {
			if k > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, renderValue(table.Columns[i], row[i]))
		}
		fmt.Fprintln(w)
		rows++
	}
	w.Flush()
	if rows == 0 {
		return "(none)\n"
	}
	return b.String()
}

func tableNamed(t *testing.T, tables []Table, name string) Table {
	for _, table := range tables {
		if table.Name == name {
			return table
		}
	}
	t.Fatalf("no table %q", name)
	return Table{}
}

var timeColumns = []string{"first_seen", "last_seen", "timestamp", "last_below", "first_above", "first_named", "time"}

func renderValue(c Column, v Value) string {
	start := int64(eventstest.Start) / int64(time.Second)
	isTime := slices.Contains(timeColumns, c.Name)
	switch v.Type {
	case Null:
		return "NULL"
	case Integer:
		if isTime {
			v.Integer -= start
		}
		return strconv.FormatInt(v.Integer, 10)
	case Real:
		if isTime {
			v.Real -= float64(start)
		}
		return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v.Real, 'f', 6, 64), "0"), ".")
	case Blob:
		return hex.EncodeToString([]byte(v.Text))
	}
	if v.Text == "" || strings.Contains(v.Text, " ") {
		return strconv.Quote(v.Text)
	}
	return v.Text
}
