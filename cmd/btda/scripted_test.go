package main_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"btda/events"
	"btda/recorder/wire"
)

// scriptedPeer is a peer on an address of its own that plays a script on every connection. Any number of connections go on at once.
type scriptedPeer struct {
	name     string
	address  netip.AddrPort
	listener net.Listener
	play     func(*call)
	serving  sync.WaitGroup
	once     sync.Once
	shown    chan struct{} // closed when the recorder has met what this peer is about
}

// call is a connection between the recorder and a scripted peer.
type call struct {
	net.Conn
	peer  *scriptedPeer
	wants events.InfoHash // of the torrent, where the peer connected to the recorder; else zero
	ctx   context.Context // of the test, likewise
}

// startScripted starts a peer. When its script returns the connection is closed in order, and what the peer is about has been shown.
func startScripted(t *testing.T, p *scriptedPeer, ip netip.Addr) {
	t.Helper()
	listener, err := net.Listen("tcp", netip.AddrPortFrom(ip, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	p.listener, p.address, p.shown = listener, listener.Addr().(*net.TCPAddr).AddrPort(), make(chan struct{})
	p.serving.Go(p.serve)
	t.Cleanup(func() { listener.Close(); p.serving.Wait() })
}

func (p *scriptedPeer) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.serving.Go(func() { p.playOn(&call{Conn: conn, peer: p}) })
	}
}

// playOn plays the script, closes the connection in order and waits until the recorder has read all of it.
func (p *scriptedPeer) playOn(c *call) {
	defer c.Close()
	p.play(c)
	_ = c.Conn.(*net.TCPConn).CloseWrite() // fails where the recorder has hung up
	c.untilLeft()
	p.show()
}

func (p *scriptedPeer) show() { p.once.Do(func() { close(p.shown) }) }

// id is a peer id of this peer alone.
func (p *scriptedPeer) id() (id events.PeerID) {
	copy(id[:], fmt.Sprintf("-XX0001-%12d", p.address.Addr().As4()[3]))
	return id
}

// greeting is what the recorder says first, or has to hear first: a handshake for the torrent.
func (c *call) greeting() wire.Handshake {
	if c.connected() {
		return wire.Handshake{InfoHash: c.wants}
	}
	return c.answer()
}

// connected reports that the peer made the connection.
func (c *call) connected() bool { return c.wants != events.InfoHash{} }

// answer reads the recorder's handshake.
func (c *call) answer() wire.Handshake {
	var theirs [wire.HandshakeSize]byte
	if _, err := io.ReadFull(c, theirs[:]); err != nil {
		return wire.Handshake{}
	}
	h, _ := wire.ParseHandshake(theirs[:])
	return h
}

// shake exchanges handshakes in order, with the fast extension (BEP 6) and the extension protocol (BEP 10), and then says something.
func (c *call) shake(says ...[]byte) {
	h := c.greeting()
	h.PeerID, h.Reserved = c.peer.id(), wire.OurReserved(false)
	c.say(h.Append(nil))
	if c.connected() {
		c.answer()
	}
	c.say(says...)
}

// say writes all of it, unless the recorder hangs up before; that is for the test of the log to judge.
func (c *call) say(parts ...[]byte) bool {
	for _, part := range parts {
		if _, err := c.Write(part); err != nil {
			return false
		}
	}
	return true
}

// untilLeft waits until the recorder hangs up.
func (c *call) untilLeft() { _, _ = io.Copy(io.Discard, c) }

func frame(kind events.MessageKind, payload ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)))
	return append(append(b, byte(kind)), payload...)
}

func have(piece uint32) []byte {
	return frame(events.Have, binary.BigEndian.AppendUint32(nil, piece)...)
}

func extended(number uint8, payload string) []byte {
	return wire.AppendExtended(nil, number, []byte(payload))
}
