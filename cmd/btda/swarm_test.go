package main_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"btda/events"
	"btda/input"
	"btda/input/bencode"
	"btda/recorder/wire"
)

// ourAddress is where the recorder connects from; its peers are on others.
const ourAddress = "127.0.0.3"

// pieceCount is that of the torrent of the tests.
const pieceCount = 4

// tracker is an HTTP tracker that names some peers.
type tracker struct {
	*httptest.Server
	peers    []byte        // compact
	interval int           // between announces, in seconds
	told     chan string   // the event of each announce
	release  chan struct{} // `stopped` is answered once it is closed
	empty    atomic.Bool   // nobody is named any more
}

func startTracker(t *testing.T, peers ...*peer) *tracker {
	t.Helper()
	tr := &tracker{interval: 1800, told: make(chan string, 100), release: make(chan struct{})}
	for _, p := range peers {
		tr.name(p.address)
	}
	tr.Server = httptest.NewServer(http.HandlerFunc(tr.answer))
	t.Cleanup(tr.Server.Close)
	t.Cleanup(tr.answerAll)
	return tr
}

// name adds a peer to those that are named, before the tracker is asked.
func (tr *tracker) name(peer netip.AddrPort) {
	tr.peers = binary.BigEndian.AppendUint16(append(tr.peers, peer.Addr().AsSlice()...), peer.Port())
}

// answerAll lets the answers to `stopped` go.
func (tr *tracker) answerAll() {
	select {
	case <-tr.release:
	default:
		close(tr.release)
	}
}

func (tr *tracker) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/announce" {
		http.NotFound(w, r)
		return
	}
	event := r.URL.Query().Get("event")
	tr.told <- event
	if event == "stopped" {
		select {
		case <-tr.release:
		case <-r.Context().Done():
		}
	}
	peers := tr.peers
	if tr.empty.Load() {
		peers = nil
	}
	data, err := bencode.Marshal(map[string]any{"interval": tr.interval, "peers": peers})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(data)
}

// awaitTold waits for an announce with an event.
func (tr *tracker) awaitTold(t *testing.T, event string) {
	t.Helper()
	for timeout := time.After(patience); ; {
		select {
		case told := <-tr.told:
			if told == event {
				return
			}
		case <-timeout:
			t.Fatalf("the tracker was not told %q", event)
		}
	}
}

// peer is a peer that tells about its pieces and keeps the connection.
type peer struct {
	address  netip.AddrPort
	listener net.Listener
	says     []byte        // after the handshake
	met      chan struct{} // closed when its first session is open and it has said all
	left     chan struct{} // closed when the recorder has hung up that one
}

// startPeer starts a peer on an address of its own that begins with a bitfield and then says which pieces it has got.
func startPeer(t *testing.T, ip string, bitfield byte, haves ...uint32) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{
		address: netip.MustParseAddrPort(listener.Addr().String()), listener: listener,
		says: []byte{0, 0, 0, 2, byte(events.Bitfield), bitfield},
		met:  make(chan struct{}), left: make(chan struct{}),
	}
	for _, index := range haves {
		p.says = binary.BigEndian.AppendUint32(append(p.says, 0, 0, 0, 5, byte(events.Have)), index)
	}
	done := make(chan struct{})
	go func() { defer close(done); p.serve() }()
	t.Cleanup(func() { listener.Close(); <-done })
	return p
}

// serve talks with the recorder on one connection; others wait in vain.
func (p *peer) serve() {
	conn, err := p.listener.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	var theirs [wire.HandshakeSize]byte
	if _, err := io.ReadFull(conn, theirs[:]); err != nil {
		return
	}
	handshake, err := wire.ParseHandshake(theirs[:])
	if err != nil {
		return
	}
	handshake.Reserved, handshake.PeerID = wire.Reserved{7: 4}, events.PeerID([]byte("-XX0000-abcdefghijkl")) // BEP 6 only
	if _, err := conn.Write(append(handshake.Append(nil), p.says...)); err != nil {
		return
	}
	// With the fast extension the recorder says have-none once the session is open.
	if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
		return
	}
	close(p.met)
	_, _ = io.Copy(io.Discard, conn)
	close(p.left)
}

// writeTorrent makes a .torrent file for a tracker.
func writeTorrent(t *testing.T, tr *tracker) string {
	t.Helper()
	return writeSwarmTorrent(t, pieceCount, tr.URL+"/announce")
}

// writeSwarmTorrent makes a .torrent file with a number of pieces, for trackers by their announce URLs, each a tier of its own (BEP 12).
func writeSwarmTorrent(t *testing.T, count int, announceURLs ...string) string {
	t.Helper()
	var tiers [][]string
	for _, url := range announceURLs {
		tiers = append(tiers, []string{url})
	}
	data, err := bencode.Marshal(map[string]any{
		"announce": announceURLs[0], "announce-list": tiers,
		"info": map[string]any{"name": "cats", "piece length": 16384, "pieces": strings.Repeat("x", 20*count), "length": 16384 * count},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cats.torrent")
	writeFile(t, path, data)
	if _, err := input.ReadTorrent(path); err != nil {
		t.Fatal(err)
	}
	return path
}
