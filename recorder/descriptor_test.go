//go:build linux

package recorder

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// fewDescriptors tells a child process of the tests that it is to take in connections with few descriptors.
const fewDescriptors = "BTDA_TEST_FEW_DESCRIPTORS"

func init() { children[fewDescriptors] = receiveWithFewDescriptors }

// freeDescriptors is how many descriptors the child process has left.
const freeDescriptors = 20

// receiveWithFewDescriptors takes in connections until standard input ends. Its first line of output is where, the others are the
// failures to accept and the sessions as they are recorded.
func receiveWithFewDescriptors() {
	log := printingLog{eventstest.NewLog()}
	open, err := openSockets(opening{bind: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, port: 0, setting: "port", logger: discard}, listenTCP)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := newReception(receptionOptions{
		Observer: &session.Observer{Log: log, PeerID: events.PeerID{9}, Timeout: time.Minute}, Log: log,
		Torrents: onlyTorrent(session.Torrent{Number: 1, InfoHash: observedHash}),
		Excluded: func(netip.Addr) bool { return false }, Sessions: 1000, Greetings: 1000, Rate: 1000,
	})
	ctx, stop := context.WithCancel(context.Background())
	r.start(ctx, open[0])
	used := readResources().openDescriptors.Value
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: used + freeDescriptors, Max: used + freeDescriptors}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(open[0].Addr())
	io.Copy(io.Discard, os.Stdin)
	closeAll(open)
	stop()
	r.wait()
	os.Exit(0)
}

// printingLog prints kinds and reasons.
type printingLog struct{ *eventstest.Log }

func (l printingLog) Append(_ context.Context, _ events.Time, e events.Event) (events.Seq, error) {
	switch e := e.(type) {
	case *events.AcceptFailed:
		fmt.Println("failed", e.Reason)
	case *events.SessionOpened:
		fmt.Println("opened", e.Session)
	}
	return 1, nil
}

// startFewDescriptors gives where the child process listens, and its output.
func startFewDescriptors(t *testing.T) (at string, lines *bufio.Scanner) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fewDescriptors+"=1")
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { input.Close(); command.Wait() })
	lines = bufio.NewScanner(output)
	if !lines.Scan() {
		t.Fatal("the child process did not say where it listens")
	}
	return lines.Text(), lines
}

func TestAcceptingGoesOnAfterTheDescriptorLimit(t *testing.T) {
	at, lines := startFewDescriptors(t)
	var held []net.Conn
	dial := func() {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.Write(wire.Handshake{InfoHash: observedHash, PeerID: events.PeerID{7}}.Append(nil))
		held = append(held, conn)
	}
	for range 2 * freeDescriptors {
		dial()
	}
	await := func(what string) {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), what) {
				return
			}
		}
		t.Fatalf("the child process ended before %q", what)
	}
	for range 5 {
		await("failed " + events.ReasonDescriptorLimit.String())
	}
	for _, conn := range held {
		conn.Close() // also those that were not accepted, which are then accepted and fail
	}
	dial()
	await("opened")
}
