package main_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/input"
	"btda/recorder/swarmtest"
	"btda/recorder/wire"
)

// ourAddress6 is where the recorder listens beside ourAddress.
const ourAddress6 = "::1"

// freePort gives a port that is free at both addresses.
func freePort(t *testing.T) string {
	t.Helper()
	port, err := swarmtest.FreePort(t.Context(), netip.MustParseAddr(ourAddress), netip.MustParseAddr(ourAddress6))
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(int(port))
}

// connect dials the recorder as soon as it listens.
func connect(t *testing.T, from, to string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); ; <-again.C {
		conn, err := dialer.Dial("tcp", to)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			return conn
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// download connects to the recorder, and tells of a whole download that begins with one piece. It lasts until the recorder leaves.
func download(t *testing.T, torrent, from, to string) {
	t.Helper()
	described, err := input.ReadTorrent(torrent)
	if err != nil {
		t.Fatal(err)
	}
	says := wire.Handshake{InfoHash: described.InfoHash, PeerID: events.PeerID([]byte("-XX0000-" + strings.Repeat("x", 12)))}.Append(nil)
	says = append(says, 0, 0, 0, 2, byte(events.Bitfield), 0b1000_0000)
	for piece := uint32(1); piece < pieceCount; piece++ {
		says = binary.BigEndian.AppendUint32(append(says, 0, 0, 0, 5, byte(events.Have)), piece)
	}
	conn := connect(t, from, to)
	conn.SetDeadline(time.Now().Add(patience))
	conn.Write(says)
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the recorder did not leave the peer that is complete: %v", err)
	}
}

func TestPassiveRecordingFromHandshakeToTable(t *testing.T) {
	tr := startTracker(t)
	tr.answerAll()
	torrent, port := writeTorrent(t, tr), freePort(t)
	recording, output := startRecord(t, torrent, "-p", "--port", port, "--bind", ourAddress6, "--statistic-interval", "1s")
	download(t, torrent, "127.0.0.5", net.JoinHostPort(ourAddress, port))
	download(t, torrent, ourAddress6, net.JoinHostPort(ourAddress6, port))
	recording.signal(syscall.SIGTERM)
	log := recorded(t, recording.wait(), output)

	file := filepath.Join(t.TempDir(), "a.sqlite")
	if got := btda(t, "replay", log, "-o", file, "--settle", "0s", "--with-addresses"); got.code != 0 {
		t.Fatalf("btda replay: exit code %d\n%s", got.code, got.stderr)
	}
	for from, want := range map[string]int{
		"download WHERE source = 'incoming'":                                                                                    2,
		"peer WHERE source = 'incoming' AND visits = 1":                                                                         2,
		"peer WHERE address LIKE '127.0.0.5:%' OR address LIKE '[::1]:%'":                                                       2,
		"statistic WHERE unique_incoming = 2 AND id = (SELECT max(id) FROM statistic)":                                          1,
		"(SELECT sum(received_peers) AS n, sum(duplicate_peers) AS d FROM request WHERE source = 'incoming') WHERE n=2 AND d=0": 1,
	} {
		if n := countRows(t, file, from); n != want {
			t.Errorf("%s: %d rows, want %d", from, n, want)
		}
	}
}

func TestAPortInUseIsAFailureThatSaysWhatToDo(t *testing.T) {
	tr := startTracker(t)
	tr.answerAll()
	taken, err := net.Listen("tcp", net.JoinHostPort(ourAddress, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	recording, output := startRecord(t, writeTorrent(t, tr), "-ap", "--port", port)
	got := recording.wait()
	for _, want := range []string{"port " + port, "in use", "--port"} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("standard error has no %q:\n%s", want, got.stderr)
		}
	}
	if logs, _ := filepath.Glob(filepath.Join(output, "*.events")); got.code != 1 || got.stdout != "" || len(logs) > 0 {
		t.Errorf("exit code %d, standard output %q, logs %q: want 1 and nothing else", got.code, got.stdout, logs)
	}
}
