package swarmtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	peer_store "github.com/anacrolix/dht/v2/peer-store"
	"github.com/anacrolix/log"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"btda/events"
)

// DHTOptions chooses a DHT.
type DHTOptions struct {
	Nodes int
	// First is the address of the first node; the next ones follow. 127.0.20.1 when not set. At ::1 all nodes share the address.
	First netip.Addr
}

// DHT is a DHT of whole nodes (BEP 5), which know each other and nobody else. It is safe for use by many goroutines.
type DHT struct {
	nodes []*dhtNode
}

type dhtNode struct {
	*dht.Server
	address netip.AddrPort
}

// StartDHT starts a DHT. It runs until Close.
func StartDHT(o DHTOptions) (*DHT, error) {
	next := o.First
	if !next.IsValid() {
		next = netip.AddrFrom4([4]byte{127, 0, 20, 1})
	}
	d := new(DHT)
	for range o.Nodes {
		node, err := d.startNode(next)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("swarmtest: node of the DHT on %v: %w", next, err), d.Close())
		}
		d.nodes = append(d.nodes, node)
		if next != netip.IPv6Loopback() {
			next = next.Next()
		}
	}
	if err := d.meet(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DHT) startNode(at netip.Addr) (*dhtNode, error) {
	conn, err := net.ListenPacket("udp", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		return nil, err
	}
	c := dht.NewDefaultServerConfig()
	c.Conn, c.Logger, c.SendLimiter = conn, quietLogger(), rate.NewLimiter(rate.Inf, 0)
	c.StartingNodes, c.PeerStore = d.startingNodes, &peerStore{peers: make(map[peer_store.InfoHash]map[krpc.NodeAddrPort]bool)}
	c.QueryResendDelay = func() time.Duration { return 2 * time.Second } // nobody is far, but the machine may be busy
	if at.Is6() {
		c.DefaultWant = []krpc.Want{krpc.WantNodes6}
	} else {
		c.DefaultWant = []krpc.Want{krpc.WantNodes}
	}
	server, err := dht.NewServer(c)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &dhtNode{server, conn.LocalAddr().(*net.UDPAddr).AddrPort()}, nil
}

// startingNodes are those that every node begins with.
func (d *DHT) startingNodes() (first []dht.Addr, err error) {
	const few = 3
	for _, n := range d.nodes[:min(len(d.nodes), few)] {
		first = append(first, dht.NewAddr(net.UDPAddrFromAddrPort(n.address)))
	}
	return first, nil
}

// meet lets every node find its place, twice: the early ones know few others at first.
func (d *DHT) meet() error {
	const atOneTime = 8
	for range 2 {
		var group errgroup.Group
		group.SetLimit(atOneTime)
		for _, n := range d.nodes {
			group.Go(func() error {
				_, err := n.Bootstrap()
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return fmt.Errorf("swarmtest: a node of the DHT finds no others: %w", err)
		}
	}
	return nil
}

// Bootstrap is HOST:PORT of a node to begin with.
func (d *DHT) Bootstrap() string { return d.nodes[0].address.String() }

// Len is the number of nodes.
func (d *DHT) Len() int { return len(d.nodes) }

// Announce lets a node announce a peer at its address, and gives that peer.
func (d *DHT) Announce(ctx context.Context, node int, hash events.InfoHash, port uint16) (netip.AddrPort, error) {
	n := d.nodes[node]
	announce, err := n.AnnounceTraversal(hash, dht.AnnouncePeer(dht.AnnouncePeerOpts{Port: int(port)}))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("swarmtest: announce to the DHT: %w", err)
	}
	defer announce.Close()
	for {
		select {
		case _, more := <-announce.Peers:
			if !more {
				return netip.AddrPortFrom(n.address.Addr(), port), nil
			}
		case <-ctx.Done():
			return netip.AddrPort{}, ctx.Err()
		}
	}
}

// Stored gives the peers of a torrent that any node keeps.
func (d *DHT) Stored(hash events.InfoHash) map[netip.AddrPort]bool {
	all := make(map[netip.AddrPort]bool)
	for _, n := range d.nodes {
		for _, a := range n.PeerStore().GetPeers(peer_store.InfoHash(hash)) {
			all[a.ToNodeAddrPort().AddrPort] = true
		}
	}
	return all
}

// Close ends the nodes.
func (d *DHT) Close() error {
	for _, n := range d.nodes {
		n.Server.Close()
	}
	return nil
}

// peerStore keeps peers by address and port: that of the library keeps one of each address.
type peerStore struct {
	mu    sync.Mutex
	peers map[peer_store.InfoHash]map[krpc.NodeAddrPort]bool
}

// AddPeer keeps a peer.
func (s *peerStore) AddPeer(hash peer_store.InfoHash, a krpc.NodeAddr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers[hash] == nil {
		s.peers[hash] = make(map[krpc.NodeAddrPort]bool)
	}
	s.peers[hash][a.ToNodeAddrPort()] = true
}

// GetPeers gives the peers of a torrent.
func (s *peerStore) GetPeers(hash peer_store.InfoHash) (all []krpc.NodeAddr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a := range s.peers[hash] {
		all = append(all, a.ToNodeAddr())
	}
	return all
}

func quietLogger() log.Logger {
	l := log.NewLogger().WithFilterLevel(log.Disabled)
	l.SetHandlers(log.StreamHandler{W: io.Discard, Fmt: log.LineFormatter})
	return l
}
