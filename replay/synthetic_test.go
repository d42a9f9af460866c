package replay

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"time"

	"btda/events"
)

// The mix of the 34 hours of 2015, as shares of forty million events: 15.7 million received addresses, 50 in an answer; 14 million
// failures, half of them incoming with an unknown info hash; 3.4 million sessions with a bitfield of 500 bytes; the rest haves. They
// are about 1.8 million endpoints, 260,000 of them peers, of 19 torrents.
const (
	mixEvents    = 40_000_000
	mixAnswers   = 15_700_000 / mixAddresses
	mixAddresses = 50
	mixFailures  = 14_000_000
	mixSessions  = 3_400_000
	mixSamples   = 34 * 12
	mixEndpoints = 1_800_000
	mixPeers     = 260_000
	mixDuration  = 34 * time.Hour

	syntheticTorrents = 19
	syntheticPieces   = 4000
	openSessions      = 1000 // at one time
)

var syntheticStart = events.TimeOf(time.Date(2015, 7, 1, 0, 0, 0, 0, time.UTC))

// synthetic is a made-up recording: the same for the same size and seed.
type synthetic struct {
	size      int
	endpoints int
	peers     int
	random    *rand.Rand
	have      []uint16 // pieces of each peer
	open      []openSession
	sessions  events.SessionNumber
	contacts  events.ContactNumber
	written   int
	yield     func(events.Time, events.Event) bool

	opened   events.SessionOpened
	bitfield events.BitfieldReceived
	got      events.HaveReceived
	closed   events.SessionClosed
	failed   events.ConnectionFailed
	answer   events.TrackerAnnounced
	scraped  events.TrackerScraped
}

type openSession struct {
	number events.SessionNumber
	peer   int
}

// syntheticRun gives the events of a made-up run of about size events.
func syntheticRun(size int, seed uint64) iter.Seq2[events.Time, events.Event] {
	return func(yield func(events.Time, events.Event) bool) {
		s := &synthetic{
			size: size, endpoints: share(mixEndpoints, size), peers: share(mixPeers, size),
			random: rand.New(rand.NewPCG(seed, 2015)), yield: yield,
		}
		s.have = make([]uint16, s.peers)
		for i := range s.have {
			s.have[i] = uint16(s.random.IntN(syntheticPieces))
		}
		s.bitfield.Bitfield = make([]byte, syntheticPieces/8)
		s.run(seed)
	}
}

// share scales a count of the 2015 run to a run of size events; never 0.
func share(count, size int) int { return int(int64(count)*int64(size)/mixEvents) + 1 }

func (s *synthetic) run(seed uint64) {
	if !s.begin(seed) {
		return
	}
	sampleEvery := s.size/mixSamples + 1
	for s.written < s.size {
		if s.written%sampleEvery == 0 && !s.sample() || !s.step() {
			return
		}
	}
	for len(s.open) > 0 {
		if !s.close(0) {
			return
		}
	}
	s.write(&events.RunStopped{Reason: events.ReasonInterrupted})
}

// step writes one thing that happened, drawn by the shares of the mix. A session comes as several events, the last of
// them when it is closed.
func (s *synthetic) step() bool {
	const haves = mixEvents - mixAnswers - mixFailures - 3*mixSessions
	switch n := s.random.IntN(mixEvents - 2*mixSessions); {
	case n < mixAnswers:
		return s.announce()
	case n < mixAnswers+mixFailures:
		return s.fail()
	case n < mixAnswers+mixFailures+haves && len(s.open) > 0:
		return s.gain(s.random.IntN(len(s.open)))
	}
	if len(s.open) >= openSessions && !s.close(s.random.IntN(len(s.open))) {
		return false
	}
	return s.visit()
}

func (s *synthetic) write(e events.Event) bool {
	at := syntheticStart.Add(time.Duration(float64(mixDuration) * float64(s.written) / float64(s.size)))
	s.written++
	return s.yield(at, e)
}

func (s *synthetic) begin(seed uint64) bool {
	started := &events.RunStarted{Program: "btda synthetic", Host: "synthetic", PeerID: events.PeerID([]byte("-BT0001-synthetic000")),
		Configuration: []events.Setting{{Name: "revisit", Value: "5m0s"}, {Name: "sessions", Value: "1024"}, {Name: "threshold", Value: "0.98"}, {Name: "timeout", Value: "6s"}}}
	binary.BigEndian.PutUint64(started.Run[:], seed)
	if !s.write(started) {
		return false
	}
	for n := range events.TorrentNumber(syntheticTorrents) {
		added := &events.TorrentAdded{Torrent: n + 1, Path: fmt.Sprintf("%d.torrent", n+1), DisplayName: fmt.Sprintf("torrent %d", n+1),
			Trackers: []events.TrackerTier{{trackerOf(n + 1)}}, MetadataKnown: true,
			Metadata: events.Metadata{PieceCount: syntheticPieces, PieceLength: 1 << 18, TotalLength: syntheticPieces << 18, FileCount: 1}}
		binary.BigEndian.PutUint32(added.InfoHash[:], uint32(n))
		if !s.write(added) {
			return false
		}
	}
	return true
}

func trackerOf(t events.TorrentNumber) string {
	return fmt.Sprintf("http://tracker%d.example/announce", t%3)
}

// endpoint gives the address and the torrent of an endpoint by its index. The multiplication by an odd number is a bijection.
func endpoint(i int) (events.Address, events.TorrentNumber) {
	mixed := uint32(i) * 2654435761
	ip := netip.AddrFrom4([4]byte{byte(mixed>>24)%120 + 64, byte(mixed >> 16), byte(mixed >> 8), byte(mixed)})
	return events.AddressOf(netip.AddrPortFrom(ip, uint16(i%50000+1024))), events.TorrentNumber(i%syntheticTorrents) + 1
}

func (s *synthetic) announce() bool {
	e := &s.answer
	first := s.random.IntN(s.endpoints)
	_, e.Torrent = endpoint(first)
	e.Tracker, e.Duration, e.Interval = trackerOf(e.Torrent), 300*time.Millisecond, events.Some(1800)
	e.Seeders, e.Leechers = events.Some(uint64(s.random.IntN(1000))), events.Some(uint64(s.random.IntN(1000)))
	e.Peers.V4 = e.Peers.V4[:0]
	for range mixAddresses {
		i := s.random.IntN(s.endpoints)
		i -= (i - first) % syntheticTorrents // another endpoint of the same torrent
		if i < 0 || i >= s.endpoints {
			i = first
		}
		address, _ := endpoint(i)
		e.Peers.Append(address.AddrPort)
	}
	return s.write(e)
}

func (s *synthetic) fail() bool {
	e := &s.failed
	*e = events.ConnectionFailed{Transport: events.TCP, Encryption: events.Plain}
	address, torrent := endpoint(s.random.IntN(s.endpoints))
	e.Address = address
	if s.random.IntN(2) == 0 {
		e.Direction, e.Phase, e.Reason = events.Incoming, events.PhaseHandshake, events.ReasonUnknownInfoHash
		e.InfoHash = []byte("a hash of 20 bytes, ")
		return s.write(e)
	}
	s.contacts++
	e.Contact, e.Torrent, e.Direction, e.Phase, e.Reason = s.contacts, torrent, events.Outgoing, events.PhaseDial, events.ReasonTimeout
	e.Duration = 6 * time.Second
	if s.random.IntN(3) == 0 {
		e.Reason, e.Duration = events.ReasonRefused, 40*time.Millisecond
	}
	return s.write(e)
}

func (s *synthetic) visit() bool {
	peer := s.random.IntN(s.peers)
	s.sessions++
	s.contacts++
	address, torrent := endpoint(peer)
	s.opened = events.SessionOpened{Session: s.sessions, Contact: s.contacts, Torrent: torrent, Direction: events.Outgoing, Transport: events.TCP,
		Encryption: events.Plain, Address: address, DialDuration: 40 * time.Millisecond, HandshakeDuration: 50 * time.Millisecond}
	copy(s.opened.PeerID[:], "-TR3000-")
	binary.BigEndian.PutUint64(s.opened.PeerID[12:], uint64(peer))
	s.bitfield.Session = s.sessions
	fill(s.bitfield.Bitfield, int(s.have[peer]))
	s.open = append(s.open, openSession{number: s.sessions, peer: peer})
	return s.write(&s.opened) && s.write(&s.bitfield)
}

// fill sets the first n bits.
func fill(bits []byte, n int) {
	clear(bits)
	for i := range n / 8 {
		bits[i] = 0xff
	}
	if n%8 > 0 {
		bits[n/8] = 0xff << (8 - n%8)
	}
}

func (s *synthetic) gain(i int) bool {
	peer := s.open[i].peer
	piece := s.have[peer]
	if int(piece) == syntheticPieces {
		piece = uint16(s.random.IntN(syntheticPieces))
	} else {
		s.have[peer]++
	}
	s.got = events.HaveReceived{Session: s.open[i].number, Piece: events.PieceIndex(piece)}
	return s.write(&s.got)
}

func (s *synthetic) close(i int) bool {
	s.closed = events.SessionClosed{Session: s.open[i].number, By: events.Us, Reason: events.ReasonQuiet,
		MessagesReceived: 6, MessagesSent: 2, BytesReceived: 600, BytesSent: 68, LongestWait: 5 * time.Second}
	s.open[i] = s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	return s.write(&s.closed)
}

// sample writes the recorder's state and a scrape of each torrent.
func (s *synthetic) sample() bool {
	for t := range events.TorrentNumber(syntheticTorrents) {
		s.scraped = events.TrackerScraped{Torrent: t + 1, Tracker: trackerOf(t + 1), Seeders: events.Some(uint64(s.random.IntN(500))),
			Completed: events.Some(uint64(s.written)), Leechers: events.Some(uint64(s.random.IntN(500)))}
		if !s.write(&s.scraped) {
			return false
		}
	}
	return s.write(&events.StatisticSampled{PeerQueue: uint64(s.endpoints), ActiveOutgoing: uint64(len(s.open)), OutgoingLimit: 1024, PeakMemory: 1 << 28})
}
