//go:build unix

package recorder

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/mse"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// processorTime is what this process has taken so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// floodKeys connects many times, sends a public key (MSE), which costs the sender nothing, waits for ours, and leaves. It gives how many
// were answered.
func floodKeys(t *testing.T, to netip.AddrPort, count int) int {
	t.Helper()
	const keySize = 96
	key := append(make([]byte, keySize-1), 2)
	var answered atomic.Int64
	callMany(t, to, count, func(conn net.Conn) {
		conn.Write(key)
		if _, err := io.ReadFull(conn, make([]byte, keySize)); err == nil {
			answered.Add(1)
		}
	})
	return int(answered.Load())
}

// A flood of keys, as fast as connections are taken in, costs two exponentiations each at the most. Peers that come in the midst of it,
// encrypted or not, are observed.
func TestAFloodOfKeys(t *testing.T) {
	const mostEach = 5 * time.Millisecond
	count, rate := 3000, DefaultSettings().AcceptRate
	if testing.Short() {
		count = 1000
	}
	log := &tally{}
	r := startReceiving(t, func(o *receptionOptions) {
		o.Log, o.Observer.Log, o.Rate, o.Greetings = log, log, rate, maxGreetings
		o.Observer.Encryption = session.EncryptionAllow
		o.Observer.Encrypted = mse.NewReceiver(mse.ReceiverOptions{Torrents: slices.Values([]events.InfoHash{observedHash})})
	})
	before := measureMemory()
	began, cpu := time.Now(), processorTime(t)
	answered := make(chan int)
	go func() { answered <- floodKeys(t, r.at, count) }()
	greet(t, r.call(observedHash))
	greet(t, r.callEncrypted())
	n := <-answered
	took, used := time.Since(began), (processorTime(t)-cpu)/time.Duration(count)
	awaitThat(t, func() bool { return r.counts().greeting == 0 })
	after := measureMemory()
	t.Logf("%d of %d keys were answered in %v, %.0f a second, with %v of processor time each, both sides together", n, count, took, float64(count)/took.Seconds(), used)
	if quickest := time.Second * time.Duration(count-rate/10) / time.Duration(rate); n == 0 || took < quickest || used > mostEach {
		t.Errorf("%d of %d keys were answered in %v, with %v each; want at most %d a second and %v", n, count, took, used, rate, mostEach)
	}
	if grown := after.heap + after.stacks - before.heap - before.stacks; grown > 4<<20 {
		t.Errorf("%d keys left %.0f bytes in use, want none", count, grown)
	}
}

// callEncrypted connects with an encrypted handshake.
func (r *receiving) callEncrypted() net.Conn {
	r.t.Helper()
	conn, err := mse.Initiator{Torrent: observedHash}.Initiate(r.call(events.InfoHash{}))
	if err != nil {
		r.t.Fatal(err)
	}
	conn.Write(wire.Handshake{InfoHash: observedHash, PeerID: events.PeerID{8}}.Append(nil))
	return conn
}

// greet reads the answer to a handshake.
func greet(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.ReadFull(conn, make([]byte, wire.HandshakeSize)); err != nil {
		t.Errorf("a good peer was not answered: %v", err)
	}
}
