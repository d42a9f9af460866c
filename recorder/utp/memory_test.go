package utp_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"btda/recorder/utp"
)

// silentPeer is a UDP port that answers nothing.
func silentPeer(t testing.TB) *net.UDPConn {
	t.Helper()
	silent, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	return silent
}

// awaitDials reads until so many connections were asked for.
func awaitDials(t *testing.T, silent *net.UDPConn, dials int) {
	t.Helper()
	silent.SetReadDeadline(time.Now().Add(patience))
	seen := make(map[uint16]bool)
	for packet := make([]byte, 1500); len(seen) < dials; {
		n, err := silent.Read(packet)
		if err != nil {
			t.Fatalf("%d of %d connections were asked for: %v", len(seen), dials, err)
		}
		if n >= 4 {
			seen[binary.BigEndian.Uint16(packet[2:])] = true // connection_id of BEP 29
		}
	}
}

// occupied is the memory of heap and stacks in use, in bytes.
func occupied() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// As many connections as there are sessions may be asked for at one time, of peers that are not there: each takes little while it waits.
func TestMemoryOfDialsThatWait(t *testing.T) {
	const dials, mostEach = 1024, 32 << 10
	from, silent := utp.Sockets{open(t, "127.0.0.1:0", false)}, silentPeer(t)
	before := occupied()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range dials {
		all.Go(func() { from.Dial(ctx, addressOf(silent.LocalAddr())) })
	}
	awaitDials(t, silent, dials)
	took := int64(occupied()-before) / dials
	cancel()
	all.Wait()
	t.Logf("%d bytes each", took)
	if took > mostEach {
		t.Errorf("a connection that is asked for takes %d bytes, want %d at the most", took, mostEach)
	}
}

// What it costs to ask for a connection in vain.
func BenchmarkDialInVain(b *testing.B) {
	from, silent := utp.Sockets{open(b, "127.0.0.1:0", false)}, silentPeer(b)
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), time.Microsecond)
		from.Dial(ctx, addressOf(silent.LocalAddr()))
		cancel()
	}
}
