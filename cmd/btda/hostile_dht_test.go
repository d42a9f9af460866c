//go:build linux

package main_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/recorder/swarmtest"
)

// A recording with --dht takes 100,000 datagrams of every bad kind, among them those that end or swell the bare library, and goes on
// answering: with not a line on the terminal or in the text log, no fact of them, and in bounded memory.
func TestHostileDatagrams(t *testing.T) {
	bursts := 1000
	if testing.Short() {
		bursts = 100
	}
	dht, err := swarmtest.StartDHT(swarmtest.DHTOptions{Nodes: 8, First: netip.MustParseAddr("127.0.36.1")})
	if err != nil {
		t.Fatal(err)
	}
	defer dht.Close()
	tr := startTracker(t)
	tr.answerAll()
	text, port := filepath.Join(t.TempDir(), "a.log"), freePort(t)
	recording, output := startRecord(t, writeTorrent(t, tr), "-ad", "--dht-port", port, "--dht-bootstrap", dht.Bootstrap(), "--dht-rate", "0", "--log-file", text)
	f := datagramFlood{t: t, chance: rand.New(rand.NewPCG(1, 2)), to: net.JoinHostPort(ourAddress, port)}
	before := f.awaitJoin(text)
	terminal, _ := recording.stderr.look()
	for i := range bursts {
		f.burst(i)
	}
	told, _ := recording.stderr.look()
	if noise := progressLines.ReplaceAllString(strings.TrimPrefix(told, terminal), ""); noise != "" {
		t.Errorf("%d bytes of noise are on the terminal: %.500q", len(noise), noise)
	}
	if noise := strings.TrimPrefix(readText(t, text), before); noise != "" {
		t.Errorf("%d bytes of noise are in the text log: %.500q", len(noise), noise)
	}
	if memory := peakMemory(t, recording.command.Process.Pid); memory > hostileMemory {
		t.Errorf("peak memory %d MiB, want at most %d", memory>>20, hostileMemory>>20)
	}
	recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)
	if got := datagramsReceived(t, text); got < bursts*burstSize {
		t.Errorf("the node received %d datagrams, sent were %d", got, bursts*burstSize)
	}
	for _, l := range eventsOf(t, log) {
		if l.Kind == "DHTPeerAnnounced" || l.Kind == "LimitReached" || l.Kind == "AddressRejected" {
			t.Errorf("a fact came of it: %+v", l)
		}
	}
}

// progressLines are those that a recording writes now and then by itself.
var progressLines = regexp.MustCompile(`(?m)^\S+ peers: .*\n`)

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// datagramsReceived is what the text log says of it at the end.
func datagramsReceived(t *testing.T, path string) int {
	t.Helper()
	said := regexp.MustCompile(`left the DHT.* received=(\d+)`).FindStringSubmatch(readText(t, path))
	if said == nil {
		t.Fatalf("the text log does not tell how many datagrams came:\n%s", readText(t, path))
	}
	n, err := strconv.Atoi(said[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// datagramFlood sends bad datagrams to a node of the DHT.
type datagramFlood struct {
	t      *testing.T
	chance *rand.Rand
	to     string
}

// burstSize is how many datagrams are sent before the node has to answer: fewer than a socket keeps.
const burstSize = 100

// awaitJoin waits until the text log says that the node has found others, and gives what it says.
func (f *datagramFlood) awaitJoin(text string) string {
	f.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		f.ping(f.dial("127.0.37.1"), "here?") // which gives it time
		if said := readText(f.t, text); strings.Contains(said, "joined the DHT") {
			return said
		}
	}
	f.t.Fatalf("the node does not find the DHT:\n%s", readText(f.t, text))
	return ""
}

func (f *datagramFlood) dial(from string) net.Conn {
	f.t.Helper()
	d := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
	conn, err := d.DialContext(f.t.Context(), "udp4", f.to)
	if err != nil {
		f.t.Fatal(err)
	}
	return conn
}

// burst sends some datagrams from one of many addresses, and waits until the node has taken them.
func (f *datagramFlood) burst(number int) {
	f.t.Helper()
	conn := f.dial(fmt.Sprintf("127.0.38.%d", 1+number%250))
	for range burstSize {
		_, _ = conn.Write(f.datagram()) // fails where the node is not there: the answer will be missed
	}
	f.ping(conn, fmt.Sprintf("%05d", number))
}

// ping waits until the node answers to a query of five letters, and closes the connection.
func (f *datagramFlood) ping(conn net.Conn, name string) {
	f.t.Helper()
	defer conn.Close()
	answer := make([]byte, 4096)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		_, _ = fmt.Fprintf(conn, "d1:ad2:id20:%se1:q4:ping1:t5:%s1:y1:qe", floodID, name)
		_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // fails never on a socket that is open
		for {
			n, err := conn.Read(answer)
			if err != nil {
				break
			}
			if bytes.Contains(answer[:n], []byte("1:t5:"+name+"1:")) {
				return
			}
		}
	}
	f.t.Fatal("the node does not answer any more")
}

const floodID = "abcdefghij0123456789"

// floodSeeds are messages that are whole, and some that the bare library does not survive.
var floodSeeds = []string{
	"d1:ad2:id20:" + floodID + "9:info_hash20:" + floodID + "e1:q9:get_peers1:t2:aa1:y1:qe",
	"d1:ad2:id20:" + floodID + "6:target20:" + floodID + "e1:q9:find_node1:t2:aa1:y1:qe",
	"d1:ad2:id20:" + floodID + "9:info_hash20:" + floodID + "4:porti6881e5:token4:abcde1:q13:announce_peer1:t2:aa1:y1:qe",
	"d1:rd2:id20:" + floodID + "5:nodes26:" + floodID + "\x7f\x00\x24\x01\x1a\xe15:token4:abcd6:valuesl6:\x05\x06\x07\x08\x1a\xe17:1234567ee1:t2:aa1:y1:re",
	"d1:eli201e5:errore1:t2:aa1:y1:ee",
	"d1:q9:find_node1:t2:aa1:y1:qe",     // a query without arguments
	"d1:ad2:id2147483647:",              // a length bomb
	strings.Repeat("l", 1400),           // a deep nest
	"d1:rd6:valuesl0:1:xee1:t0:1:y1:re", // peers without room for a port
}

// datagram is noise, or a message with some bytes changed or its end cut off.
func (f *datagramFlood) datagram() []byte {
	if f.chance.IntN(4) == 0 {
		noise := make([]byte, f.chance.IntN(200))
		for i := range noise {
			noise[i] = byte(f.chance.Uint32())
		}
		return noise
	}
	b := []byte(floodSeeds[f.chance.IntN(len(floodSeeds))])
	for range f.chance.IntN(4) {
		b[f.chance.IntN(len(b))] = byte(f.chance.Uint32())
	}
	return b[:len(b)-f.chance.IntN(2)*f.chance.IntN(len(b))]
}
