package recorder_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/input/bencode"
	"btda/recorder/wire"
)

const (
	testPieces  = 16
	testPatient = 20 * time.Second // for what must happen, however slow the machine
)

var testHash = events.InfoHash([]byte("info hash of a swarm"))

// testPeer is a scripted peer on a port of its own, which plays its script on every connection.
type testPeer struct {
	t        testing.TB
	id       events.PeerID
	listener net.Listener
	serving  sync.WaitGroup

	mu          sync.Mutex
	connections []net.Conn
}

// startPeer starts a peer. Its script gets connections after the handshakes, except that a nil script never says a word.
func startPeer(t testing.TB, script func(net.Conn)) *testPeer {
	t.Helper()
	return startPeerAt(t, "127.0.0.1:0", script)
}

func startPeerAt(t testing.TB, address string, script func(net.Conn)) *testPeer {
	t.Helper()
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &testPeer{t: t, listener: listener}
	copy(p.id[:], fmt.Sprintf("-XX0001-%d", p.addr().Port()))
	p.serving.Go(func() { p.serve(script) })
	t.Cleanup(p.close)
	return p
}

func (p *testPeer) serve(script func(net.Conn)) {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.connections = append(p.connections, conn)
		p.mu.Unlock()
		p.serving.Go(func() { p.play(conn, script) })
	}
}

// play closes the connection when the script is over.
func (p *testPeer) play(conn net.Conn, script func(net.Conn)) {
	defer conn.Close()
	if script == nil {
		io.Copy(io.Discard, conn)
		return
	}
	theirs := make([]byte, wire.HandshakeSize)
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return
	}
	wanted, _ := wire.ParseHandshake(theirs) // of testHash, or a magnet link
	conn.Write(wire.Handshake{InfoHash: wanted.InfoHash, PeerID: p.id}.Append(nil))
	script(conn)
}

func (p *testPeer) close() {
	p.listener.Close()
	p.mu.Lock()
	for _, c := range p.connections {
		c.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

func (p *testPeer) addr() netip.AddrPort { return p.listener.Addr().(*net.TCPAddr).AddrPort() }

// visits counts the connections so far.
func (p *testPeer) visits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.connections)
}

func frame(kind events.MessageKind, payload ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)))
	return append(append(b, byte(kind)), payload...)
}

func have(index uint32) []byte {
	return frame(events.Have, binary.BigEndian.AppendUint32(nil, index)...)
}

// The scripts. Each stays until the observer hangs up, except hangUp.
func seed(conn net.Conn) {
	conn.Write(frame(events.Bitfield, 0xff, 0xff))
	io.Copy(io.Discard, conn)
}

func idle(conn net.Conn) {
	conn.Write(frame(events.Bitfield, 0xf0, 0))
	io.Copy(io.Discard, conn)
}

// leech downloads all pieces as soon as its first availability is settled.
func leech(conn net.Conn) {
	conn.Write(frame(events.Bitfield, 0, 0))
	time.AfterFunc(2100*time.Millisecond, func() {
		for piece := range uint32(testPieces) {
			conn.Write(have(piece))
		}
	})
	io.Copy(io.Discard, conn)
}

// mute says nothing after the handshake.
func mute(conn net.Conn) { io.Copy(io.Discard, conn) }

// hangUp tells about its pieces and leaves.
func hangUp(conn net.Conn) { conn.Write(frame(events.Bitfield, 0, 1)) }

// testTracker is an HTTP tracker that names given peers.
type testTracker struct {
	*httptest.Server
	peers []netip.AddrPort
	hang  events.AnnounceEvent // announces with this event are never answered; 0 is none
	gate  <-chan struct{}      // announces are answered once it is closed; nil is at once

	mu   sync.Mutex
	told []string // the events of the announces so far
	said string   // the port of the last announce
}

func startTracker(t testing.TB, tracker *testTracker) *testTracker {
	t.Helper()
	closing := make(chan struct{})
	tracker.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/announce" {
			w.Write([]byte("d5:filesdee"))
			return
		}
		event := r.URL.Query().Get("event")
		tracker.mu.Lock()
		tracker.told = append(tracker.told, event)
		tracker.said = r.URL.Query().Get("port")
		tracker.mu.Unlock()
		if tracker.hang != 0 && event == tracker.hang.String() {
			select {
			case <-closing:
			case <-r.Context().Done():
			}
			return
		}
		if tracker.gate != nil {
			<-tracker.gate
		}
		w.Write(tracker.answer())
	}))
	t.Cleanup(func() { close(closing); tracker.Close() })
	return tracker
}

func (t *testTracker) answer() []byte {
	var list events.PeerList
	for _, a := range t.peers {
		list.Append(a)
	}
	answer, err := bencode.Marshal(map[string]any{"interval": 1800, "peers": string(list.V4)})
	if err != nil {
		panic(err)
	}
	return answer
}

func (t *testTracker) url() string { return t.URL + "/announce" }

// port is that of the last announce.
func (t *testTracker) port() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.said
}

// events are those of the announces so far.
func (t *testTracker) events() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.told...)
}
