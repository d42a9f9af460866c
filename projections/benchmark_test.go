package projections

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/events/pieces"
)

// swarmMix makes events of a swarm in about the shares of a busy run: of 40, 14 are connections that failed, 1 is an announce or
// lookup with 50 addresses in 3, 10 belong to sessions with a bitfield of 500 bytes, the rest are haves.
type swarmMix struct {
	*rand.Rand
	set       *Set
	record    events.Record
	endpoints uint32
	sessions  events.SessionNumber
	open      []events.SessionNumber
	addresses []byte
	bitfield  []byte
	applied   int

	failed events.ConnectionFailed
	opened events.SessionOpened
	have   events.HaveReceived
}

const mixPieces = 4000

func newSwarmMix(b *testing.B, o Options, endpoints uint32) *swarmMix {
	set, err := NewSet(o)
	if err != nil {
		b.Fatal(err)
	}
	m := &swarmMix{
		Rand: rand.New(rand.NewPCG(1, 1)), set: set, endpoints: endpoints, addresses: make([]byte, 50*events.CompactSize4),
		bitfield: make([]byte, mixPieces/8), record: events.Record{Run: events.RunID{1}, Time: eventstest.Start},
	}
	m.define(&events.RunStarted{Run: events.RunID{1}, Configuration: []events.Setting{
		{Name: "threshold", Value: "0.98"}, {Name: "timeout", Value: "6s"}, {Name: "revisit", Value: "5m"},
	}})
	m.define(&events.TorrentAdded{Torrent: 1, InfoHash: events.InfoHash{1}, MetadataKnown: true, Metadata: events.Metadata{PieceCount: mixPieces, PieceLength: 1 << 20}})
	return m
}

func (m *swarmMix) define(e events.Event) {
	m.record.Event = e
	if err := m.set.Define(&m.record); err != nil {
		panic(err)
	}
	m.apply(e)
}

func (m *swarmMix) apply(e events.Event) {
	m.applied++
	m.record.Seq++
	m.record.Time = m.record.Time.Add(3 * time.Millisecond)
	m.record.Event = e
	m.set.Apply(&m.record)
}

func (m *swarmMix) address(n uint32) (a [4]byte) {
	binary.BigEndian.PutUint32(a[:], 0x0b000000+n*2654435761>>8)
	return a
}

func (m *swarmMix) endpoint(of uint32) events.Address {
	return events.AddressOf(netip.AddrPortFrom(netip.AddrFrom4(m.address(m.Uint32N(of))), 6881))
}

// step applies one event.
func (m *swarmMix) step() {
	switch n := m.IntN(120); {
	case n < 42:
		m.failed = events.ConnectionFailed{Contact: 1, Torrent: 1, Direction: events.Outgoing, Reason: events.ReasonTimeout, Address: m.endpoint(m.endpoints)}
		m.apply(&m.failed)
	case n < 43:
		for i := 0; i < len(m.addresses); i += events.CompactSize4 {
			a := m.address(m.Uint32N(m.endpoints))
			copy(m.addresses[i:], a[:])
			binary.BigEndian.PutUint16(m.addresses[i+4:], 6881)
		}
		m.apply(&events.TrackerAnnounced{Torrent: 1, Tracker: "http://t.example/announce", Peers: events.PeerList{V4: m.addresses}})
	case n < 53 || len(m.open) == 0:
		m.visit()
	default:
		m.have = events.HaveReceived{Session: m.open[m.IntN(len(m.open))], Piece: events.PieceIndex(m.IntN(mixPieces))}
		m.apply(&m.have)
	}
}

// visit opens a session with one of the reachable seventh of the endpoints, and closes one when 1,000 are open.
func (m *swarmMix) visit() {
	m.sessions++
	m.opened = events.SessionOpened{
		Session: m.sessions, Torrent: 1, Direction: events.Outgoing, Transport: events.TCP, Address: m.endpoint(m.endpoints / 7),
		PeerID: events.PeerID{'-', 'T', 'R', byte(m.sessions), byte(m.sessions >> 8)},
	}
	m.apply(&m.opened)
	for i := range m.bitfield[:m.IntN(len(m.bitfield))] {
		m.bitfield[i] = byte(m.Uint32())
	}
	m.apply(&events.BitfieldReceived{Session: m.sessions, Bitfield: m.bitfield})
	m.open = append(m.open, m.sessions)
	if len(m.open) > 1000 {
		i := m.IntN(len(m.open))
		m.apply(&events.SessionClosed{Session: m.open[i]})
		m.open[i] = m.open[len(m.open)-1]
		m.open = m.open[:len(m.open)-1]
	}
}

// BenchmarkFold applies the mix, with one threshold and with the default sweep; ns/event includes making the events. It tells the heap
// after b.N steps too: give -benchtime 3000000x to compare it.
func BenchmarkFold(b *testing.B) {
	for name, sweep := range map[string][]pieces.Fraction{"one": nil, "sweep": DefaultSweep()} {
		b.Run(name, func(b *testing.B) {
			o := DefaultOptions()
			o.Sweep = sweep
			benchmarkFold(b, o)
		})
	}
}

func benchmarkFold(b *testing.B, o Options) {
	m := newSwarmMix(b, o, 1_800_000)
	for b.Loop() {
		m.step()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(m.applied), "ns/event")
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapAlloc)/1e6, "heap-MB")
	runtime.KeepAlive(m)
}

// BenchmarkHave applies haves to 1,000 open sessions: the most frequent event on the shortest way.
func BenchmarkHave(b *testing.B) {
	m := newSwarmMix(b, DefaultOptions(), 1_800_000)
	for range 1000 {
		m.visit()
	}
	b.ReportAllocs()
	for b.Loop() {
		m.have.Session, m.have.Piece = events.SessionNumber(1+m.IntN(1000)), events.PieceIndex(m.IntN(mixPieces))
		m.apply(&m.have)
	}
}

// BenchmarkTables gives all rows of half a million steps.
func BenchmarkTables(b *testing.B) {
	m := newSwarmMix(b, DefaultOptions(), 200_000)
	for range 500_000 {
		m.step()
	}
	rows := 0
	for b.Loop() {
		rows = 0
		for _, table := range m.set.Tables() {
			for range table.Rows {
				rows++
			}
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
