package replay

import (
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	"btda/events"
	"btda/projections"
)

// Selection says which rows are written. The rows are the same as without it: what they say comes from all records, and their ids have
// gaps where others were left out. The zero Selection takes all.
//
// A row that names a peer is written only with the row of that peer. Counts for a whole torrent (failure, message_wait,
// threshold_sweep) are of the whole log, whatever From and Sources say; the state of the recorder is of no torrent and no source.
type Selection struct {
	// From leaves out what was over before, in whole seconds; 0 is no bound. It goes by the last time that a peer was seen, by the end
	// of the interval of a download, and by the one time that other rows have.
	From events.Time
	// Torrents leaves out all others; empty is all. A torrent that no log observes is an error.
	Torrents []events.InfoHash
	// Sources leaves out the peers, downloads, endpoints, requests and scrapes of all others; empty is all.
	Sources []events.Source
}

// Sources lists the sources that a Selection may name.
func Sources() []events.Source {
	return []events.Source{events.SourceTracker, events.SourceIncoming, events.SourceDHT, events.SourceMagnet, events.SourcePeerExchange,
		events.SourceLocal, events.SourceCommandLine, events.SourceEarlierRun}
}

// ParseSource finds a source by its name.
func ParseSource(name string) (events.Source, error) {
	var names []string
	for _, s := range Sources() {
		if s.String() == name {
			return s, nil
		}
		names = append(names, s.String())
	}
	return 0, fmt.Errorf("%q: want one of %s", name, strings.Join(names, ", "))
}

// ParseInfoHash reads 40 hexadecimal digits.
func ParseInfoHash(text string) (hash events.InfoHash, err error) {
	if len(text) != 2*len(hash) {
		return hash, fmt.Errorf("%q: want an info hash, 40 hexadecimal digits", text)
	}
	if _, err := hex.Decode(hash[:], []byte(text)); err != nil {
		return hash, fmt.Errorf("%q: want an info hash, 40 hexadecimal digits: %w", text, err)
	}
	return hash, nil
}

func (s *Selection) set() bool { return s.From != 0 || len(s.Torrents) > 0 || len(s.Sources) > 0 }

// trait says how a selection sees the rows of a table.
type trait struct {
	time   string // column that From goes by; empty where all rows are of the whole log
	source string // column that Sources goes by; empty where rows have none
}

// traits has every table but provenance, which is always written.
var traits = map[string]trait{
	"torrent":         {},
	"peer":            {time: "last_seen", source: "source"},
	"request":         {time: "timestamp", source: "source"},
	"statistic":       {time: "timestamp"},
	"download":        {time: "first_above", source: "source"},
	"endpoint":        {time: "first_named", source: "first_source"},
	"scrape":          {time: "time", source: "source"},
	"failure":         {},
	"timing":          {time: "timestamp"},
	"message_wait":    {},
	"threshold_sweep": {},
	"peer_source":     {},
}

// filter leaves out what is not selected. Tables must come in the order of the schema: torrents and peers before what names them.
type filter struct {
	from     int64 // second
	sources  []string
	hashes   []string
	torrents map[int64]bool
	peers    map[int64]bool
}

func newFilter(s *Selection) *filter {
	f := &filter{torrents: map[int64]bool{}, peers: map[int64]bool{}}
	if s.From != 0 {
		f.from = s.From.UTC().Unix()
	}
	for _, hash := range s.Torrents {
		f.hashes = append(f.hashes, hash.String())
	}
	for _, source := range s.Sources {
		f.sources = append(f.sources, source.String())
	}
	return f
}

// table gives the rows of a table that are selected. Of what changed, a row that is not selected is one that is not there.
func (f *filter) table(t projections.Table) projections.Table {
	s := f.sieve(&t)
	rows, changed := t.Rows, t.Changed
	t.Rows = func(yield func(projections.Row) bool) {
		for row := range rows {
			if s.takes(row) && !yield(row) {
				return
			}
		}
	}
	t.Changed = func(since projections.Position) iter.Seq[projections.Change] {
		return func(yield func(projections.Change) bool) {
			for change := range changed(since) {
				if change.Row == nil || !s.takes(change.Row) {
					change.Row = nil
					s.forget(change.ID)
				}
				if !yield(change) {
					return
				}
			}
		}
	}
	return t
}

// sieve is a filter for the rows of one table, by the places of its columns; -1 where it has none.
type sieve struct {
	*filter
	trait
	name      string
	torrentAt int
	peerAt    int
	timeAt    int
	sourceAt  int
}

func (f *filter) sieve(t *projections.Table) *sieve {
	at := func(name string) int {
		return slices.IndexFunc(t.Columns, func(c projections.Column) bool { return name != "" && c.Name == name })
	}
	trait := traits[t.Name]
	s := &sieve{filter: f, trait: trait, name: t.Name, torrentAt: at("torrent"), peerAt: at("peer"), timeAt: at(trait.time), sourceAt: at(trait.source)}
	if t.Name == "torrent" {
		s.torrentAt = at("info_hash_hex")
	}
	return s
}

// takes reports whether a row is selected, and remembers the torrents and peers that are.
func (s *sieve) takes(row projections.Row) bool {
	taken := s.takesTorrent(row) && s.takesPeer(row) && s.takesTime(row)
	switch {
	case taken && s.name == "torrent":
		s.torrents[row[0].Integer] = true
	case taken && s.name == "peer":
		s.peers[row[0].Integer] = true
	}
	return taken
}

// forget takes back that a row was selected.
func (s *sieve) forget(id int64) {
	if s.name == "peer" {
		delete(s.peers, id)
	}
}

func (s *sieve) takesTorrent(row projections.Row) bool {
	switch {
	case len(s.hashes) == 0 || s.torrentAt < 0:
		return true
	case s.name == "torrent":
		return slices.Contains(s.hashes, row[s.torrentAt].Text)
	}
	return s.torrents[row[s.torrentAt].Integer] // no torrent has id 0, which NULL gives
}

// takesPeer lets a row follow its peer where it has one, and else judges its source.
func (s *sieve) takesPeer(row projections.Row) bool {
	if s.peerAt >= 0 && row[s.peerAt].Type != projections.Null {
		return s.peers[row[s.peerAt].Integer]
	}
	if len(s.sources) == 0 {
		return true
	}
	return s.sourceAt < 0 || slices.Contains(s.sources, row[s.sourceAt].Text)
}

func (s *sieve) takesTime(row projections.Row) bool {
	ofPeer := s.name == "endpoint" && row[s.peerAt].Type != projections.Null // which was seen in time
	if s.from == 0 || s.timeAt < 0 || ofPeer {
		return true
	}
	if v := row[s.timeAt]; v.Type == projections.Real {
		return v.Real >= float64(s.from)
	}
	return row[s.timeAt].Integer >= s.from // also false for NULL
}

// facts are rows of provenance, NULL for what was not selected.
func (s *Selection) facts() []fact {
	var torrents, sources []string
	for _, hash := range s.Torrents {
		torrents = append(torrents, hash.String())
	}
	for _, source := range s.Sources {
		sources = append(sources, source.String())
	}
	from := unknown("option.from")
	if s.From != 0 {
		from = known("option.from", s.From.String())
	}
	return []fact{from, listed("option.torrent", torrents), listed("option.source", sources)}
}

// check holds the torrents that are selected against those that were recorded.
func (s *Selection) check(recorded map[events.InfoHash]bool) error {
	for _, hash := range s.Torrents {
		if !recorded[hash] {
			var all []string
			for known := range recorded {
				all = append(all, known.String())
			}
			slices.Sort(all)
			return fmt.Errorf("torrent %v is not in the logs, which have %s", hash, shortList(all))
		}
	}
	return nil
}

// shortList names the first of many.
func shortList(all []string) string {
	const most = 20
	if len(all) == 0 {
		return "none"
	}
	if len(all) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
	}
	return strings.Join(all, ", ")
}
