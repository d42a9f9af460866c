package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"btda/projections"
	"btda/projections/sqlite"
)

// provenanceTable is the table of facts about a result. It is compared apart: it differs wherever the program does.
const provenanceTable = "provenance"

// Most facts that are read of a result, and the longest text of one.
const (
	mostFacts   = 100_000
	longestFact = 1 << 20
)

// FactDifference is a fact of provenance that differs; a side that has no such fact, or not known, has none.
type FactDifference struct {
	Name     string
	Old, New *string
}

// querier reads a result.
type querier interface {
	Query(sql string) (*sqlite.Cursor, error)
}

// readFacts reads the table provenance, by name.
func readFacts(r querier) (map[string]*string, error) {
	facts := map[string]*string{}
	c, err := r.Query(fmt.Sprintf("SELECT name, value FROM main.provenance WHERE length(name) <= %[1]d AND (value IS NULL OR length(value) <= %[1]d) LIMIT %d", longestFact, mostFacts))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for c.Next() {
		name, value := c.Row()[0], c.Row()[1]
		if name.Type != projections.Text {
			continue
		}
		facts[strings.Clone(name.Text)] = nil
		if value.Type == projections.Text {
			text := strings.Clone(value.Text)
			facts[strings.Clone(name.Text)] = &text
		}
	}
	return facts, c.Err()
}

func compareFacts(readers pair[*sqlite.Reader]) ([]FactDifference, error) {
	before, err := readFacts(readers.old)
	if err != nil {
		return nil, err
	}
	after, err := readFacts(readers.new)
	if err != nil {
		return nil, err
	}
	var all []FactDifference
	for name, value := range before {
		if other := after[name]; !equalFacts(value, other) {
			all = append(all, FactDifference{name, value, other})
		}
		delete(after, name)
	}
	for name, value := range after {
		if value != nil {
			all = append(all, FactDifference{name, nil, value})
		}
	}
	slices.SortFunc(all, func(a, b FactDifference) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func equalFacts(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// Downloads are those of one torrent in both results.
type Downloads struct {
	InfoHash  string // 40 hexadecimal digits
	Name      string // empty where not known
	Confirmed [2]int64
	Likely    [2]int64 // whose below_evidence is assumed
	In        [2]bool  // which results have the torrent
}

const downloadsSQL = `
	SELECT info_hash_hex, max(display_name), ifnull(sum(confirmed), 0), ifnull(sum(likely), 0) FROM main.torrent LEFT JOIN (
		SELECT torrent AS of, sum(below_evidence IS NOT 'assumed') AS confirmed, sum(below_evidence IS 'assumed') AS likely
		FROM main.download GROUP BY torrent) ON of = torrent.id
	WHERE typeof(info_hash_hex) = 'text' GROUP BY info_hash_hex COLLATE BINARY ORDER BY info_hash_hex COLLATE BINARY`

// mostTorrents is how many torrents the downloads are told of.
const mostTorrents = 1 << 20

// compareDownloads counts the downloads of each torrent. It gives nothing where one of the results lacks the tables.
func compareDownloads(readers pair[*sqlite.Reader], tables pair[[]sqlite.Layout]) ([]Downloads, error) {
	if !hasDownloads(tables.old) || !hasDownloads(tables.new) {
		return nil, nil
	}
	byHash := map[string]*Downloads{}
	for i, r := range []*sqlite.Reader{readers.old, readers.new} {
		if err := countDownloads(r, func(hash string) (*Downloads, int) {
			if byHash[hash] == nil {
				byHash[hash] = &Downloads{InfoHash: hash}
			}
			return byHash[hash], i
		}); err != nil {
			return nil, err
		}
	}
	all := make([]Downloads, 0, len(byHash))
	for _, d := range byHash {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b Downloads) int { return cmp.Compare(a.InfoHash, b.InfoHash) })
	return all, nil
}

// countDownloads fills in what one result says; find gives the torrent, and the place of the result.
func countDownloads(r *sqlite.Reader, find func(hash string) (*Downloads, int)) error {
	c, err := r.Query(downloadsSQL)
	if err != nil {
		return err
	}
	defer c.Close()
	for n := 0; c.Next(); n++ {
		row := c.Row()
		if n == mostTorrents || len(row[0].Text) > longestFact || len(row[1].Text) > longestFact {
			return fmt.Errorf("more than %d torrents, or names of more than %d bytes", mostTorrents, longestFact)
		}
		d, side := find(strings.Clone(row[0].Text))
		if row[1].Type == projections.Text {
			d.Name = strings.Clone(row[1].Text)
		}
		d.In[side], d.Confirmed[side], d.Likely[side] = true, row[2].Integer, row[3].Integer
	}
	return c.Err()
}

func hasDownloads(tables []sqlite.Layout) bool {
	has := func(name string, columns ...string) bool {
		i := slices.IndexFunc(tables, func(l sqlite.Layout) bool { return l.Name == name })
		return i >= 0 && len(without(columns, tables[i].Columns)) == 0
	}
	return has("torrent", "id", "info_hash_hex", "display_name") && has("download", "torrent", "below_evidence")
}
