package main_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"btda/events"
	"btda/recorder/wire"
)

// hostilePieces is the number of pieces of the torrent that hostile and good peers share.
const hostilePieces = 64

// hostilePeer is a peer that means harm, and what must be in the log about it: of each line, all parts in one event. It is contacted, and
// connects itself.
type hostilePeer struct {
	name string
	play func(*call)
	want [][]string
}

const (
	closedByPeer = "SessionClosed by=peer reason=closed-by-peer"
	reopened     = "SessionClosed by=us reason=reopened" // its start is not known: asked again after the revisit delay
	overLimit    = "SessionClosed by=us reason=limit-exceeded"
	suppressing  = "LimitReached limit=message-rate"
)

// facts splits lines into the parts that one event must have.
func facts(lines ...string) [][]string {
	parts := make([][]string, len(lines))
	for i, l := range lines {
		parts[i] = strings.Fields(l)
	}
	return parts
}

var hostilePeers = []hostilePeer{
	{"says nothing at all", (*call).untilLeft, facts("ConnectionFailed phase=handshake reason=timeout")},
	{"a handshake of one byte a second", func(c *call) { c.drip(append([]byte{19}, "BitTorrent protocol"...)) },
		facts("ConnectionFailed phase=handshake reason=timeout")},
	{"garbage", func(c *call) { c.say(garbage(1)); c.untilLeft() }, facts("ConnectionFailed phase=handshake reason=unknown-protocol")},
	{"garbage after the handshake", func(c *call) { c.shake(garbage(2)); c.untilLeft() }, facts("LimitReached limit=frame-length", overLimit)},
	{"another torrent", func(c *call) {
		h := c.greeting()
		h.InfoHash[0]++
		c.say(h.Append(nil))
		c.untilLeft()
	}, facts("ConnectionFailed phase=handshake reason=info-hash-mismatch")},
	{"our own peer id", (*call).mirror, facts("ConnectionFailed phase=handshake reason=own-peer-id")},
	{"a length of 2 GiB", func(c *call) { c.shake([]byte("\x80\x00\x00\x00\x05")); c.untilLeft() },
		facts("LimitReached limit=frame-length value=2147483648 bound=65536", overLimit)},
	{"silent after the handshake", func(c *call) { c.shake(); c.peer.show(); c.untilLeft() }, facts("SessionOpened", reopened)},
	{"a message of one byte a second", func(c *call) { c.shake(); c.drip(frame(events.Bitfield, make([]byte, hostilePieces/8)...)) },
		facts(reopened)},
	{"endless keep-alives", func(c *call) { c.shake(); c.flood([]byte{0, 0, 0, 0}) },
		facts("MessageReceived message=keep-alive", suppressing, "MessagesSuppressed message=keep-alive")},
	{"endless haves", func(c *call) { c.shake(); c.flood(have(1), have(2), have(3)) },
		facts("HaveReceived piece=3", suppressing, "MessagesSuppressed message=have")},
	{"endless haves out of range", func(c *call) { c.shake(); c.flood(have(hostilePieces), have(1<<32-1)) },
		facts("HaveReceived piece=64", "HaveReceived piece=4294967295", suppressing, "MessagesSuppressed message=have")},
	{"pieces that come and go without end", func(c *call) { c.shake(); c.flood(have(7), extended(wire.DontHaveID, "\x00\x00\x00\x07")) },
		facts("DontHaveReceived piece=7", "LimitReached limit=availability-rate")},
	{"a bitfield that is too short", func(c *call) { c.shake(frame(events.Bitfield, bytes.Repeat([]byte{255}, 7)...)) },
		facts("BitfieldReceived bitfield="+strings.Repeat("1", 7*8), closedByPeer)},
	{"a bitfield that is too long", func(c *call) { c.shake(frame(events.Bitfield, bytes.Repeat([]byte{255}, 9)...)) },
		facts("BitfieldReceived bitfield="+strings.Repeat("1", 9*8), closedByPeer)},
	{"unknown kinds", func(c *call) { c.shake(frame(77, 1, 2, 3), frame(255)) },
		facts("MessageReceived length=4", "MessageReceived length=1", closedByPeer)},
	{"endless unknown kinds", func(c *call) { c.shake(); c.flood(frame(99, make([]byte, 1000)...)) }, facts(suppressing, "MessagesSuppressed")},
	{"extension numbers above 255", func(c *call) { c.shake(extended(0, "d1:md11:ut_metadatai300e6:ut_pexi99999999999e7:lt_texti7eee")) },
		facts("ExtensionHandshakeReceived malformed=true extensions=[lt_text=7]", closedByPeer)},
	{"an extension handshake that is a deep nest", func(c *call) { c.shake(extended(0, "d1:m"+strings.Repeat("l", 60_000))) },
		facts("ExtensionHandshakeReceived malformed=true length=60004", "LimitReached limit=extension-handshake", closedByPeer)},
	{"an extension handshake with a long string prefix", func(c *call) { c.shake(extended(0, "d1:v2147483647:")) },
		facts("ExtensionHandshakeReceived malformed=true", closedByPeer)},
	{"endless extension handshakes", func(c *call) { c.shake(); c.flood(extended(0, "d1:v16000:"+strings.Repeat("v", 16_000)+"e")) },
		facts("ExtensionHandshakeReceived", suppressing)},
}

// mirror says what the recorder says, as the recorder itself would.
func (c *call) mirror() {
	if c.connected() {
		h := c.greeting().Append(nil)
		c.say(h[:wire.PreludeSize])
		id := c.answer().PeerID
		c.say(id[:])
	} else {
		_, _ = io.CopyN(c, c, wire.HandshakeSize)
	}
	c.untilLeft()
}

// garbage is random and always the same.
func garbage(seed byte) []byte {
	b := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// drip says a byte a second until the recorder hangs up.
func (c *call) drip(says []byte) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for i := 0; c.say(says[i : i+1]); i = min(i+1, len(says)-1) {
		if i == 2 {
			c.peer.show()
		}
		<-ticker.C
	}
}

// floodShown is how many bytes of a flood the recorder must have taken; the buffers of a connection hold less.
const floodShown = 16 << 20

// flood says some messages again and again, as fast as they are taken, until the recorder hangs up. It shows what it is about also
// where the recorder reads slowly on purpose, once it has been taken for some time.
func (c *call) flood(messages ...[]byte) {
	block := bytes.Repeat(bytes.Join(messages, nil), 1+(16<<10)/len(bytes.Join(messages, nil)))
	late := time.AfterFunc(floodTime, c.peer.show)
	defer late.Stop()
	for said := 0; c.say(block); said += len(block) {
		if said > floodShown {
			c.peer.show()
		}
	}
}

const floodTime = 3 * time.Second
