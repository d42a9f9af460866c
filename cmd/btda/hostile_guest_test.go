//go:build linux

package main_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/input"
)

// hostileSessions is the limit of incoming sessions among hostile peers. One host alone would take all of them.
const hostileSessions = 60

// cameWith is what must be in the log about hostile peers that connect, where it is not what it is about those that are contacted: a
// handshake for another torrent is for none of ours, garbage may be the beginning of an encrypted handshake, and sessions that begin
// with nothing are kept, since their peers may not be reached.
var cameWith = map[string][][]string{
	"garbage":                        facts("ConnectionFailed direction=incoming"),
	"another torrent":                facts("ConnectionFailed direction=incoming phase=handshake reason=unknown-info-hash"),
	"silent after the handshake":     facts("SessionOpened direction=incoming", "SessionClosed by=us reason=stopping"),
	"a message of one byte a second": facts("SessionOpened direction=incoming", "SessionClosed by=us reason=stopping"),
}

// guests are the peers that connect to the recorder.
type guests struct {
	torrent events.InfoHash
	to      string
	next    netip.Addr // of the guest that comes next

	crowd, resetting *scriptedPeer   // hosts that connect again and again
	hostile          []*scriptedPeer // as hostilePeers
	leechers         []*scriptedPeer // good ones that finish
}

// connect lets the guests come, first the one that takes all sessions.
func (s *hostileSwarm) connect(t *testing.T, to string) {
	t.Helper()
	described, err := input.ReadTorrent(s.torrent)
	if err != nil {
		t.Fatal(err)
	}
	g := &s.guests
	*g = guests{torrent: described.InfoHash, to: to, next: netip.MustParseAddr("127.0.13.1")}
	g.crowd = g.come(t, "a host that takes all sessions", (*call).crowd)
	await(t, "the recorder to refuse "+g.crowd.name, g.crowd.shown)
	for i, h := range hostilePeers {
		g.hostile = append(g.hostile, g.come(t, "incoming: "+h.name, h.play))
		if i%5 == 0 {
			g.leechers = append(g.leechers, g.come(t, fmt.Sprintf("incoming leecher %d", i), func(c *call) { leech(c); c.comeAgain() }))
		}
	}
	g.resetting = g.come(t, "a host that resets its connections", (*call).reset)
}

// come lets a guest connect from an address of its own.
func (g *guests) come(t *testing.T, name string, play func(*call)) *scriptedPeer {
	t.Helper()
	conn := connect(t, g.next.String(), g.to)
	g.next = g.next.Next()
	p := &scriptedPeer{name: name, play: play, address: conn.LocalAddr().(*net.TCPAddr).AddrPort(), shown: make(chan struct{})}
	p.serving.Go(func() { p.playOn(&call{Conn: conn, peer: p, wants: g.torrent, ctx: t.Context()}) })
	t.Cleanup(func() { conn.Close(); p.serving.Wait() })
	return p
}

func (g *guests) all() []*scriptedPeer {
	return slices.Concat(g.hostile, g.leechers, []*scriptedPeer{g.resetting})
}

// dialAgain makes another connection from the same address; nil when the recorder has ended. It lasts until the end of the test.
func (c *call) dialAgain() *call {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: c.LocalAddr().(*net.TCPAddr).IP}}
	conn, err := dialer.DialContext(c.ctx, "tcp", c.RemoteAddr().String())
	if err != nil {
		return nil
	}
	context.AfterFunc(c.ctx, func() { conn.Close() })
	return &call{Conn: conn, peer: c.peer, wants: c.wants, ctx: c.ctx}
}

// comeAgain connects a few times more, at once, as the same peer.
func (c *call) comeAgain() {
	for range 3 {
		if again := c.dialAgain(); again != nil {
			again.shake()
			again.untilLeft()
			again.Close()
		}
	}
}

// crowdPace is the least time between two connections of one place in a crowd.
const crowdPace = 200 * time.Millisecond

// crowd connects more often than there are sessions, each time as another peer, and again when it is refused. It ends with the recorder.
func (c *call) crowd() {
	ended := make(chan struct{})
	const more = hostileSessions + 10
	for n := range more {
		go func() {
			defer func() { ended <- struct{}{} }()
			pace := time.NewTicker(crowdPace)
			defer pace.Stop()
			for round := 0; c.crowdIn(fmt.Sprintf("-XX0001-%06d%06d", n, round)); round++ {
				<-pace.C
			}
		}()
	}
	for range more {
		<-ended
	}
}

// crowdIn makes one connection and holds it as long as the recorder does. It shows what it is about when it was not answered. It reports
// false when the recorder has ended.
func (c *call) crowdIn(id string) bool {
	again := c.dialAgain()
	if again == nil {
		return false
	}
	defer again.Close()
	h := again.greeting()
	h.PeerID = events.PeerID([]byte(id))
	again.say(h.Append(nil))
	if again.answer().InfoHash != c.wants {
		c.peer.show()
	}
	again.say(frame(events.Bitfield, append([]byte{0xf0}, make([]byte, hostilePieces/8-1)...)...))
	again.untilLeft()
	return true
}

// reset connects again and again, and resets the connection at once.
func (c *call) reset() {
	for range 200 {
		if again := c.dialAgain(); again != nil {
			_ = again.Conn.(*net.TCPConn).SetLinger(0)
			again.Close()
		}
	}
}

// checkFacts compares what is in the log about each guest.
func (g *guests) checkFacts(t *testing.T, lines []string) {
	t.Helper()
	for i, h := range hostilePeers {
		want, differs := cameWith[h.name]
		if !differs {
			want = h.want
		}
		checkLines(t, g.hostile[i].name, linesOfPeer(lines, g.hostile[i].address), want)
	}
	checkLines(t, "incoming leechers that come again", linesFrom(lines, g.leechers[0].address.Addr()),
		facts("ConnectionFailed direction=incoming phase=handshake reason=complete"))
	checkLines(t, g.resetting.name, linesFrom(lines, g.resetting.address.Addr()),
		facts("ConnectionFailed direction=incoming phase=handshake reason=reset", "ConnectionsSuppressed direction=incoming reason=reset"))
	checkLines(t, g.crowd.name, slices.Concat(linesFrom(lines, g.crowd.address.Addr()), linesWith(lines, "LimitReached"), linesWith(lines, "SessionClosed")),
		facts("LimitReached limit=incoming-sessions bound="+fmt.Sprint(hostileSessions), "SessionClosed by=us reason=slot-needed",
			"ConnectionFailed direction=incoming reason=limit-exceeded", "ConnectionsSuppressed direction=incoming reason=limit-exceeded"))
}

// linesFrom gives the events that name an IP address with any port.
func linesFrom(lines []string, ip netip.Addr) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, " address="+ip.String()+":") })
}
