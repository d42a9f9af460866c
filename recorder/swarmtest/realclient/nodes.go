package realclient

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"btda/events"
)

// Nodes are running nodes of the DHT, of npm's bittorrent-dht, for IPv4. They know each other, and those who come to them.
type Nodes struct {
	process *process

	mu        sync.Mutex
	addresses []netip.AddrPort
	announced map[announced]bool
	failed    error
	news      chan struct{} // closed when one of the above changes, and replaced
}

// announced is a peer of a torrent.
type announced struct {
	hash events.InfoHash
	peer netip.AddrPort
}

// NodesOptions chooses nodes of the DHT.
type NodesOptions struct {
	Addresses []netip.Addr    // on loopback, one for each node
	Near      events.InfoHash // close to which their ids are, so that everybody who looks for it comes to them
	Folder    string          // in which they get a folder of their own
}

// StartNodes starts nodes of the DHT and waits until they know each other. They run until Close.
func StartNodes(ctx context.Context, o NodesOptions) (*Nodes, error) {
	modules, err := installNPM(ctx)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(o.Folder, "nodes")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	told, err := json.Marshal(map[string]any{"hosts": o.Addresses, "near": o.Near.String()})
	if err != nil {
		return nil, err
	}
	n := &Nodes{announced: make(map[announced]bool), news: make(chan struct{})}
	how := launch{name: "nodes", path: "node", args: []string{filepath.Join(modules, nodesProgram), string(told)}, folder: folder,
		output: &lineWriter{take: n.take}, leashed: true}
	if n.process, err = how.run(); err != nil {
		return nil, err
	}
	if err := n.wait(ctx, func() bool { return len(n.addresses) == len(o.Addresses) }); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// take takes in a line that the program prints.
func (n *Nodes) take(line []byte) {
	var said struct {
		Node netip.AddrPort `json:"node"`
		Peer netip.AddrPort `json:"peer"`
		Hash string         `json:"hash"`
	}
	err := json.Unmarshal(line, &said)
	hash, malformed := hex.DecodeString(said.Hash)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err != nil || malformed != nil:
		n.failed = fmt.Errorf("realclient: nodes said %q: %w", line, errors.Join(err, malformed))
	case said.Node.IsValid():
		n.addresses = append(n.addresses, said.Node)
	case len(hash) == len(events.InfoHash{}):
		n.announced[announced{events.InfoHash(hash), said.Peer}] = true
	}
	close(n.news)
	n.news = make(chan struct{})
}

// wait waits until something holds, which is asked with the lock held.
func (n *Nodes) wait(ctx context.Context, holds func() bool) error {
	for {
		n.mu.Lock()
		reached, failed, news := holds(), n.failed, n.news
		n.mu.Unlock()
		if failed != nil || reached {
			return failed
		}
		select {
		case <-news:
		case <-n.process.ended:
			return n.process.failure(errors.New("it ended by itself"))
		case <-ctx.Done():
			return n.process.failure(fmt.Errorf("what is waited for does not come: %w", ctx.Err()))
		}
	}
}

// WaitPeer waits until a peer of a torrent was announced to a node.
func (n *Nodes) WaitPeer(ctx context.Context, hash events.InfoHash, peer netip.AddrPort) error {
	if err := n.wait(ctx, func() bool { return n.announced[announced{hash, peer}] }); err != nil {
		return fmt.Errorf("%v in the DHT: %w", peer, err)
	}
	return nil
}

// Addresses is where the nodes are.
func (n *Nodes) Addresses() []netip.AddrPort { return n.addresses }

// Close ends the nodes.
func (n *Nodes) Close() error {
	n.process.kill()
	return n.failed
}
