package recorder

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"sync/atomic"

	"btda/events"
	"btda/recorder/dht"
	"btda/recorder/utp"
)

// nodes are our nodes of the DHT, one for each address family that this host has.
type nodes []*node

type node struct {
	*dht.Node
	socket net.PacketConn
	ipv6   bool
}

// listenDHT opens the sockets of the nodes; none without --dht. Where uTP has the port already, both share it.
func (r *Recorder) listenDHT(streams utp.Sockets) ([]net.PacketConn, error) {
	if !r.settings.DHT {
		return nil, nil
	}
	o := opening{bind: r.settings.Bind, port: r.settings.DHTPort, setting: "dht-port", logger: r.deps.Logger}
	return openSockets(o, func(at netip.AddrPort) (net.PacketConn, error) {
		for _, s := range streams {
			if s.Addr().(*net.UDPAddr).AddrPort() == at {
				return s.Others(), nil
			}
		}
		return dht.Listen(at)
	})
}

// enterDHT prepares a node for each socket, and tells sessions of them.
func (r *run) enterDHT(sockets []net.PacketConn) {
	var lookups atomic.Uint64
	for _, socket := range sockets {
		n := &node{socket: socket, ipv6: socket.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().Is6()}
		c := r.nodeConfig(n)
		c.Number = func() events.LookupNumber { return events.LookupNumber(lookups.Add(1)) }
		n.Node = dht.NewNode(c)
		r.nodes = append(r.nodes, n)
	}
	if len(r.nodes) > 0 {
		r.observer.DHTPort, r.observer.OfferNode = r.settings.DHTPort, r.offerNode
	}
}

func (r *run) nodeConfig(n *node) dht.Config {
	c := dht.Config{
		Conn: n.socket, IPv6: n.ipv6, Log: r.gate, Text: r.deps.Logger, Judge: r.judgeNode, Torrent: r.publicTorrent,
		Offer: func(named dht.Named) {
			r.intake.offer(namedBySource(named))
		},
		Bootstrap: r.settings.DHTBootstrap, Rate: r.settings.DHTRate, ReadOnly: r.settings.DHTReadOnly, File: r.tableFile(n.ipv6),
		Lonely: func(why events.Reason) {
			r.advise(fmt.Sprintf("no node of the DHT has answered (%v): UDP may be blocked by a firewall, or the nodes of --dht-bootstrap be gone; they are asked again now and then", why))
		},
		Elsewhere: func() bool { return r.nodes.tellsFor(n) }, Hurry: r.hurry,
	}
	if len(r.settings.Bind) != 1 {
		c.Foreign = r.offerNode
	}
	return c
}

func namedBySource(n dht.Named) named {
	return named{torrent: n.Torrent, source: events.SourceDHT, from: n.From, peers: n.Peers}
}

// tableFile is where the routing table of a family is kept from one run to the next: beside the event logs.
func (r *Recorder) tableFile(ipv6 bool) string {
	name := "dht-ipv4.nodes"
	if ipv6 {
		name = "dht-ipv6.nodes"
	}
	return filepath.Join(filepath.Dir(filepath.Clean(r.settings.Events)), name)
}

// tellsFor tells whether another node speaks for one that finds nobody: one that has found somebody, else that of IPv4.
func (all nodes) tellsFor(lonely *node) bool {
	for _, n := range all {
		if n != lonely && (n.Joined() || lonely.ipv6) {
			return true
		}
	}
	return false
}

// judgeNode gives the reason why an address is not that of a node to contact, or 0.
func (r *run) judgeNode(from events.Scope, a events.Address) events.Reason {
	if a.Port() == r.settings.DHTPort && r.isOwn(a.Addr()) {
		return events.ReasonOwnAddress
	}
	return r.rules.judge(from, a)
}

func (r *run) isOwn(a netip.Addr) bool {
	for _, own := range r.own {
		if own.Addr() == a {
			return true
		}
	}
	return false
}

// publicTorrent gives the torrent with an info hash: 0 when it is not observed, or known to be private (BEP 27).
func (r *run) publicTorrent(hash events.InfoHash) events.TorrentNumber {
	if t, observed := r.book.byHash(hash); observed && !r.book.private(t.Number) {
		return t.Number
	}
	return 0
}

// offerNode takes in a node that a peer (BEP 5) or a node of the other family (BEP 32) told of.
func (r *run) offerNode(at netip.AddrPort) {
	a := events.AddressOf(at)
	if r.judgeNode(a.Scope, a) != 0 {
		return
	}
	for _, n := range r.nodes {
		if n.ipv6 == a.Addr().Is6() {
			n.Offer(a.AddrPort)
		}
	}
}

// startDHT runs the nodes, and looks every torrent up as long as it is not known to be private, until ctx is done.
func (r *run) startDHT(ctx context.Context) {
	for _, n := range r.nodes {
		r.sources.Go(func() { n.Run(ctx) })
		for _, t := range r.torrents {
			request := dht.Request{Torrent: t.TorrentNumber, InfoHash: t.InfoHash, Port: r.dhtAnnounce()}
			r.sources.Go(func() { _ = n.Search(ctx, request, r.settings.DHTInterval) }) // its error is the log's, which Run watches
		}
	}
}

// dhtAnnounce is the port to announce; 0 to announce none.
func (r *run) dhtAnnounce() uint16 {
	if !r.settings.Passive || r.settings.DHTReadOnly || r.settings.NoDHTAnnounce {
		return 0
	}
	return r.settings.Port
}

// close closes the sockets of nodes that were not started.
func (all nodes) close() error {
	var failures []error
	for _, n := range all {
		failures = append(failures, n.socket.Close())
	}
	return errors.Join(failures...)
}
