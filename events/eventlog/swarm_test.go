package eventlog

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"btda/events"
)

// swarm makes up events in about the mix that a large swarm gives: visits to many addresses, most of them in vain.
type swarm struct {
	rng     *rand.Rand
	contact events.ContactNumber
	session events.SessionNumber
}

func newSwarm(seed uint64) *swarm { return &swarm{rng: rand.New(rand.NewPCG(seed, 1))} }

// events makes n events. Use them again and again.
func (s *swarm) events(n int) []events.Event {
	all := make([]events.Event, 0, n+20)
	for len(all) < n {
		all = append(all, s.visit()...)
	}
	return all[:n]
}

func (s *swarm) visit() []events.Event {
	s.contact++
	switch p := s.rng.IntN(100); {
	case p < 1:
		return []events.Event{s.answer()}
	case p < 75:
		return []events.Event{s.failure()}
	}
	return s.meeting()
}

func (s *swarm) address() events.Address {
	ip := netip.AddrFrom4([4]byte(s.bytes(4)))
	return events.Address{AddrPort: netip.AddrPortFrom(ip, uint16(s.rng.UintN(1<<16))), Scope: events.ScopePublic}
}

func (s *swarm) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return b
}

func (s *swarm) duration(most time.Duration) time.Duration {
	return time.Duration(s.rng.Int64N(int64(most)))
}

func (s *swarm) torrent() events.TorrentNumber { return events.TorrentNumber(1 + s.rng.UintN(19)) }

func (s *swarm) answer() events.Event {
	return &events.TrackerAnnounced{
		Torrent: s.torrent(), Tracker: "http://tracker.example.org:6969/announce", Remote: s.address(),
		Duration: s.duration(time.Second), Interval: events.Some(1800), Seeders: events.Some(uint64(s.rng.UintN(3000))),
		Peers: events.PeerList{V4: s.bytes(200 * events.CompactSize4)},
	}
}

func (s *swarm) failure() events.Event {
	return &events.ConnectionFailed{
		Contact: s.contact, Torrent: s.torrent(), Direction: 1, Transport: 1, Encryption: 1, Phase: 2,
		Reason: events.Reason(1 + s.rng.UintN(6)), Address: s.address(), Duration: s.duration(6 * time.Second),
	}
}

var clients = []string{"-qB4520-", "-TR3000-", "-lt0D80-", "-UT355W-", "-DE203s-"}

// meeting is a session with what a peer says at first, and some progress.
func (s *swarm) meeting() []events.Event {
	s.session++
	client := clients[s.rng.IntN(len(clients))]
	id := events.PeerID(append([]byte(client), s.bytes(12)...))
	all := []events.Event{
		&events.SessionOpened{
			Session: s.session, Contact: s.contact, Torrent: s.torrent(), Direction: 1, Transport: 1, Encryption: 1,
			Address: s.address(), Reserved: [8]byte{5: 0x10, 7: 5}, PeerID: id,
			DialDuration: s.duration(time.Second), HandshakeDuration: s.duration(time.Second),
		},
		s.extensions(client),
		&events.BitfieldReceived{Session: s.session, Bitfield: s.bitfield(256)},
	}
	for range s.rng.IntN(20) {
		all = append(all, &events.HaveReceived{Session: s.session, Piece: events.PieceIndex(s.rng.UintN(2048))})
	}
	return append(all, &events.SessionClosed{
		Session: s.session, By: 1, Reason: events.Reason(1 + s.rng.UintN(6)), BytesReceived: 4000 + uint64(s.rng.UintN(9000)),
		BytesSent: 200, MessagesReceived: 20, MessagesSent: 4, LongestWait: s.duration(6 * time.Second),
	})
}

func (s *swarm) extensions(client string) events.Event {
	raw := fmt.Sprintf("d1:md11:upload_onlyi3e11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei%de1:pi%de4:reqqi500e1:v%d:%s6:yourip4:%se",
		s.rng.UintN(1<<16), s.rng.UintN(1<<16), len(client), client, s.bytes(4))
	return &events.ExtensionHandshakeReceived{
		Session:    s.session,
		Extensions: []events.Extension{{Name: "upload_only", ID: 3}, {Name: "ut_metadata", ID: 2}, {Name: "ut_pex", ID: 1}},
		Client:     client, Port: events.Some(uint64(s.rng.UintN(1 << 16))), RequestQueue: events.Some(500),
		MetadataSize: events.Some(uint64(s.rng.UintN(1 << 16))), Length: uint32(len(raw)), Raw: []byte(raw),
	}
}

// bitfield is that of a peer somewhere on its way: all pieces, none, or some of them.
func (s *swarm) bitfield(n int) []byte {
	b := make([]byte, n)
	full := min(s.rng.IntN(3*n), n)
	for i := range b[:full] {
		b[i] = 0xff
	}
	for i := range b[full:min(full+n/4, n)] {
		b[full+i] = byte(s.rng.Uint32())
	}
	return b
}
