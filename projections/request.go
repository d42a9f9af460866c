package projections

import (
	"iter"
	"time"

	"btda/events"
)

var requestColumns = []Column{
	{"id", Integer}, {"timestamp", Integer}, {"source", Text}, {"received_peers", Integer}, {"duplicate_peers", Integer},
	{"seeders", Integer}, {"completed", Integer}, {"leechers", Integer}, {"duration_sec", Real}, {"torrent", Integer},
	{"tracker", Text},
}

// request is one row.
type request struct {
	time       events.Time
	duration   time.Duration
	revision   Position
	scrape     scrapeCounts
	run        runIndex
	torrent    torrentIndex
	tracker    trackerIndex // noTracker unless source is a tracker
	received   uint32
	duplicates uint32
	source     events.Source
	pending    bool // incoming: the next sample, or the end of the run, closes it
	scraped    bool
}

// scrapeCounts are the counts of one scrape.
type scrapeCounts struct{ seeders, completed, leechers events.Optional }

// requestIndex numbers requests from 0. The id of a row is one more.
type requestIndex uint32

const noRequest = ^requestIndex(0)

type lookupKey struct {
	run    runIndex
	number events.LookupNumber
	ipv6   bool
}

type announceKey struct {
	run     runIndex
	torrent torrentIndex
	tracker trackerIndex
}

// received counts what answers named.
type received struct{ peers, duplicates uint32 }

// requests folds how peers were learned of.
type requests struct {
	definitions *definitions
	trackers    *trackers
	endpoints   *endpoints
	all         list[request]
	announces   map[announceKey]requestIndex   // the last of each
	scraped     map[torrentIndex]trackerIndex  // the tracker whose scrapes count
	lookups     map[lookupKey]received         // under way
	incoming    map[runIndex][]pendingIncoming // in the order of the torrents
}

// pendingIncoming is the row that counts the incoming peers of a torrent since the last sample.
type pendingIncoming struct {
	torrent torrentIndex
	request requestIndex
}

func newRequests(d *definitions, t *trackers, e *endpoints) *requests {
	return &requests{
		definitions: d, trackers: t, endpoints: e, announces: map[announceKey]requestIndex{}, scraped: map[torrentIndex]trackerIndex{},
		lookups: map[lookupKey]received{}, incoming: map[runIndex][]pendingIncoming{},
	}
}

func (s *requests) announced(at moment, torrent torrentIndex, e *events.TrackerAnnounced) {
	tracker := s.trackers.index(e.Tracker)
	duplicates := s.endpoints.nameAll(at, naming{torrent, events.SourceTracker, tracker}, &e.Peers)
	s.announces[announceKey{at.run, torrent, tracker}] = s.add(at, request{
		duration: e.Duration, torrent: torrent, tracker: tracker, source: events.SourceTracker,
		received: uint32(e.Peers.Len()), duplicates: duplicates,
	})
}

func (s *requests) add(at moment, r request) requestIndex {
	r.time, r.run, r.revision = at.time, at.run, at.position
	return requestIndex(s.all.add(r))
}

// scrapeSucceeded gives the counts to the announce of the same run that the scrape followed, when it is of the tracker that counts.
func (s *requests) scrapeSucceeded(at moment, torrent torrentIndex, e *events.TrackerScraped) {
	tracker := s.trackers.index(e.Tracker)
	chosen, ok := s.scraped[torrent]
	if !ok {
		chosen = tracker
		s.scraped[torrent] = tracker
	}
	last, announced := s.announces[announceKey{at.run, torrent, tracker}]
	if chosen != tracker || !announced {
		return
	}
	if r := s.all.at(int(last)); !r.scraped {
		r.scraped, r.revision = true, at.position
		r.scrape = scrapeCounts{e.Seeders, e.Completed, e.Leechers}
	}
}

func (s *requests) lookedUp(at moment, torrent torrentIndex, e *events.DHTLookedUp) {
	key := lookupKey{at.run, e.Lookup, e.Node.Addr().Is6()}
	sum := s.lookups[key]
	sum.peers += uint32(e.Peers.Len())
	sum.duplicates += s.endpoints.nameAll(at, naming{torrent, events.SourceDHT, noTracker}, &e.Peers)
	s.lookups[key] = sum
}

func (s *requests) lookupEnded(at moment, torrent torrentIndex, e *events.DHTLookupEnded) {
	key := lookupKey{at.run, e.Lookup, e.IPv6}
	sum := s.lookups[key]
	delete(s.lookups, key)
	s.add(at, request{
		duration: e.Duration, torrent: torrent, tracker: noTracker, source: events.SourceDHT,
		received: sum.peers, duplicates: sum.duplicates,
	})
}

// torrentAdded begins to count the incoming peers of a torrent, when the run listens.
func (s *requests) torrentAdded(at moment, torrent torrentIndex) {
	if s.definitions.runs[at.run].listening {
		s.count(at, torrent)
	}
}

// count gives the pending row of a torrent, and begins one where there is none.
func (s *requests) count(at moment, torrent torrentIndex) requestIndex {
	for _, p := range s.incoming[at.run] {
		if p.torrent == torrent {
			return p.request
		}
	}
	p := pendingIncoming{torrent, s.begin(at, torrent)}
	s.incoming[at.run] = append(s.incoming[at.run], p)
	return p.request
}

func (s *requests) begin(at moment, torrent torrentIndex) requestIndex {
	return s.add(at, request{torrent: torrent, tracker: noTracker, source: events.SourceIncoming, pending: true})
}

// incomingOpened counts an incoming peer. The row is returned: whether its address was named before may show later.
func (s *requests) incomingOpened(at moment, torrent torrentIndex) requestIndex {
	row := s.count(at, torrent)
	r := s.all.at(int(row))
	r.received++
	r.revision = at.position
	return row
}

func (s *requests) incomingKnown(at moment, row requestIndex) {
	r := s.all.at(int(row))
	r.duplicates++
	r.revision = at.position
}

// sampled closes the pending rows of the run and begins new ones.
func (s *requests) sampled(at moment) {
	pending := s.incoming[at.run]
	for i := range pending {
		r := s.all.at(int(pending[i].request))
		r.pending, r.time, r.revision = false, at.time, at.position
		pending[i].request = s.begin(at, pending[i].torrent)
	}
}

func (s *requests) table(t *torrents) Table {
	return newTable("request", requestColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			space := make(Row, len(requestColumns))
			for i := range s.all.len() {
				r := s.all.at(i)
				if r.revision <= since && !r.pending {
					continue
				}
				if id := int64(i) + 1; !yield(Change{id, s.row(id, r, t, space[:0])}) {
					return
				}
			}
		}
	})
}

func (s *requests) row(id int64, r *request, t *torrents, to Row) Row {
	at := r.time
	if r.pending {
		at = s.definitions.runs[r.run].latest
	}
	return append(to,
		integer(id), seconds(at), text(r.source.String()), integer(r.received), integer(r.duplicates),
		optional(r.scrape.seeders), optional(r.scrape.completed), optional(r.scrape.leechers),
		known(duration(r.duration), r.source != events.SourceIncoming), t.id(r.torrent), s.trackers.name(r.tracker),
	)
}
