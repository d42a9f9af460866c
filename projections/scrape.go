package projections

import (
	"iter"

	"btda/events"
)

var scrapeColumns = []Column{
	{"id", Integer}, {"tracker", Text}, {"torrent", Integer}, {"time", Integer}, {"seeders", Integer}, {"completed", Integer},
	{"leechers", Integer}, {"downloaders", Integer}, {"source", Text},
}

// scrape is one row.
type scrape struct {
	time        events.Time
	revision    Position
	counts      scrapeCounts
	downloaders events.Optional
	torrent     torrentIndex
	tracker     trackerIndex // noTracker unless source is a tracker
	source      events.Source
}

// scrapes keeps every count of every tracker, and of every lookup in the DHT.
type scrapes struct {
	trackers *trackers
	all      list[scrape]
	lookups  map[lookupKey]*filters // under way
}

// filters are those of a torrent that nodes of the DHT gave in one lookup (BEP 33), united.
type filters struct{ seeds, peers filter }

func newScrapes(t *trackers) *scrapes {
	return &scrapes{trackers: t, lookups: map[lookupKey]*filters{}}
}

func (s *scrapes) scraped(at moment, torrent torrentIndex, e *events.TrackerScraped) {
	s.all.add(scrape{
		time: at.time, revision: at.position, counts: scrapeCounts{e.Seeders, e.Completed, e.Leechers}, downloaders: e.Downloaders,
		torrent: torrent, tracker: s.trackers.index(e.Tracker), source: events.SourceTracker,
	})
}

// scrapedNode unites what one node of the DHT says with what others said in the same lookup.
func (s *scrapes) scrapedNode(at moment, e *events.DHTScraped) {
	key := lookupKey{at.run, e.Lookup, e.Node.Addr().Is6()}
	f := s.lookups[key]
	if f == nil {
		f = new(filters)
		s.lookups[key] = f
	}
	f.seeds.unite(e.Seeds)
	f.peers.unite(e.Peers)
}

// lookupEnded makes the row of a lookup in which a node gave a filter.
func (s *scrapes) lookupEnded(at moment, torrent torrentIndex, e *events.DHTLookupEnded) {
	key := lookupKey{at.run, e.Lookup, e.IPv6}
	f := s.lookups[key]
	delete(s.lookups, key)
	if f == nil {
		return
	}
	s.all.add(scrape{
		time: at.time, revision: at.position, counts: scrapeCounts{seeders: f.seeds.estimate(), leechers: f.peers.estimate()},
		torrent: torrent, tracker: noTracker, source: events.SourceDHT,
	})
}

func (s *scrapes) table(t *torrents) Table {
	return newTable("scrape", scrapeColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			space := make(Row, len(scrapeColumns))
			for i := range s.all.len() {
				r, id := s.all.at(i), int64(i)+1
				if r.revision > since && !yield(Change{id, s.row(id, r, t, space[:0])}) {
					return
				}
			}
		}
	})
}

func (s *scrapes) row(id int64, r *scrape, t *torrents, to Row) Row {
	return append(to,
		integer(id), s.trackers.name(r.tracker), t.id(r.torrent), seconds(r.time),
		optional(r.counts.seeders), optional(r.counts.completed), optional(r.counts.leechers), optional(r.downloaders), text(r.source.String()),
	)
}
