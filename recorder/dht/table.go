package dht

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	anacrolix "github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"

	"btda/events"
	"btda/input"
	"btda/input/bencode"
)

// Bounds of the file of a routing table.
const (
	maxKept      = 1280 // nodes: 160 buckets of 8
	maxTableFile = 64 << 10
)

// table is what a node keeps from one run to the next.
type table struct {
	id       krpc.ID
	external netip.Addr // as others see us (BEP 42); not valid when not known
	nodes    []krpc.NodeInfo
}

// tableFile is a table as it is stored: a bencoded dictionary.
type tableFile struct {
	ID       []byte `bencode:"id"`
	External []byte `bencode:"ip,omitempty"`    // 4 or 16 bytes
	Nodes    []byte `bencode:"nodes,omitempty"` // compact, of the node's family (BEP 5, BEP 32)
}

// secured gives another id when the one of the table does not fit to the address that others see (BEP 42).
func (t *table) secured(v *views) (krpc.ID, bool) {
	external, ok := v.external()
	if !ok || anacrolix.NodeIdSecure(t.id, external.AsSlice()) {
		return t.id, false
	}
	return newID(external), true
}

// loadTable gives the table of an earlier run, or a new one. A file that cannot be used is passed over.
func (n *Node) loadTable() table {
	t, err := n.readTable()
	switch {
	case err == nil:
		return t
	case !errors.Is(err, fs.ErrNotExist):
		n.config.Text.Warn("the routing table of an earlier run cannot be used", "file", n.config.File, "error", err)
	}
	return table{id: newID(netip.Addr{})}
}

func (n *Node) readTable() (table, error) {
	if n.config.File == "" {
		return table{}, fs.ErrNotExist
	}
	data, err := input.ReadFile(n.config.File, maxTableFile)
	if err != nil {
		return table{}, err
	}
	return n.parseTable(data)
}

var errNoTable = errors.New("it is no routing table")

// parseTable reads what a file holds, and trusts it no more than an answer of a node.
func (n *Node) parseTable(data []byte) (table, error) {
	if len(data) > maxTableFile {
		return table{}, fmt.Errorf("longer than the %d bytes that a routing table takes", maxTableFile)
	}
	v, err := bencode.Parse(data)
	if err != nil {
		return table{}, err
	}
	f := fieldsOf(v, "id", "ip", "nodes")
	id := f.text("id", idSize, idSize)
	if id == nil {
		return table{}, errNoTable
	}
	t := table{id: krpc.ID(id)}
	t.external, _ = netip.AddrFromSlice(f.text("ip", 4, 16))
	size := n.nodeSize()
	for node := range slices.Chunk(f.entries("nodes", size), size) {
		a := events.AddressOf(addrPortOf(node[idSize:]))
		if len(t.nodes) < maxKept && n.config.Judge(a.Scope, a) == 0 {
			t.nodes = append(t.nodes, krpc.NodeInfo{ID: krpc.ID(node), Addr: krpc.NodeAddr{IP: a.Addr().AsSlice(), Port: int(a.Port())}})
		}
	}
	return t, nil
}

func (n *Node) nodeSize() int {
	if n.config.IPv6 {
		return nodeSize6
	}
	return nodeSize4
}

// saveTable replaces the file of the table at once. Without nodes it leaves it as it is.
func (n *Node) saveTable() {
	nodes := n.server.Load().Nodes()
	if n.config.File == "" || len(nodes) == 0 {
		return
	}
	if err := replaceFile(n.config.File, n.tableFile(nodes)); err != nil {
		n.config.Text.Warn("the routing table cannot be kept for the next run", "file", n.config.File, "error", err)
	}
}

func (n *Node) tableFile(nodes []krpc.NodeInfo) tableFile {
	id := n.server.Load().ID()
	f := tableFile{ID: id[:]}
	if external, ok := n.views.external(); ok {
		f.External = external.AsSlice()
	}
	for _, node := range nodes[:min(len(nodes), maxKept)] {
		var entry events.PeerList
		entry.Append(node.Addr.ToNodeAddrPort().AddrPort)
		f.Nodes = slices.Concat(f.Nodes, node.ID[:], entry.V4, entry.V6)
	}
	return f
}

// replaceFile writes a value to a file so that it holds either all of it or what it held before.
func replaceFile(path string, value any) error {
	data, err := bencode.Marshal(value)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
