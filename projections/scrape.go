package projections

import (
	"iter"

	"btda/events"
)

var scrapeColumns = []Column{
	{"id", Integer}, {"tracker", Text}, {"torrent", Integer}, {"time", Integer}, {"seeders", Integer}, {"completed", Integer},
	{"leechers", Integer}, {"downloaders", Integer},
}

// scrape is one row.
type scrape struct {
	time        events.Time
	revision    Position
	counts      scrapeCounts
	downloaders events.Optional
	torrent     torrentIndex
	tracker     trackerIndex
}

// scrapes keeps every count of every tracker.
type scrapes struct {
	trackers *trackers
	all      list[scrape]
}

func (s *scrapes) scraped(at moment, torrent torrentIndex, e *events.TrackerScraped) {
	s.all.add(scrape{
		time: at.time, revision: at.position, counts: scrapeCounts{e.Seeders, e.Completed, e.Leechers}, downloaders: e.Downloaders,
		torrent: torrent, tracker: s.trackers.index(e.Tracker),
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
		optional(r.counts.seeders), optional(r.counts.completed), optional(r.counts.leechers), optional(r.downloaders),
	)
}
