package dht

import (
	"sync"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	peer_store "github.com/anacrolix/dht/v2/peer-store"
)

// Bounds of the peers that we keep for other nodes.
const (
	maxStored     = 20_000 // peers in all
	maxHashPeers  = 200    // of one info hash
	maxReturned   = 50     // in one answer, so that it fits into a datagram
	storedFor     = 45 * time.Minute
	sweepInterval = time.Minute
)

// store keeps the peers that announced to us, and gives them to who asks, as a node of the DHT does (BEP 5). When it is full it takes no
// more. It is safe for use by many goroutines.
type store struct {
	mu    sync.Mutex
	peers map[peer_store.InfoHash]map[krpc.NodeAddrPort]time.Time // since when
	count int
	swept time.Time
}

func newStore() *store {
	return &store{peers: make(map[peer_store.InfoHash]map[krpc.NodeAddrPort]time.Time)}
}

// AddPeer keeps a peer. One without a port is of no use.
func (s *store) AddPeer(hash peer_store.InfoHash, a krpc.NodeAddr) {
	peer, now := a.ToNodeAddrPort(), time.Now()
	if a.Port == 0 || !peer.Addr().IsValid() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	of := s.peers[hash]
	if _, known := of[peer]; !known {
		if s.count >= maxStored || len(of) >= maxHashPeers {
			return
		}
		s.count++
	}
	if of == nil {
		of = make(map[krpc.NodeAddrPort]time.Time)
		s.peers[hash] = of
	}
	of[peer] = now
}

// GetPeers gives some of the peers of an info hash.
func (s *store) GetPeers(hash peer_store.InfoHash) (some []krpc.NodeAddr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(time.Now())
	for peer := range s.peers[hash] {
		if len(some) == maxReturned {
			break
		}
		some = append(some, peer.ToNodeAddr())
	}
	return some
}

// sweep forgets, now and then, who has not announced for long.
func (s *store) sweep(now time.Time) {
	if now.Sub(s.swept) < sweepInterval {
		return
	}
	s.swept = now
	for hash, of := range s.peers {
		for peer, since := range of {
			if now.Sub(since) > storedFor {
				delete(of, peer)
				s.count--
			}
		}
		if len(of) == 0 {
			delete(s.peers, hash)
		}
	}
}
