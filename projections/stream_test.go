package projections

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

// naiveStream makes a random stream of one run, and the model that saw it.
type naiveStream struct {
	*rand.Rand
	records []events.Record
	now     events.Time
	open    []events.SessionNumber
	bases   map[events.SessionNumber][]events.Seq
	next    events.SessionNumber
	contact naiveTry // the last
}

// naiveTry is whom a contact is with.
type naiveTry struct {
	number  events.ContactNumber
	torrent events.TorrentNumber
	address events.Address
}

func (s *naiveStream) add(e events.Event) {
	s.records = append(s.records, events.Record{Run: events.RunID{1}, Seq: events.Seq(len(s.records) + 1), Time: s.now, Event: e})
}

// streamSizes are the pieces of the torrents: one of them has unknown metadata.
var streamSizes = []int{8, 13, 0}

func randomStream(seed uint64, length int) []events.Record {
	s := &naiveStream{Rand: rand.New(rand.NewPCG(seed, 1)), now: eventstest.Start, bases: map[events.SessionNumber][]events.Seq{}}
	s.add(&events.RunStarted{
		Run: events.RunID{1}, PeerID: naiveOwnID, Addresses: []events.Address{events.AddressOf(naiveOwnAddress)},
		Configuration: []events.Setting{{Name: "threshold", Value: "0.75"}, {Name: "timeout", Value: "6s"}, {Name: "revisit", Value: "5s"},
			{Name: "passive", Value: strconv.FormatBool(seed%2 == 0)},
		},
	})
	for i, size := range streamSizes {
		s.add(&events.TorrentAdded{
			Torrent: events.TorrentNumber(i + 1), InfoHash: events.InfoHash{byte(i + 1)}, MetadataKnown: size > 0,
			Metadata: events.Metadata{PieceCount: uint32(size), PieceLength: 1000},
		})
	}
	for range length {
		s.step()
	}
	return s.records
}

func (s *naiveStream) step() {
	switch s.IntN(10) {
	case 0, 1, 2:
	case 3:
		s.now = s.now.Add(time.Duration(s.IntN(8)) * time.Second)
	default:
		s.now = s.now.Add(time.Duration(s.IntN(2000)) * time.Millisecond)
	}
	if len(s.open) == 0 || len(s.open) < 4 && s.IntN(8) == 0 {
		s.openSession()
		return
	}
	i := s.IntN(len(s.open))
	session := s.open[i]
	switch s.IntN(16) {
	case 0:
		s.add(&events.SessionClosed{
			Session: session, LongestWait: time.Duration(s.IntN(40000)) * time.Millisecond, MessagesReceived: s.Uint64N(2),
			LongestContentWait: time.Duration(s.IntN(8)*s.IntN(6000)) * time.Millisecond,
		})
		s.open = append(s.open[:i], s.open[i+1:]...)
	case 1:
		s.add(&events.ExtensionHandshakeReceived{Session: session, Port: events.Optional{Value: uint64(s.IntN(4)), Known: s.IntN(4) > 0}})
	case 2:
		s.discover(session)
	case 3:
		s.fail()
	default:
		s.say(session)
	}
}

// discover names peers, or samples the recorder.
func (s *naiveStream) discover(session events.SessionNumber) {
	var peers events.PeerList
	for range s.IntN(4) {
		peers.Append(s.address().AddrPort)
	}
	tracker := fmt.Sprintf("http://t%d.example/announce", s.IntN(2))
	switch s.IntN(17) {
	case 0:
		s.add(&events.TrackerAnnounced{Torrent: 1, Tracker: tracker, Peers: peers, Duration: time.Second})
	case 1:
		s.add(&events.TrackerScraped{Torrent: 1, Tracker: tracker, Seeders: events.Some(s.Uint64N(9))})
	case 2:
		s.add(&events.DHTLookedUp{Torrent: 2, Lookup: 1, Node: s.address(), Peers: peers})
	case 3:
		s.add(&events.DHTLookupEnded{Torrent: 2, Lookup: 1, IPv6: s.IntN(2) == 0, Reason: []events.Reason{0, 0, events.ReasonTimeout}[s.IntN(3)]})
	case 4:
		s.add(&events.PeersExchanged{Session: session, Added: peers})
	case 5:
		s.add(&events.AddressRejected{Torrent: 1, Source: events.SourceDHT, Address: s.address(), Reason: events.ReasonExcluded})
	case 6:
		s.add(&events.TrackerAnnounceFailed{Torrent: 1, Tracker: tracker, Phase: events.PhaseAnswer, Reason: events.ReasonTimeout})
	case 7:
		s.add(&events.TrackerScrapeFailed{Torrent: 2, Tracker: tracker, Phase: events.PhaseDial, Reason: events.ReasonRefused})
	case 8:
		s.add(&events.AcceptFailed{Transport: events.TCP, Reason: events.ReasonDescriptorLimit})
	case 9:
		s.add(&events.LocalPeerAnnounced{Torrent: 1, Peer: s.address()})
	case 10:
		s.add(&events.PeersNamed{Torrent: 1, Source: events.Source(14 + s.IntN(4)), Peers: peers})
	case 11:
		s.add(&events.DHTPeerAnnounced{Torrent: 1, Node: s.address(), Port: 2, ImpliedPort: s.IntN(2) == 0})
	case 12:
		s.add(&events.TrackerAnswersIgnored{Torrent: 2, Tracker: tracker, Reason: events.ReasonWrongSender, Count: 1 + s.Uint64N(9)})
	case 13:
		s.add(&events.ConnectionsSuppressed{
			Torrent: events.TorrentNumber(s.IntN(3)), Direction: events.Incoming, Transport: events.TCP, Phase: events.PhaseHandshake,
			Reason: events.ReasonComplete, Address: s.address(), Count: 1 + s.Uint64N(9),
			Encryption: events.Encryption(s.IntN(3)),
		})
	case 14:
		node := s.address()
		if s.IntN(2) == 0 {
			node = events.AddressOf(netip.MustParseAddrPort("[2001:db8::5]:1"))
		}
		s.add(&events.DHTScraped{Torrent: 2, Lookup: 1, Node: node, Seeds: s.filter(), Peers: s.filter()})
	case 15:
		s.add(&events.MetadataFailed{Torrent: 1, Session: session, Reason: events.ReasonHashMismatch})
	default:
		s.add(&events.StatisticSampled{PeerQueue: s.Uint64N(9)})
	}
}

// filter is one of BEP 33 with few bits, with none or with all, or none at all.
func (s *naiveStream) filter() []byte {
	switch s.IntN(8) {
	case 0:
		return nil
	case 1:
		return []byte("short")
	case 2:
		return bytes.Repeat([]byte{0xff}, filterSize)
	}
	f := make([]byte, filterSize)
	for range s.IntN(9) {
		f[s.IntN(filterSize)] |= 1 << s.IntN(8)
	}
	return f
}

// fail makes a connection that becomes no session.
func (s *naiveStream) fail() {
	e := &events.ConnectionFailed{
		Torrent: events.TorrentNumber(s.IntN(3)), Direction: events.Direction(1 + s.IntN(2)), Transport: events.Transport(1 + s.IntN(2)),
		Encryption: events.Encryption(s.IntN(3)), Phase: events.Phase(1 + s.IntN(3)), Address: s.address(),
		Reason: []events.Reason{events.ReasonRefused, events.ReasonTimeout, events.ReasonClosedByPeer}[s.IntN(3)],
	}
	if e.Phase == events.PhaseHandshake && s.IntN(2) == 0 {
		e.PeerID = []byte("-A")
	}
	if e.Direction == events.Outgoing {
		t := s.try(max(e.Torrent, 1))
		e.Contact, e.Torrent, e.Address = t.number, t.torrent, t.address
	}
	s.add(e)
}

// try begins a contact, or goes on with the last one.
func (s *naiveStream) try(torrent events.TorrentNumber) naiveTry {
	if s.contact.number == 0 || s.IntN(2) > 0 {
		s.contact = naiveTry{s.contact.number + 1, torrent, s.address()}
	}
	return s.contact
}

func (s *naiveStream) address() events.Address {
	ip := netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + s.IntN(2))})
	return events.AddressOf(netip.AddrPortFrom(ip, uint16(1+s.IntN(3))))
}

func (s *naiveStream) openSession() {
	s.next++
	s.open = append(s.open, s.next)
	id := events.PeerID{'-', byte('A' + s.IntN(2))}
	if s.IntN(20) == 0 {
		id = naiveOwnID
	}
	torrent := 1 + s.IntN(len(streamSizes))
	if torrent == 3 && s.IntN(3) > 0 {
		torrent = 1
	}
	e := &events.SessionOpened{
		Session: s.next, Torrent: events.TorrentNumber(torrent), Direction: events.Direction(1 + s.IntN(2)), Transport: events.TCP,
		Encryption: events.Encryption(1 + s.IntN(3)), Address: s.address(), PeerID: id, HandshakeDuration: time.Duration(s.IntN(8000)) * time.Millisecond,
	}
	if e.Direction == events.Outgoing {
		t := s.try(e.Torrent)
		e.Contact, e.Torrent, e.Address, e.DialDuration = t.number, t.torrent, t.address, time.Duration(s.IntN(9000))*time.Millisecond
	}
	s.add(e)
}

// say makes a peer say something about its pieces, sometimes nonsense.
func (s *naiveStream) say(session events.SessionNumber) {
	switch s.IntN(14) {
	case 0:
		s.add(&events.HaveAllReceived{Session: session})
	case 1:
		s.add(&events.HaveNoneReceived{Session: session})
	case 2, 3:
		bitfield := make([]byte, 1+s.IntN(2))
		for i := range bitfield {
			bitfield[i] = byte(s.Uint32()|s.Uint32()) << (i * 3)
		}
		s.add(&events.BitfieldReceived{Session: session, Bitfield: bitfield})
		s.bases[session] = append(s.bases[session], events.Seq(len(s.records)))
	case 4:
		if bases := s.bases[session]; len(bases) > 0 {
			toggled := []byte{byte(s.IntN(6)), byte(s.IntN(6))}
			s.add(&events.BitfieldChanged{Session: session, Base: bases[s.IntN(len(bases))], Toggled: toggled})
		}
	case 5, 6:
		s.add(&events.DontHaveReceived{Session: session, Piece: events.PieceIndex(s.IntN(14))})
	case 7:
		s.add(&events.MessageReceived{Session: session, Message: events.KeepAlive})
	case 8:
		s.add(&events.MessagesSuppressed{Session: session, Message: events.Choke, Count: s.Uint64N(9)})
	default:
		s.add(&events.HaveReceived{Session: session, Piece: events.PieceIndex(s.IntN(14))})
	}
}
