package projections

import (
	"net/netip"

	"btda/events"
)

// Set is all projections together. It is not safe for concurrent use.
type Set struct {
	definitions *definitions
	position    Position
	lastRun     runIndex // most records are of the same run as the one before
	torrents    torrents
	sessions    *sessions
	discovery   *discovery
	statistics  statistics
	places      places
}

var _ Projection = (*Set)(nil)

// NewSet makes a set that has seen nothing. The error says which option is wrong.
func NewSet(o Options) (*Set, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	d := newDefinitions(o)
	return &Set{
		definitions: d, torrents: torrents{definitions: d}, sessions: newSessions(d), discovery: newDiscovery(d),
		statistics: statistics{definitions: d, visitors: map[visitorKey]struct{}{}},
		places:     places{finder: o.Places, stored: map[netip.Addr]storedPlace{}},
	}, nil
}

// Define takes in what gives other records their meaning: RunStarted, TorrentAdded and MetadataReceived of all runs, each
// run in its own order. It comes before the first Apply; other records are passed over. The error says what is missing or
// contradicts.
func (s *Set) Define(r *events.Record) error { return s.definitions.define(r) }

// Position is that of the last record that was applied; 0 before the first.
func (s *Set) Position() Position { return s.position }

// Apply folds one record, in the order of the (merged) log. Records of a run that was not defined are passed over.
func (s *Set) Apply(r *events.Record) {
	run, ok := s.run(r.Run)
	if !ok {
		return
	}
	s.position++
	definition := &s.definitions.runs[run]
	definition.latest = max(definition.latest, r.Time)
	at := moment{run: run, seq: r.Seq, position: s.position, time: r.Time}
	switch e := r.Event.(type) {
	case *events.HaveReceived:
		s.sessions.have(at, e)
	case *events.ConnectionFailed:
		s.sessions.contact(at, e)
		s.discovery.failed(at, e)
	case *events.TrackerAnnounced:
		s.discovery.announced(at, e)
	default:
		s.applySession(at, r.Event)
		s.applyOther(at, r.Event)
	}
}

func (s *Set) run(id events.RunID) (runIndex, bool) {
	if runs := s.definitions.runs; int(s.lastRun) < len(runs) && runs[s.lastRun].id == id {
		return s.lastRun, true
	}
	run, ok := s.definitions.runByID[id]
	if ok {
		s.lastRun = run
	}
	return run, ok
}

// applySession folds the events of a session.
func (s *Set) applySession(at moment, event events.Event) {
	switch e := event.(type) {
	case *events.SessionOpened:
		s.open(at, e)
	case *events.BitfieldReceived:
		s.sessions.bitfield(at, e)
	case *events.BitfieldChanged:
		s.sessions.bitfieldChanged(at, e)
	case *events.HaveAllReceived:
		s.sessions.haveAll(at, e)
	case *events.HaveNoneReceived:
		s.sessions.haveNone(at, e)
	case *events.DontHaveReceived:
		s.sessions.dontHave(at, e)
	case *events.ExtensionHandshakeReceived:
		s.sessions.extensionHandshake(at, e)
		s.discovery.extensionHandshake(at, e)
	case *events.PeersExchanged:
		s.sessions.hear(at, e.Session)
		s.discovery.exchanged(at, e)
	case *events.PortReceived:
		s.sessions.hear(at, e.Session)
	case *events.MessageReceived:
		s.sessions.hear(at, e.Session)
	case *events.MessagesSuppressed:
		s.sessions.suppressed(at, e)
	case *events.SessionClosed:
		s.sessions.close(at, e)
		s.discovery.closed(at, e)
	}
}

// applyOther folds the events that belong to no session.
func (s *Set) applyOther(at moment, event events.Event) {
	switch e := event.(type) {
	case *events.TorrentAdded:
		s.add(at, e)
	case *events.MetadataReceived:
		s.discovery.failures.metadataReceived(at, e)
	case *events.MetadataFailed:
		s.discovery.failures.metadataFailed(at, e)
	case *events.TrackerAnnounceFailed:
		s.discovery.failures.announceFailed(at, e)
	case *events.TrackerScraped:
		s.discovery.scraped(at, e)
	case *events.TrackerScrapeFailed:
		s.discovery.failures.scrapeFailed(at, e)
	case *events.TrackerAnswersIgnored:
		s.discovery.failures.ignored(at, e)
	case *events.AcceptFailed:
		s.discovery.failures.acceptFailed(at, e)
	case *events.ConnectionsSuppressed:
		s.discovery.failures.suppressed(at, e)
	case *events.DHTLookedUp:
		s.discovery.lookedUp(at, e)
	case *events.DHTScraped:
		s.discovery.scrapes.scrapedNode(at, e)
	case *events.DHTLookupEnded:
		s.discovery.lookupEnded(at, e)
	case *events.DHTPeerAnnounced:
		s.discovery.announcedToUs(at, e)
	case *events.LocalPeerAnnounced:
		s.discovery.local(at, e)
	case *events.PeersNamed:
		s.discovery.named(at, e)
	case *events.AddressRejected:
		s.discovery.rejected(at, e)
	case *events.PlaceFound:
		s.places.found(at, e)
	case *events.StatisticSampled:
		s.statistics.sampled(at, e)
		s.discovery.requests.sampled(at)
	}
}

func (s *Set) add(at moment, e *events.TorrentAdded) {
	if torrent, ok := s.definitions.torrent(at.run, e.Torrent); ok {
		s.torrents.add(at, torrent)
		s.discovery.requests.torrentAdded(at, torrent)
	}
}

func (s *Set) open(at moment, e *events.SessionOpened) {
	if !e.Address.IsValid() {
		return
	}
	s.sessions.begin(at, e)
	s.discovery.opened(at, e)
	if torrent, ok := s.definitions.torrent(at.run, e.Torrent); ok && !s.definitions.own(e) {
		s.statistics.opened(torrent, e)
	}
}

// Tables gives the tables as of the last record, in the order of the schema; provenance is not among them. They are valid
// until the next record is applied.
func (s *Set) Tables() []Table {
	p := &peers{
		view: s.sessions.view(s.position), torrents: &s.torrents, endpoints: s.discovery.endpoints, places: &s.places,
		options: s.definitions.options,
	}
	return []Table{
		s.torrents.table(), p.table(), s.discovery.requests.table(&s.torrents), s.statistics.table(), p.downloadTable(),
		s.discovery.endpoints.table(p), s.discovery.scrapes.table(&s.torrents),
		s.discovery.failures.table(&s.torrents), p.timingTable(), s.sessions.waits.table(&s.torrents), p.sweepTable(),
		p.sourceTable(),
	}
}
