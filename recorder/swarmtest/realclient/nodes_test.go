package realclient

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"btda/events"
)

// newNodes gives nodes that said some lines. The process does not end.
func newNodes(lines ...string) *Nodes {
	n := &Nodes{process: &process{ended: make(chan struct{})}, announced: make(map[announced]bool), news: make(chan struct{})}
	for _, line := range lines {
		n.take([]byte(line))
	}
	return n
}

func TestNodesTellWhoIsAnnounced(t *testing.T) {
	hash := events.InfoHash([]byte("info hash of torrent"))
	other := events.InfoHash([]byte("that of another one."))
	peer := netip.MustParseAddrPort("127.0.0.2:6881")
	n := newNodes(`{"node":"127.0.0.1:1000"}`, `{"peer":"127.0.0.2:6881","hash":"`+hash.String()+`"}`)
	if got := n.Addresses(); len(got) != 1 || got[0] != netip.MustParseAddrPort("127.0.0.1:1000") {
		t.Errorf("nodes at %v", got)
	}
	if err := n.WaitPeer(t.Context(), hash, peer); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := n.WaitPeer(ctx, other, peer); err == nil || !strings.Contains(err.Error(), peer.String()) {
		t.Errorf("a peer of another torrent: %v", err)
	}
}

// A peer is waited for until it comes, and not when the program says what is not understood.
func TestNodesAreWaitedFor(t *testing.T) {
	hash := events.InfoHash([]byte("info hash of torrent"))
	for line, fails := range map[string]bool{`{"peer":"127.0.0.2:6881","hash":"` + hash.String() + `"}`: false, "crashed": true, `{"hash":"not hexadecimal"}`: true} {
		n := newNodes()
		waited := make(chan error)
		go func() { waited <- n.WaitPeer(t.Context(), hash, netip.MustParseAddrPort("127.0.0.2:6881")) }()
		n.take([]byte(line))
		if err := <-waited; (err != nil) != fails {
			t.Errorf("%s: %v", line, err)
		}
	}
}
