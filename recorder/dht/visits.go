package dht

import (
	"net/netip"
	"sync"

	"github.com/anacrolix/dht/v2/krpc"
	peer_store "github.com/anacrolix/dht/v2/peer-store"
	"golang.org/x/time/rate"

	"btda/events"
)

// Bounds of what others announce to us.
const (
	maxPending   = 1024 // announces whose token is not checked yet
	announceRate = 50   // announces of our torrents that are recorded in a second
)

// visits takes in what other nodes announce to ours (BEP 5). The library checks the token, without which anybody could announce
// anybody; but it tells less than the message said, which is kept here meanwhile.
type visits struct {
	node *Node
	pace *rate.Limiter

	mu      sync.Mutex
	pending map[visit]events.DHTPeerAnnounced
	crowded map[events.TorrentNumber]bool // whose LimitReached was appended
}

// visit is what an announce is known by.
type visit struct {
	infoHash events.InfoHash
	peer     netip.AddrPort
}

func newVisits(n *Node) *visits {
	return &visits{
		node: n, pace: limiter(announceRate), pending: make(map[visit]events.DHTPeerAnnounced), crowded: make(map[events.TorrentNumber]bool),
	}
}

// note remembers an announce of one of our torrents. Others are none of our business.
func (v *visits) note(m *message, from events.Address) {
	hash := events.InfoHash(m.question.infoHash)
	torrent := v.node.config.Torrent(hash)
	if torrent == 0 || m.question.port < 0 && !m.question.implied {
		return
	}
	fact := events.DHTPeerAnnounced{
		Torrent: torrent, InfoHash: hash, Node: from, NodeID: events.NodeID(m.id), Port: uint16(max(m.question.port, 0)),
		ImpliedPort: m.question.implied, Seed: m.question.seed,
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pending) >= maxPending {
		clear(v.pending) // of which most had a bad token: the library needs a moment for one that is good
	}
	v.pending[visit{hash, peerOf(&fact)}] = fact
}

// peerOf is the peer that is announced.
func peerOf(e *events.DHTPeerAnnounced) netip.AddrPort {
	if e.ImpliedPort {
		return e.Node.AddrPort
	}
	return netip.AddrPortFrom(e.Node.Addr(), e.Port)
}

// AddPeer is called by the library when the token of an announce was good.
func (v *visits) AddPeer(hash peer_store.InfoHash, a krpc.NodeAddr) {
	v.node.store.AddPeer(hash, a)
	peer := a.ToNodeAddrPort()
	key := visit{events.InfoHash(hash), netip.AddrPortFrom(peer.Addr().Unmap().WithZone(""), peer.Port())}
	v.mu.Lock()
	fact, known := v.pending[key]
	delete(v.pending, key)
	v.mu.Unlock()
	if known && v.fits(fact.Torrent) {
		v.record(&fact)
	}
}

// GetPeers gives some of the peers that announced an info hash.
func (v *visits) GetPeers(hash peer_store.InfoHash) []krpc.NodeAddr {
	return v.node.store.GetPeers(hash)
}

// fits tells whether one more announce is recorded.
func (v *visits) fits(torrent events.TorrentNumber) bool {
	if v.pace.Allow() {
		return true
	}
	v.mu.Lock()
	again := v.crowded[torrent]
	v.crowded[torrent] = true
	v.mu.Unlock()
	if !again {
		_ = v.node.append(&events.LimitReached{Torrent: torrent, Limit: events.LimitDHTAnnounces, Value: announceRate + 1, Bound: announceRate})
	}
	return false
}

// record appends an announce, and offers the peer. A failure is the log's, whose owner watches it.
func (v *visits) record(fact *events.DHTPeerAnnounced) {
	if v.node.append(fact) != nil {
		return
	}
	named := Named{Torrent: fact.Torrent, From: fact.Node.Scope}
	named.Peers.Append(peerOf(fact))
	v.node.config.Offer(named)
}
