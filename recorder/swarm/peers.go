package swarm

import (
	"net/netip"

	"btda/events"
)

// peerIndex is the position of a peer in the arena, in the order of offers.
type peerIndex uint32

// key identifies a peer in 24 bytes.
type key struct {
	address [16]byte // IPv4 as mapped
	torrent events.TorrentNumber
	port    uint16
}

func keyOf(t events.TorrentNumber, a netip.AddrPort) key {
	return key{address: a.Addr().As16(), torrent: t, port: a.Port()}
}

func (k key) addrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(k.address).Unmap(), k.port)
}

// peer is kept for every endpoint ever offered: 32 bytes, no pointers.
type peer struct {
	key      key
	next     peerIndex // in its fifo, plus one; 0 is none
	failures uint8     // in a row
	brief    uint8     // sessions in a row that the peer ended soon
	marks    mark
}

// mark is what is known of a peer, as a set of bits.
type mark uint8

const (
	contacted mark = 1 << iota // at some time, or met
	finished                   // while it was in a queue: to be taken out of it
	seenBelow                  // it was in session below the threshold
	tracked                    // a tracker of the torrent named it
	barred                     // left, because its torrent is restricted and no tracker had named it
)

func (p *peer) is(m mark) bool { return p.marks&m != 0 }

func (p *peer) mark(m mark) { p.marks |= m }

func (p *peer) unmark(m mark) { p.marks &^= m }

const chunkSize = 4096

// arena stores the peers in chunks, so that growing never copies them.
type arena struct {
	chunks []*[chunkSize]peer
	length int
	index  map[key]peerIndex
}

func newArena() arena { return arena{index: make(map[key]peerIndex)} }

func (a *arena) at(i peerIndex) *peer { return &a.chunks[i/chunkSize][i%chunkSize] }

func (a *arena) find(k key) (peerIndex, bool) {
	i, ok := a.index[k]
	return i, ok
}

func (a *arena) add(k key) peerIndex {
	i := peerIndex(a.length)
	if a.length%chunkSize == 0 {
		a.chunks = append(a.chunks, new([chunkSize]peer))
	}
	a.length++
	a.at(i).key = k
	a.index[k] = i
	return i
}
