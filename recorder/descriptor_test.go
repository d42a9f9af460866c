//go:build linux

package recorder

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// fewDescriptors is the part of a child process that takes in connections with few descriptors.
const fewDescriptors = "few descriptors"

func init() { children[fewDescriptors] = receiveWithFewDescriptors }

// freeDescriptors is how many descriptors the child process has left.
const freeDescriptors = 20

// receiveWithFewDescriptors takes in connections until standard input ends. Its first line of output is where, the others are the
// failures to accept and the sessions as they are recorded.
func receiveWithFewDescriptors() error {
	log := printingLog{eventstest.NewLog()}
	open, err := openSockets(opening{bind: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, port: 0, setting: "port", logger: discard}, listenTCP)
	if err != nil {
		return err
	}
	r := newReception(receptionOptions{
		Observer: &session.Observer{Log: log, PeerID: events.PeerID{9}, Timeout: time.Minute}, Log: log,
		Torrents: onlyTorrent(session.Torrent{Number: 1, InfoHash: observedHash}),
		Excluded: func(netip.Addr) bool { return false }, Sessions: 1000, Greetings: 1000, Rate: 1000,
	})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	r.start(ctx, open[0])
	used := readResources().openDescriptors.Value
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: used + freeDescriptors, Max: used + freeDescriptors}); err != nil {
		return err
	}
	fmt.Println(open[0].Addr())
	io.Copy(io.Discard, os.Stdin)
	closeAll(open)
	stop()
	r.wait()
	return nil
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

func TestAcceptingGoesOnAfterTheDescriptorLimit(t *testing.T) {
	child := startChild(t, fewDescriptors)
	at, lines := child.First, child.Lines
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
