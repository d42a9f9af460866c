package dht

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anacrolix/log"

	"btda/events"
	"btda/events/eventstest"
)

// tokenAnswer is what a well-behaved node adds to an answer to get_peers.
const tokenAnswer = "5:token1:t"

// A node that lies in its values is recorded as it speaks; what is no peer by its length is counted.
func TestHostileValues(t *testing.T) {
	l := startLiar(t, "127.0.0.2", func(m message) []string {
		if m.method != "get_peers" {
			return []string{response(m, testID, "")}
		}
		return []string{response(m, testID, tokenAnswer+"6:valuesl6:\x05\x06\x07\x08\x1a\xe16:\x05\x06\x07\x09\x00\x000:1:x7:1234567i5ee")}
	})
	n := startNode(t, "127.0.0.1", beginWith(l.address.String()))
	n.lookUp(t, testRequest)
	looked := eventsOf[*events.DHTLookedUp](n.log)
	if len(looked) != 1 || looked[0].InvalidPeers != 4 || looked[0].Peers.Len() != 2 || looked[0].Peers.At(1).Port() != 0 || string(looked[0].Version) != "LI01" {
		t.Errorf("%s", eventstest.Format(n.log.Records()))
	}
}

// Answers of another transaction, or from another address than the one that was asked, are none; the right one still counts.
func TestAnswersThatAreNone(t *testing.T) {
	other, err := Listen(netip.MustParseAddrPort("127.0.0.3:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	forged := "6:valuesl6:\x06\x06\x06\x06\x1a\xe1e"
	var ours atomic.Value
	l := startLiar(t, "127.0.0.2", func(m message) []string {
		if m.method != "get_peers" {
			return []string{response(m, testID, "")}
		}
		other.WriteTo([]byte(response(m, testID, forged)), udpAddress(ours.Load().(netip.AddrPort)))
		wrong := m
		wrong.transaction = append([]byte("?"), m.transaction[1:]...)
		return []string{response(wrong, testID, forged), response(m, testID, tokenAnswer+"6:valuesl6:\x05\x06\x07\x08\x1a\xe1e")}
	})
	n := startNode(t, "127.0.0.1", beginWith(l.address.String()))
	ours.Store(n.address)
	n.lookUp(t, testRequest)
	if named := peersNamed(n.log); len(named) != 1 || !named[netip.MustParseAddrPort("5.6.7.8:6881")] {
		t.Errorf("named are %v", named)
	}
	if got := n.gateway.counts.unasked.Load(); got < 2 {
		t.Errorf("%d answers to nothing are counted, want at least 2", got)
	}
}

// A hundred thousand datagrams of every bad kind change nothing: not a line on the terminal or in the text log, no fact, and the node
// still works.
func TestRandomDatagramsMakeNoNoise(t *testing.T) {
	count := 100_000
	if testing.Short() {
		count = 10_000
	}
	var library, text bytes.Buffer
	handlers := log.Default.Handlers
	log.Default.SetHandlers(log.StreamHandler{W: &library, Fmt: log.LineFormatter})
	defer log.Default.SetHandlers(handlers...)

	n := NewNode(testConfig(newDeafSocket()))
	n.config.Text = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n.serve(n.loadTable())
	defer n.server.Load().Close()
	seeds := seedDatagrams(t)
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range count {
		sender := udpAddress(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 2, byte(i >> 8), byte(i)}), uint16(chance.Uint32())))
		n.gateway.take(randomDatagram(chance, seeds), sender)
	}
	sender := udpAddress(netip.MustParseAddrPort("127.0.0.9:6881"))
	n.config.Conn.(*deafSocket).await(t, "sound", func() {
		n.gateway.take([]byte("d1:ad2:id20:"+testID+"e1:q4:ping1:t5:sound1:y1:qe"), sender)
	})
	if library.Len() > 0 || text.Len() > 0 {
		t.Errorf("the library says %d bytes, %.200q, the text log has %d, %.200q", library.Len(), library.String(), text.Len(), text.String())
	}
	if records := n.config.Log.(*eventstest.Log).Records(); len(records) > 0 {
		t.Errorf("%d facts came of it", len(records))
	}
}

// seedDatagrams are those of the fuzz tests.
func seedDatagrams(t *testing.T) (all [][]byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/fuzz/FuzzServer/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d seeds, %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, literal, _ := strings.Cut(string(content), "\n")
		var seed string
		if _, err := fmt.Sscanf(strings.TrimSpace(literal), "[]byte(%q)", &seed); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, []byte(seed))
	}
	return all
}

// randomDatagram is noise, or a message with some bytes changed or its end cut off.
func randomDatagram(chance *rand.Rand, seeds [][]byte) []byte {
	if chance.IntN(4) == 0 {
		noise := make([]byte, chance.IntN(200))
		for i := range noise {
			noise[i] = byte(chance.Uint32())
		}
		return noise
	}
	b := bytes.Clone(seeds[chance.IntN(len(seeds))])
	for range chance.IntN(4) {
		b[chance.IntN(len(b))] = byte(chance.Uint32())
	}
	return b[:len(b)-chance.IntN(2)*chance.IntN(len(b))]
}

// The file of a routing table is trusted no more than a datagram.
func TestHostileTables(t *testing.T) {
	n := NewNode(testConfig(newDeafSocket()))
	good := nodeOf(strings.Repeat("n", idSize), netip.MustParseAddrPort("5.6.7.8:6881"))
	for name, c := range map[string]struct {
		file  string
		nodes int
		fails bool
	}{
		"whole":          {"d2:id20:" + testID + "5:nodes26:" + good + "e", 1, false},
		"no nodes":       {"d2:id20:" + testID + "e", 0, false},
		"a cut node":     {"d2:id20:" + testID + "5:nodes30:" + good + "abcde", 1, false},
		"port 0":         {"d2:id20:" + testID + "5:nodes26:" + nodeOf(strings.Repeat("n", idSize), netip.MustParseAddrPort("5.6.7.8:0")) + "e", 0, false},
		"an odd address": {"d2:id20:" + testID + "2:ip5:abcdee", 0, false},
		"no id":          {"d5:nodes26:" + good + "e", 0, true},
		"nothing":        {"", 0, true},
		"a length bomb":  {"d2:id2147483647:", 0, true},
		"too long":       {"d2:id20:" + testID + "1:x70000:" + strings.Repeat("x", 70_000) + "e", 0, true},
		"noise":          {"\x00\xff", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := n.parseTable([]byte(c.file))
			if (err != nil) != c.fails || len(table.nodes) != c.nodes {
				t.Errorf("%d nodes, %v", len(table.nodes), err)
			}
		})
	}
}

// Any file gives a table that a node can be started with, or an error.
func FuzzTable(f *testing.F) {
	n := NewNode(testConfig(newDeafSocket()))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := n.parseTable(data)
		if err != nil {
			return
		}
		if len(table.nodes) > maxKept {
			t.Fatalf("%d nodes", len(table.nodes))
		}
		for _, node := range table.nodes {
			if a := node.Addr.ToNodeAddrPort(); !a.Addr().Is4() || a.Port() == 0 {
				t.Fatalf("node at %v", a)
			}
		}
	})
}

// Nodes that name others without end, each closer than the one before, are asked up to a bound, which is a fact.
func TestEndlessNodes(t *testing.T) {
	const many = maxAsked + 100
	liars := make([]*liar, many)
	id := func(i int) string {
		id := []byte(testHash)
		id[18], id[19] = id[18]^byte((many-i)>>8), id[19]^byte(many-i)
		return string(id)
	}
	var ready sync.WaitGroup
	ready.Add(1)
	for i := range liars {
		at := netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}).Next()
		liars[i] = startLiar(t, at.String(), func(m message) []string {
			ready.Wait()
			var nodes string
			if next := i + 1; next < many && m.method == "get_peers" {
				nodes = nodeOf(id(next), liars[next].address)
			}
			return []string{response(m, id(i), fmt.Sprintf("5:nodes%d:%s%s", len(nodes), nodes, tokenAnswer))}
		})
	}
	ready.Done()
	n := startNode(t, "127.0.0.1", beginWith(liars[0].address.String()))
	end := n.lookUp(t, testRequest)
	limits := eventsOf[*events.LimitReached](n.log)
	if end.Asked != maxAsked || len(limits) != 1 || limits[0].Limit != events.LimitLookupNodes || limits[0].Torrent != 7 {
		t.Errorf("%s, and %d limits", eventstest.FormatEvent(end), len(limits))
	}
}

// Who has one public address has few nodes there, as far as a lookup goes.
func TestNodesAtOnePublicAddressAreFew(t *testing.T) {
	w := &walk{networks: make(map[netip.Prefix]int)}
	for at, want := range map[string]int{"5.5.5.5": maxOfNetwork, "2a00::5": maxOfNetwork, "127.0.0.1": 100} {
		admitted := 0
		for port := range uint16(100) {
			if w.admit(krpcAddress(netip.AddrPortFrom(netip.MustParseAddr(at), 1000+port))) {
				admitted++
			}
		}
		if admitted != want {
			t.Errorf("%d nodes at %s would be asked, want %d", admitted, at, want)
		}
	}
}
