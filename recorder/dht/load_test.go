package dht

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	anacrolix "github.com/anacrolix/dht/v2"
	"golang.org/x/time/rate"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/swarmtest"
)

// The load of this test, with BTDA_LOAD=1.
const (
	loadNodes    = 500
	loadTorrents = 60
	loadPeers    = 10 // announced for each torrent
)

// loadFigures is what a client of the DHT did.
type loadFigures struct {
	took    time.Duration
	sent    uint64 // datagrams
	named   int    // distinct peers, of all torrents
	memory  uint64 // bytes of heap that it held
	lookups int
}

func (f loadFigures) String() string {
	seconds := f.took.Seconds()
	return fmt.Sprintf("%6.0f lookups a minute, %6.0f datagrams a second, %4.1f datagrams a lookup, recall %5.1f %%, %5.0f KiB of heap",
		60*float64(f.lookups)/seconds, float64(f.sent)/seconds, float64(f.sent)/float64(f.lookups), 100*float64(f.named)/(loadTorrents*loadPeers), float64(f.memory)/1024)
}

// TestLoadOfLookups tells how many lookups a node does, what they find, and what the bare library does in the same DHT. Its nodes are
// those of that library, which name some of the nodes of a bucket, not the closest: so announces do not all go where lookups end, and no
// lookup finds everything.
func TestLoadOfLookups(t *testing.T) {
	if os.Getenv("BTDA_LOAD") == "" {
		t.Skip("set BTDA_LOAD=1 to measure lookups in a DHT of 500 nodes")
	}
	d := startDHT(t, loadNodes, "127.0.32.1")
	announced := announceLoad(t, d)
	var least int // that a node of ours found
	for _, c := range []struct {
		name string
		bare bool
		run  func(*testing.T, *swarmtest.DHT, map[loadPeer]bool) loadFigures
	}{
		{"btda, 50 queries a second", false, func(t *testing.T, d *swarmtest.DHT, a map[loadPeer]bool) loadFigures { return lookUpLoad(t, d, a, 50) }},
		{"btda, without limit", false, func(t *testing.T, d *swarmtest.DHT, a map[loadPeer]bool) loadFigures { return lookUpLoad(t, d, a, 0) }},
		{"bare library, 25 queries a second", true, func(t *testing.T, d *swarmtest.DHT, a map[loadPeer]bool) loadFigures { return bareLoad(t, d, a, 25) }},
		{"bare library, without limit", true, func(t *testing.T, d *swarmtest.DHT, a map[loadPeer]bool) loadFigures {
			return bareLoad(t, d, a, rate.Inf)
		}},
	} {
		f := c.run(t, d, announced)
		t.Logf("%-34s %v", c.name, f)
		if c.bare && f.named > least {
			t.Errorf("%s finds %d peers, btda %d", c.name, f.named, least)
		}
		if !c.bare && (least == 0 || f.named < least) {
			least = f.named
		}
	}
}

// loadPeer is a peer of a torrent.
type loadPeer struct {
	torrent int
	address netip.AddrPort
}

func loadHash(torrent int) events.InfoHash {
	hash := testInfoHash
	hash[0], hash[10] = byte(torrent*4), byte(torrent)
	return hash
}

func announceLoad(t *testing.T, d *swarmtest.DHT) map[loadPeer]bool {
	t.Helper()
	announced := make(map[loadPeer]bool)
	for torrent := range loadTorrents {
		for i := range loadPeers {
			peer, err := d.Announce(t.Context(), (torrent*loadPeers+i)%d.Len(), loadHash(torrent), uint16(7000+i))
			if err != nil {
				t.Fatal(err)
			}
			announced[loadPeer{torrent, peer}] = true
		}
	}
	return announced
}

// lookUpLoad looks every torrent up once with a node of ours.
func lookUpLoad(t *testing.T, d *swarmtest.DHT, announced map[loadPeer]bool, perSecond int) loadFigures {
	before := heap()
	n := startNode(t, "127.0.0.1", beginWith(d.Bootstrap()), func(c *Config) {
		c.Rate, c.Log = perSecond, eventstest.NewLog()
		c.Torrent = func(events.InfoHash) events.TorrentNumber { return 1 } // all are observed
	})
	n.awaitJoin(t)
	sent, began := n.gateway.counts.sent.Load(), time.Now()
	var looking sync.WaitGroup
	for torrent := range loadTorrents {
		looking.Go(func() {
			if err := n.Lookup(t.Context(), Request{Torrent: events.TorrentNumber(torrent + 1), InfoHash: loadHash(torrent)}); err != nil {
				t.Error(err)
			}
		})
	}
	looking.Wait()
	f := loadFigures{took: time.Since(began), sent: n.gateway.counts.sent.Load() - sent, lookups: loadTorrents}
	for _, e := range eventsOf[*events.DHTLookedUp](n.log) {
		for a := range e.Peers.All() {
			countNamed(&f, announced, loadPeer{int(e.Torrent) - 1, a.AddrPort})
		}
	}
	restore(announced)
	f.memory = heap() - min(before, heap()) // the facts are part of it: a log on disk holds them elsewhere
	n.stop()
	return f
}

// countNamed counts a peer that was announced, once.
func countNamed(f *loadFigures, announced map[loadPeer]bool, p loadPeer) {
	if announced[p] {
		announced[p] = false
		f.named++
	}
}

func restore(announced map[loadPeer]bool) {
	for p := range announced {
		announced[p] = true
	}
}

// countingSocket counts what is sent.
type countingSocket struct {
	net.PacketConn
	sent atomic.Uint64
}

func (s *countingSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	s.sent.Add(1)
	return s.PacketConn.WriteTo(b, to)
}

// bareLoad looks every torrent up once with the library alone.
func bareLoad(t *testing.T, d *swarmtest.DHT, announced map[loadPeer]bool, perSecond rate.Limit) loadFigures {
	before := heap()
	socket, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	counting := &countingSocket{PacketConn: socket}
	c := anacrolix.NewDefaultServerConfig()
	c.Conn, c.Logger, c.SendLimiter = counting, quiet(), rate.NewLimiter(perSecond, 25)
	c.StartingNodes = func() ([]anacrolix.Addr, error) {
		return []anacrolix.Addr{anacrolix.NewAddr(udpAddress(netip.MustParseAddrPort(d.Bootstrap())))}, nil
	}
	server, err := anacrolix.NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := server.BootstrapContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent, began := counting.sent.Load(), time.Now()
	f := loadFigures{lookups: loadTorrents}
	var mu sync.Mutex
	var looking sync.WaitGroup
	places := make(chan struct{}, maxLookups)
	for torrent := range loadTorrents {
		looking.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			announce, err := server.AnnounceTraversal(loadHash(torrent))
			if err != nil {
				t.Error(err)
				return
			}
			for values := range announce.Peers {
				mu.Lock()
				for _, a := range values.Peers {
					countNamed(&f, announced, loadPeer{torrent, a.ToNodeAddrPort().AddrPort})
				}
				mu.Unlock()
			}
		})
	}
	looking.Wait()
	f.took, f.sent = time.Since(began), counting.sent.Load()-sent
	restore(announced)
	f.memory = heap() - min(before, heap())
	return f
}

// heap is the memory in use, without garbage.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
