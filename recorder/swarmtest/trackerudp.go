package swarmtest

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"btda/events"
)

// udpTracker is the UDP side of a tracker (BEP 15).
type udpTracker struct {
	tracker *Tracker
	socket  *net.UDPConn
	given   map[netip.AddrPort]uint64 // connection ids, by whom they were given to; used by serve alone
}

// The actions of BEP 15.
const (
	udpConnect  = 0
	udpAnnounce = 1
	udpScrape   = 2
	udpError    = 3
)

// The least sizes of requests, in bytes.
const (
	udpHead         = 16 // connection id, action and transaction id
	udpAnnounceSize = 98
	udpScrapeSize   = udpHead + len(events.InfoHash{})
)

// listenBoth opens one port for TCP and UDP. A port that is free for TCP alone is not taken.
func listenBoth(address netip.AddrPort) (net.Listener, *net.UDPConn, error) {
	const tries = 20
	for try := 1; ; try++ {
		listener, err := net.Listen("tcp", address.String())
		if err != nil {
			return nil, nil, err
		}
		socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(listener.Addr().(*net.TCPAddr).AddrPort()))
		if err == nil {
			return listener, socket, nil
		}
		listener.Close()
		if address.Port() != 0 || try == tries {
			return nil, nil, err
		}
	}
}

// serve answers until the socket is closed.
func (u *udpTracker) serve() {
	u.given = make(map[netip.AddrPort]uint64)
	packet := make([]byte, 1<<16)
	for {
		n, from, err := u.socket.ReadFromUDPAddrPort(packet)
		if err != nil {
			return
		}
		if answer := u.answer(packet[:n], from); answer != nil {
			u.socket.WriteToUDPAddrPort(answer, from) // what is lost is asked again
		}
	}
}

// answer gives the answer to a request, or nothing for one that a tracker leaves unanswered.
func (u *udpTracker) answer(packet []byte, from netip.AddrPort) []byte {
	const protocol = 0x41727101980
	if len(packet) < udpHead {
		return nil
	}
	connection, action := binary.BigEndian.Uint64(packet), binary.BigEndian.Uint32(packet[8:])
	head := append(binary.BigEndian.AppendUint32(nil, action), packet[12:udpHead]...)
	id, known := u.given[from]
	switch {
	case action == udpConnect && connection == protocol:
		u.given[from] = rand.Uint64()
		return binary.BigEndian.AppendUint64(head, u.given[from])
	case !known || id != connection:
		return nil
	case action == udpAnnounce && len(packet) >= udpAnnounceSize:
		return u.announce(head, packet, from)
	case action == udpScrape && len(packet) >= udpScrapeSize:
		return u.scrape(head, packet[udpHead:])
	}
	binary.BigEndian.PutUint32(head, udpError)
	return append(head, "a request of an unknown kind or length"...)
}

func (u *udpTracker) announce(answer, packet []byte, from netip.AddrPort) []byte {
	a := Announce{
		Time: time.Now(), InfoHash: events.InfoHash(packet[16:36]), PeerID: events.PeerID(packet[36:56]), Left: binary.BigEndian.Uint64(packet[64:]),
		Event: events.AnnounceEvent(binary.BigEndian.Uint32(packet[80:])), Peer: netip.AddrPortFrom(from.Addr().Unmap(), binary.BigEndian.Uint16(packet[96:])),
	}
	want := int(int32(binary.BigEndian.Uint32(packet[92:])))
	if want < 0 {
		want = defaultWant
	}
	t := u.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(a)
	counts, peers := t.counts(a.InfoHash), t.peersFor(a, want)
	answer = binary.BigEndian.AppendUint32(answer, uint32(t.options.Interval/time.Second))
	answer = binary.BigEndian.AppendUint32(answer, uint32(counts.Leechers))
	answer = binary.BigEndian.AppendUint32(answer, uint32(counts.Seeders))
	if a.Peer.Addr().Is4() {
		return append(answer, peers.V4...)
	}
	return append(answer, peers.V6...)
}

func (u *udpTracker) scrape(answer, hashes []byte) []byte {
	for ; len(hashes) >= len(events.InfoHash{}); hashes = hashes[len(events.InfoHash{}):] {
		c := u.tracker.Counts(events.InfoHash(hashes[:len(events.InfoHash{})]))
		for _, n := range []int{c.Seeders, c.Completed, c.Leechers} {
			answer = binary.BigEndian.AppendUint32(answer, uint32(n))
		}
	}
	return answer
}
