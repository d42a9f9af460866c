//go:build linux

package main_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"btda/events"
	"btda/events/eventstest"
	"btda/input/bencode"
	"btda/recorder/wire"
)

// metadataLiar is a peer that lies about the metadata of a magnet link, and what must be in the log about it.
type metadataLiar struct {
	name   string
	claims int           // bytes
	lies   byte          // what its pieces are made of; 0 for no answer to a request
	lied   atomic.Bool   // it has given its last piece
	judged chan struct{} // closed when it is met again after that: by then its metadata has been checked
	once   sync.Once
	floods bool     // gives pieces without end that nobody asked for
	want   []string // reasons, of which one must be that of its failure
}

const (
	largeMetadata = 32 << 20 // bytes: as large as --max-metadata allows
	metadataPiece = 16 << 10 // bytes (BEP 9)
)

// lie gives a piece of other bytes.
func (l *metadataLiar) lie(piece int) wire.MetadataMessage {
	if piece == (l.claims-1)/metadataPiece {
		l.lied.Store(true)
	}
	return wire.MetadataMessage{Type: wire.MetadataData, Piece: uint32(piece), TotalSize: events.Some(uint64(l.claims)),
		Data: bytes.Repeat([]byte{l.lies}, min(metadataPiece, l.claims-piece*metadataPiece))}
}

// metadataLiars lie about metadata of a size.
func metadataLiars(size int) []*metadataLiar {
	wrong := []string{"reason=hash-mismatch", "reason=size-mismatch"}
	liars := []*metadataLiar{
		{name: "claims 4 GiB", claims: 4 << 30, want: []string{"reason=too-large"}},
		{name: "claims more than can be", claims: 1 << 62, want: []string{"reason=too-large"}},
		{name: "gives a wrong hash", claims: size, lies: 1, want: wrong},
		{name: "gives another wrong hash", claims: size, lies: 2, want: wrong},
		{name: "gives pieces without end", claims: size, floods: true, want: nil},
		{name: "gives pieces without end of a large one", claims: largeMetadata - 6, floods: true, want: nil},
	}
	for i := range 4 {
		claims := largeMetadata - i
		liars = append(liars, &metadataLiar{name: fmt.Sprintf("gives %d bytes that are none", claims), claims: claims, lies: 3, want: wrong})
	}
	for _, l := range liars {
		l.judged = make(chan struct{})
	}
	return liars
}

// play lies until the recorder hangs up.
func (l *metadataLiar) play(c *call) {
	if l.lied.Load() {
		l.once.Do(func() { close(l.judged) })
	}
	c.shake(metadataHandshake(l.claims))
	if l.floods {
		piece := wire.MetadataMessage{Type: wire.MetadataData, Piece: 1, TotalSize: events.Some(uint64(l.claims)), Data: make([]byte, metadataPiece)}
		c.flood(extended(wire.MetadataID, string(piece.Append(nil))))
		return
	}
	c.answerMetadata(l.lie)
}

func metadataHandshake(size int) []byte {
	return extended(0, fmt.Sprintf("d1:md11:ut_metadatai7ee13:metadata_sizei%dee", size))
}

// answerMetadata answers requests until the recorder hangs up.
func (c *call) answerMetadata(answer func(piece int) wire.MetadataMessage) {
	for {
		var prefix [4]byte
		if _, err := io.ReadFull(c, prefix[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint32(prefix[:]))
		if _, err := io.ReadFull(c, message); err != nil {
			return
		}
		if len(message) < 2 || message[0] != byte(events.Extended) || message[1] != 7 {
			continue
		}
		if asked, err := wire.ParseMetadata(message[2:]); err == nil && asked.Type == wire.MetadataRequest {
			m := answer(int(asked.Piece))
			c.say(extended(wire.MetadataID, string(m.Append(nil))))
		}
	}
}

// Ten liars and one honest peer, which comes last: the metadata of a magnet link is found, each lie has its reason, and memory is bounded
// whatever is claimed and given.
func TestHostileMetadata(t *testing.T) {
	info, err := bencode.Marshal(map[string]any{"name": "cats", "piece length": 16384, "pieces": strings.Repeat("x", 20*4000), "length": 16384 * 4000})
	if err != nil {
		t.Fatal(err)
	}
	hash := events.InfoHash(sha1.Sum(info))
	link := fmt.Sprintf("magnet:?xt=urn:btih:%v", hash)
	liars := metadataLiars(len(info))
	peers := make([]*scriptedPeer, len(liars))
	for i := range liars {
		peers[i] = &scriptedPeer{name: liars[i].name, play: liars[i].play}
		startScripted(t, peers[i], netip.AddrFrom4([4]byte{127, 0, 39, byte(1 + i)}))
		link += "&x.pe=" + peers[i].address.String()
	}
	port := freePort(t)
	recording, output := startRecord(t, link, "-ap", "--port", port, "--revisit", "4s", "--timeout", "3s")
	for i, p := range peers {
		await(t, "the recorder to leave one that "+p.name, p.shown)
		if liars[i].lies != 0 {
			await(t, "the recorder to judge one that "+p.name, liars[i].judged)
		}
	}
	g := guests{torrent: hash, to: net.JoinHostPort(ourAddress, port), next: netip.MustParseAddr("127.0.39.100")}
	honest := g.come(t, "an honest peer", func(c *call) {
		c.shake(metadataHandshake(len(info)), frame(events.HaveAll))
		c.answerMetadata(func(piece int) wire.MetadataMessage {
			given := slices.Collect(slices.Chunk(info, metadataPiece))[piece]
			return wire.MetadataMessage{Type: wire.MetadataData, Piece: uint32(piece), TotalSize: events.Some(uint64(len(info))), Data: given}
		})
	})
	await(t, "the recorder to leave the honest peer as complete", honest.shown)
	memory := peakMemory(t, recording.command.Process.Pid)
	recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)
	t.Logf("peak memory %d MiB", memory>>20)
	if memory > hostileMemory {
		t.Errorf("peak memory %d MiB, want at most %d", memory>>20, hostileMemory>>20)
	}
	lines := strings.Split(eventstest.Format(readLog(t, log)), "\n")
	checkLines(t, honest.name, linesOfPeer(lines, honest.address), facts("MetadataReceived", "SessionClosed by=us reason=complete"))
	judged := 0 // of those that claim the true size, who give their pieces side by side until one of them must give all
	for i, l := range liars {
		about := linesOfPeer(lines, peers[i].address)
		failed := slices.ContainsFunc(l.want, func(reason string) bool { return len(linesWith(about, "MetadataFailed", reason)) > 0 })
		if l.claims == len(info) && failed {
			judged++
		}
		if !failed && l.want != nil && l.claims != len(info) {
			t.Errorf("one that %s: want a failure with one of %q, recorded is\n%.3000s", l.name, l.want, strings.Join(about, "\n"))
		}
	}
	if judged == 0 {
		t.Error("nobody who gave a wrong hash of the true size has failed")
	}
}
