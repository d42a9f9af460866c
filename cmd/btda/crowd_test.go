//go:build linux

package main_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"btda/events"
	"btda/input/bencode"
	"btda/recorder/wire"
)

// crowd is many scripted peers, each at an address of its own in 127.0.0.0/8 and all on one port. Its process is not that of the recorder.
type crowd struct {
	play     func(net.Conn) // one connection, after the handshakes
	most     int64          // connections that are served; 0 is all
	listener net.Listener
	serving  sync.WaitGroup

	begun, met, ended counter  // connections taken in, with a session of the recorder, and served to the end
	visited           counter  // peers that were met, each counted once
	known             sync.Map // their addresses
}

// counter counts up, and tells when it has come to a number.
type counter struct {
	count   atomic.Int64
	goal    int64
	reached chan struct{} // closed at the goal
}

func (c *counter) add() int64 {
	n := c.count.Add(1)
	if n == c.goal {
		close(c.reached)
	}
	return n
}

func (c *counter) aim(goal int) { c.goal, c.reached = int64(goal), make(chan struct{}) }

// start lets the crowd take in connections.
func (c *crowd) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	c.listener = listener
	c.serving.Go(c.serve)
	t.Cleanup(func() { listener.Close(); c.serving.Wait() })
}

func (c *crowd) serve() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		if n := c.begun.add(); c.most > 0 && n > c.most {
			conn.Close()
			continue
		}
		c.serving.Go(func() {
			defer c.ended.add()
			defer conn.Close()
			c.receive(conn)
		})
	}
}

// receive plays the script, closes the connection in order and waits until the recorder has read all of it.
func (c *crowd) receive(conn net.Conn) {
	var theirs [wire.HandshakeSize]byte
	if _, err := io.ReadFull(conn, theirs[:]); err != nil {
		return
	}
	handshake, err := wire.ParseHandshake(theirs[:])
	if err != nil {
		return
	}
	handshake.Reserved, handshake.PeerID = wire.Reserved{7: 4}, events.PeerID([]byte("-XX0001-one of many."))
	if _, err := conn.Write(handshake.Append(nil)); err != nil {
		return
	}
	// What the recorder says first, have none (BEP 6), it says when its session is open.
	if _, err := io.ReadFull(conn, make([]byte, len(frame(events.HaveNone)))); err != nil {
		return
	}
	c.met.add()
	if _, again := c.known.LoadOrStore(conn.LocalAddr().String(), true); !again {
		c.visited.add()
	}
	c.play(conn)
	_ = conn.(*net.TCPConn).CloseWrite() // fails where the recorder has hung up
	_, _ = io.Copy(io.Discard, conn)
}

// peersOfTracker is how many peers one tracker names; the recorder takes at most 4,096 of one answer.
const peersOfTracker = 4000

// trackers starts as many trackers as it takes to name peers. They are silent until open is closed.
func (c *crowd) trackers(t *testing.T, peers int, open <-chan struct{}) (urls []string) {
	t.Helper()
	port := c.listener.Addr().(*net.TCPAddr).AddrPort().Port()
	var list []byte
	ip := netip.MustParseAddr("127.16.0.1")
	for range peers {
		list = binary.BigEndian.AppendUint16(append(list, ip.AsSlice()...), port)
		ip = ip.Next()
	}
	for part := range slices.Chunk(list, peersOfTracker*6) {
		answer, err := bencode.Marshal(map[string]any{"interval": 1800, "peers": part})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-open:
				_, _ = w.Write(answer)
			case <-r.Context().Done():
			}
		}))
		t.Cleanup(server.Close)
		urls = append(urls, server.URL+"/announce")
	}
	return urls
}

// needDescriptors fails a test for which too few files may be open.
func needDescriptors(t *testing.T, count int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < uint64(count) {
		t.Fatalf("%d files may be open, want %d: raise the limit with ulimit -n", limit.Cur, count)
	}
}
