package swarm

import (
	"fmt"
	"net/netip"
	"time"

	"btda/events"
)

// Options of a Schedule.
type Options struct {
	Sessions        int           // contacts at one time; at least 1
	DialRate        int           // contacts begun a second; at least 1
	NetworkDialRate int           // contacts begun a second with one /24 (IPv4) or /48 (IPv6), loopback aside; 0 is no limit
	Revisit         time.Duration // delay until a peer that we left, or that failed once, is contacted again
	Brief           time.Duration // a peer that hangs up sooner than this, and again, is not reconnected at once
	Stay            time.Duration // how long a session lasts at least until it may give way to a peer that waits; 0 is for ever
	KnownPeers      int           // peers kept for one torrent; at least 1
	AllPeers        int           // peers kept for all torrents; at least KnownPeers
}

// Contact is one attempt to observe one peer.
type Contact struct {
	Number  events.ContactNumber // from 1
	Torrent events.TorrentNumber
	Address netip.AddrPort // not IPv4-mapped, no zone
}

// Ending is how a contact ended, as far as it matters for the next one.
type Ending uint8

// The endings.
const (
	Failed   Ending = iota + 1 // no session came about: back off
	Mute                       // the peer ended a session without a word about its pieces: back off as after a failure
	HungUp                     // the peer ended a session below the threshold: reconnect at once
	Reopened                   // we ended a session in order to have a fresh handshake: reconnect at once
	Left                       // we ended a session below the threshold: come back after the revisit delay
	Missed                     // a failure of our own hid the peer, of which nothing was learnt: come back after the revisit delay
	Finished                   // the peer reached the threshold, or is ourselves: never again
)

// Counts are numbers of peers.
type Counts struct {
	Known    int // peers ever offered and kept
	Waiting  int // peers to contact, now or later
	New      int // of the waiting ones: never contacted before
	Active   int // in contact
	Met      int // not contacted, because they connected to us and are in session
	Finished int // left for good
}

// Offered is what came of an offer.
type Offered struct {
	New     int // peers not known before, now waiting
	Refused int // peers not known before and not kept
	Bound   int // because of which: Options.KnownPeers or Options.AllPeers; 0 where none was refused
}

// Schedule holds the peers of all torrents. See the package for its promises.
type Schedule struct {
	options  Options
	share    int // sessions that are kept for peers that are not connected
	rate     bucket
	networks networks
	now      events.Time
	peers    arena
	urgent   fifo
	due      dueHeap
	passed   [classes]int // times in a row that a queue had a peer and another was served
	torrents map[events.TorrentNumber]*torrent
	ring     []*torrent // in the order of their first offers
	turn     int        // position in ring whose new peers are next
	fresh    int        // peers in the queues of new ones
	total    Counts
	active   map[events.ContactNumber]activeContact
	met      map[peerIndex]meeting
	leaving  int // of the active ones: chosen to give way
	last     events.ContactNumber
	crowded  bool // a peer had to wait for a session
}

type torrent struct {
	fresh      fifo
	counts     Counts
	restricted bool // see Restrict
}

type activeContact struct {
	peer    peerIndex
	began   events.Time
	leaving bool // chosen to give way
}

// New returns a Schedule without peers.
func New(o Options) *Schedule {
	return &Schedule{
		options: o, share: max(o.Sessions/ShareOfNew, 1), rate: newBucket(o.DialRate), networks: newNetworks(o.NetworkDialRate), peers: newArena(),
		torrents: make(map[events.TorrentNumber]*torrent), active: make(map[events.ContactNumber]activeContact),
		met: make(map[peerIndex]meeting),
	}
}

// Offer adds the peers that are not known yet; each is contacted once before it is visited again. Of a restricted torrent it takes none.
func (s *Schedule) Offer(number events.TorrentNumber, addresses ...netip.AddrPort) Offered {
	t := s.torrent(number)
	if t.restricted {
		return Offered{}
	}
	return s.add(number, addresses, func(i peerIndex) { s.queueFresh(t, i) })
}

func (s *Schedule) queueFresh(t *torrent, i peerIndex) {
	t.fresh.push(&s.peers, i)
	s.fresh++
	s.count(t, Counts{Known: 1, Waiting: 1, New: 1})
}

// LeaveAlone adds peers that are known to be finished, unless they are known already: they are never contacted. New of what it gives counts them.
func (s *Schedule) LeaveAlone(number events.TorrentNumber, addresses ...netip.AddrPort) Offered {
	t := s.torrent(number)
	return s.add(number, addresses, func(i peerIndex) {
		s.peers.at(i).mark(contacted)
		s.count(t, Counts{Known: 1, Finished: 1})
	})
}

// add keeps the peers that are not known yet, as far as there is room, and puts each in its place.
func (s *Schedule) add(number events.TorrentNumber, addresses []netip.AddrPort, put func(peerIndex)) Offered {
	var offered Offered
	t := s.torrent(number)
	for _, a := range addresses {
		k := keyOf(number, a)
		if _, known := s.peers.find(k); known {
			continue
		}
		if bound := s.full(t); bound > 0 {
			offered.Refused++
			offered.Bound = bound
			continue
		}
		offered.New++
		put(s.peers.add(k))
	}
	return offered
}

// full gives the bound that keeps out more peers of a torrent, or 0.
func (s *Schedule) full(t *torrent) int {
	switch {
	case t.counts.Known >= s.options.KnownPeers:
		return s.options.KnownPeers
	case s.total.Known >= s.options.AllPeers:
		return s.options.AllPeers
	}
	return 0
}

func (s *Schedule) torrent(number events.TorrentNumber) *torrent {
	t := s.torrents[number]
	if t == nil {
		t = &torrent{}
		s.torrents[number] = t
		s.ring = append(s.ring, t)
	}
	return t
}

func (s *Schedule) count(t *torrent, change Counts) {
	for _, c := range []*Counts{&t.counts, &s.total} {
		c.Known += change.Known
		c.Waiting += change.Waiting
		c.New += change.New
		c.Active += change.Active
		c.Met += change.Met
		c.Finished += change.Finished
	}
}

// Next gives the contact to make now, which lasts until Ended. It gives none when no peer is due, all sessions are
// taken, or a dial rate is reached: see Wake.
func (s *Schedule) Next(now events.Time) (Contact, bool) {
	s.advance(now)
	if len(s.active) >= s.options.Sessions {
		s.crowded = s.crowded || s.ready(1) > 0
		return Contact{}, false
	}
	if !s.rate.ready(s.now) {
		return Contact{}, false
	}
	s.park()
	class, ok := s.choose()
	if !ok {
		return Contact{}, false
	}
	return s.begin(s.take(class)), true
}

func (s *Schedule) advance(now events.Time) { s.now = max(s.now, now) }

func (s *Schedule) begin(i peerIndex) Contact {
	p := s.peers.at(i)
	s.rate.take(s.now)
	s.networks.rest(p, s.now)
	change := Counts{Waiting: -1, Active: 1}
	if !p.is(contacted) {
		p.mark(contacted)
		change.New = -1
	}
	s.count(s.torrents[p.key.torrent], change)
	s.last++
	s.active[s.last] = activeContact{peer: i, began: s.now}
	return Contact{Number: s.last, Torrent: p.key.torrent, Address: p.key.addrPort()}
}

// Wake gives the moment from which Next may give a contact, if no call of Offer or Ended comes before. There is none
// while all sessions are taken or no peer waits.
func (s *Schedule) Wake(now events.Time) (events.Time, bool) {
	s.advance(now)
	s.park()
	if len(s.active) >= s.options.Sessions || s.total.Waiting == 0 {
		return 0, false
	}
	return max(s.readyAt(), s.rate.readyAt()), true
}

// readyAt gives the moment from which a peer may be contacted, where any waits: now, or when the first is due or its network has rested.
func (s *Schedule) readyAt() events.Time {
	if s.ready(1) > 0 {
		return s.now
	}
	at, ok := s.networks.wake()
	if !s.due.empty() && (!ok || s.due.first().due < at) {
		at = s.due.first().due
	}
	return at
}

// Again counts one more connection of a contact, which is tried in another way, and gives how long it has to wait for the dial rate. The
// network of its peer rests for it afterwards. It panics when there is no such contact, which is a mistake of the owner.
func (s *Schedule) Again(number events.ContactNumber, now events.Time) time.Duration {
	s.advance(now)
	contact, ok := s.active[number]
	if !ok {
		panic(fmt.Sprintf("swarm: contact %d makes one more connection, but it was not begun or has ended before", number))
	}
	s.networks.advance(s.now)
	s.networks.restLonger(s.peers.at(contact.peer), s.now)
	at := max(s.rate.readyAt(), s.now)
	s.rate.take(s.now)
	return at.Sub(s.now)
}

// Ended takes the ending of a contact. It panics when there is no such contact, which is a mistake of the owner.
func (s *Schedule) Ended(number events.ContactNumber, ending Ending, now events.Time) {
	s.advance(now)
	contact, ok := s.active[number]
	if !ok {
		panic(fmt.Sprintf("swarm: contact %d ended, but it was not begun or has ended before", number))
	}
	delete(s.active, number)
	if contact.leaving {
		s.leaving--
	}
	t := s.torrentOf(contact.peer)
	switch {
	case ending == Finished:
		s.count(t, Counts{Active: -1, Finished: 1})
	case s.keepMet(contact.peer):
		s.count(t, Counts{Active: -1, Met: 1})
	default:
		s.count(t, Counts{Active: -1, Waiting: 1})
		s.wait(contact, ending)
	}
}

// wait puts the peer of a contact that ended into the queue in which it waits for the next one.
func (s *Schedule) wait(contact activeContact, ending Ending) {
	if delay := s.delay(contact, ending); delay > 0 {
		s.due.push(entry{due: s.now.Add(delay), peer: contact.peer})
	} else {
		s.urgent.push(&s.peers, contact.peer)
	}
}

func (s *Schedule) torrentOf(i peerIndex) *torrent { return s.torrents[s.peers.at(i).key.torrent] }

// Total counts the peers of all torrents.
func (s *Schedule) Total() Counts { return s.total }

// Torrent counts the peers of one torrent.
func (s *Schedule) Torrent(number events.TorrentNumber) Counts {
	if t := s.torrents[number]; t != nil {
		return t.counts
	}
	return Counts{}
}
