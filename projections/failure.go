package projections

import (
	"iter"
	"math"

	"btda/events"
)

var failureColumns = []Column{
	{"id", Integer}, {"torrent", Integer}, {"activity", Text}, {"tracker", Text}, {"direction", Text}, {"phase", Text},
	{"reason", Text}, {"contact", Text}, {"transport", Text}, {"count", Integer}, {"encryption", Text},
}

// activity is what failed or succeeded.
type activity uint8

const (
	activityConnection activity = iota
	activityAnnounce
	activityScrape
	activityAnswer // a datagram that came while a UDP tracker was asked
	activityLookup // in the DHT
	activityMetadata
)

var activityNames = [...]string{"connection", "announce", "scrape", "answer", "lookup", "metadata"}

// contactOrder tells the first contact with an endpoint, or with a tracker for a torrent, from later ones.
type contactOrder uint8

const (
	contactUnknown contactOrder = iota // of incoming connections and of answers
	contactFirst
	contactLater
)

var contactNames = [...]string{"", "first", "later"}

func orderOf(first bool) contactOrder {
	if first {
		return contactFirst
	}
	return contactLater
}

// attempt is what tries have in common that share a row. Phase and reason are 0 for those that succeeded.
type attempt struct {
	torrent    torrentIndex // noTorrent where not known
	tracker    trackerIndex // noTracker for connections
	activity   activity
	direction  events.Direction // 0 for trackers
	phase      events.Phase
	reason     events.Reason
	contact    contactOrder
	transport  events.Transport  // 0 for trackers
	encryption events.Encryption // likewise, and where it is not known
}

type attemptCount struct {
	attempt
	count    uint64
	revision Position
}

// asking is one thing asked of a tracker.
type asking struct {
	activity activity
	torrent  torrentIndex
	tracker  trackerIndex
}

// failures counts what was tried, and what came of it.
type failures struct {
	definitions *definitions
	trackers    *trackers
	all         []attemptCount
	byAttempt   map[attempt]uint32
	asked       map[asking]struct{}
	contacts    firstContacts
}

func newFailures(d *definitions, t *trackers) *failures {
	return &failures{
		definitions: d, trackers: t, byAttempt: map[attempt]uint32{}, asked: map[asking]struct{}{},
		contacts: firstContacts{byRun: map[runIndex][]events.ContactNumber{}},
	}
}

func (s *failures) count(at moment, a attempt) { s.countTimes(at, a, 1) }

// countTimes counts something that happened so often. A row says nothing of passkeys, so trackers that differ in them alone share it.
func (s *failures) countTimes(at moment, a attempt, times uint64) {
	a.tracker = s.trackers.shown(a.tracker)
	i, ok := s.byAttempt[a]
	if !ok {
		i = uint32(len(s.all))
		s.byAttempt[a] = i
		s.all = append(s.all, attemptCount{attempt: a})
	}
	s.all[i].count += min(times, math.MaxUint64-s.all[i].count)
	s.all[i].revision = at.position
}

// torrent gives noTorrent for a number that says nothing.
func (s *failures) torrent(at moment, number events.TorrentNumber) torrentIndex {
	if torrent, ok := s.definitions.torrent(at.run, number); ok {
		return torrent
	}
	return noTorrent
}

// failed takes in a connection that became no session. For an outgoing one it is told how many tries there were before.
func (s *failures) failed(at moment, e *events.ConnectionFailed, before tries) {
	s.count(at, attempt{
		torrent: s.torrent(at, e.Torrent), tracker: noTracker, direction: e.Direction, phase: e.Phase, reason: e.Reason,
		contact: s.contacts.order(at.run, e.Contact, before), transport: e.Transport, encryption: e.Encryption,
	})
}

// suppressed takes in connections that failed and were only counted. It is not told which of them were first contacts.
func (s *failures) suppressed(at moment, e *events.ConnectionsSuppressed) {
	s.countTimes(at, attempt{
		torrent: s.torrent(at, e.Torrent), tracker: noTracker, direction: e.Direction, phase: e.Phase, reason: e.Reason, transport: e.Transport,
		encryption: e.Encryption,
	}, e.Count)
}

// opened is failed for a connection that became a session.
func (s *failures) opened(at moment, e *events.SessionOpened, before tries) {
	s.count(at, attempt{
		torrent: s.torrent(at, e.Torrent), tracker: noTracker, direction: e.Direction,
		contact: s.contacts.order(at.run, e.Contact, before), transport: e.Transport, encryption: e.Encryption,
	})
}

func (s *failures) acceptFailed(at moment, e *events.AcceptFailed) {
	s.count(at, attempt{
		torrent: noTorrent, tracker: noTracker, direction: events.Incoming, phase: events.PhaseAccept, reason: e.Reason, transport: e.Transport,
	})
}

func (s *failures) announced(at moment, e *events.TrackerAnnounced) {
	s.ask(at, attempt{torrent: s.torrent(at, e.Torrent), tracker: s.trackers.index(e.Tracker), activity: activityAnnounce})
}

func (s *failures) announceFailed(at moment, e *events.TrackerAnnounceFailed) {
	s.ask(at, attempt{
		torrent: s.torrent(at, e.Torrent), tracker: s.trackers.index(e.Tracker), activity: activityAnnounce, phase: e.Phase, reason: e.Reason,
	})
}

func (s *failures) scraped(at moment, e *events.TrackerScraped) {
	s.ask(at, attempt{torrent: s.torrent(at, e.Torrent), tracker: s.trackers.index(e.Tracker), activity: activityScrape})
}

func (s *failures) scrapeFailed(at moment, e *events.TrackerScrapeFailed) {
	s.ask(at, attempt{
		torrent: s.torrent(at, e.Torrent), tracker: s.trackers.index(e.Tracker), activity: activityScrape, phase: e.Phase, reason: e.Reason,
	})
}

// ignored takes in the datagrams of one kind that came while a UDP tracker was asked and were not used. They are no outcome of a question:
// that has a fact of its own.
func (s *failures) ignored(at moment, e *events.TrackerAnswersIgnored) {
	s.countTimes(at, attempt{
		torrent: s.torrent(at, e.Torrent), tracker: s.trackers.index(e.Tracker), activity: activityAnswer, phase: events.PhaseAnswer, reason: e.Reason,
	}, e.Count)
}

// lookupEnded counts a lookup in the DHT, of one address family. Its nodes are no contacts of ours.
func (s *failures) lookupEnded(at moment, e *events.DHTLookupEnded) {
	s.ask(at, attempt{torrent: s.torrent(at, e.Torrent), tracker: noTracker, activity: activityLookup, reason: e.Reason})
}

// metadataReceived counts the metadata of a magnet link that was put together, or kept from an earlier run (BEP 9).
func (s *failures) metadataReceived(at moment, e *events.MetadataReceived) {
	s.count(at, attempt{torrent: s.torrent(at, e.Torrent), tracker: noTracker, activity: activityMetadata})
}

// metadataFailed counts a peer, or a file of an earlier run, that gave no metadata, or bad metadata. The contact with the peer is counted
// as a connection.
func (s *failures) metadataFailed(at moment, e *events.MetadataFailed) {
	s.count(at, attempt{torrent: s.torrent(at, e.Torrent), tracker: noTracker, activity: activityMetadata, reason: e.Reason})
}

// ask counts what came of asking a tracker.
func (s *failures) ask(at moment, a attempt) {
	key := asking{a.activity, a.torrent, a.tracker}
	_, before := s.asked[key]
	s.asked[key] = struct{}{}
	a.contact = orderOf(!before)
	s.count(at, a)
}

func (s *failures) table(t *torrents) Table {
	return newTable("failure", failureColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			for i := range s.all {
				if s.all[i].revision > since && !yield(Change{int64(i) + 1, s.row(i, t)}) {
					return
				}
			}
		}
	})
}

func (s *failures) row(i int, t *torrents) Row {
	a := &s.all[i]
	return Row{
		integer(i + 1), t.id(a.torrent), text(activityNames[a.activity]), s.trackers.name(a.tracker),
		known(text(a.direction.String()), a.direction != 0), known(text(a.phase.String()), a.phase != 0),
		known(text(a.reason.String()), a.reason != 0), textOrNull(contactNames[a.contact]),
		known(text(a.transport.String()), a.transport != 0), count(a.count),
		known(text(a.encryption.String()), a.encryption != 0),
	}
}

// tries is how many connections to an endpoint were tried before; noTries where there is no endpoint.
type tries int64

const noTries tries = -1

// contactWindow is how many contacts are remembered: many times those that a recorder can have begun while the tries of one went on.
const contactWindow = 1 << 16

// firstContacts remembers which of the latest contacts of each run were the first with their endpoint: all tries of such a contact
// are of the first contact, whether by TCP or uTP, encrypted or not.
type firstContacts struct {
	byRun map[runIndex][]events.ContactNumber // by the number, modulo contactWindow; 0 for later contacts
}

func (c *firstContacts) order(run runIndex, number events.ContactNumber, before tries) contactOrder {
	if before == noTries {
		return contactUnknown
	}
	first := c.byRun[run]
	if first == nil {
		first = make([]events.ContactNumber, contactWindow)
		c.byRun[run] = first
	}
	slot := &first[number%contactWindow]
	if before == 0 {
		*slot = number
		return contactFirst
	}
	return orderOf(number != 0 && *slot == number)
}
