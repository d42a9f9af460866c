package utp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/utp"
)

const patience = 10 * time.Second

func open(t testing.TB, local string, accept bool) *utp.Socket {
	t.Helper()
	s, err := utp.Open(utp.Options{Local: netip.MustParseAddrPort(local), Accept: accept})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func addressOf(a net.Addr) netip.AddrPort { return a.(*net.UDPAddr).AddrPort() }

func reasonOf(err error) events.Reason {
	reason, _ := netfail.Classify(err)
	return reason
}

func dial(t testing.TB, from *utp.Socket, to netip.AddrPort, within time.Duration) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return utp.Sockets{from}.Dial(ctx, to)
}

// connected gives both ends of a connection.
func connected(t testing.TB, us, them *utp.Socket) (dialled, accepted net.Conn) {
	t.Helper()
	dialled, err := dial(t, us, addressOf(them.Addr()), patience)
	if err != nil {
		t.Fatal(err)
	}
	if accepted, err = them.Listener().Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{dialled, accepted} {
		c.SetDeadline(time.Now().Add(patience))
		t.Cleanup(func() { c.Close() })
	}
	return dialled, accepted
}

func TestBothEndsUnderstandEachOther(t *testing.T) {
	for _, local := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(local, func(t *testing.T) {
			us, them := open(t, local, false), open(t, local, true)
			dialled, accepted := connected(t, us, them)
			if addressOf(dialled.RemoteAddr()) != addressOf(them.Addr()) || addressOf(accepted.RemoteAddr()) != addressOf(us.Addr()) {
				t.Errorf("connected %v with %v", dialled.RemoteAddr(), accepted.RemoteAddr())
			}
			text := bytes.Repeat([]byte("a bitfield of many pieces "), 400) // several packets
			for _, ends := range [][2]net.Conn{{dialled, accepted}, {accepted, dialled}} {
				got := make([]byte, len(text))
				go ends[0].Write(text)
				if _, err := io.ReadFull(ends[1], got); err != nil || !bytes.Equal(got, text) {
					t.Errorf("read %d bytes, %v", len(got), err)
				}
			}
			accepted.Close()
			if _, err := dialled.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

func TestDeadlinesAreThoseOfTheStandardLibrary(t *testing.T) {
	dialled, _ := connected(t, open(t, "127.0.0.1:0", false), open(t, "127.0.0.1:0", true))
	dialled.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := dialled.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	dialled.SetDeadline(time.Unix(1, 0))
	if _, err := dialled.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	dialled.SetDeadline(time.Time{})
	if _, err := dialled.Write(make([]byte, 1)); err != nil {
		t.Errorf("write without a deadline: %v", err)
	}
}

func TestDialsThatFail(t *testing.T) {
	us, closed := open(t, "127.0.0.1:0", true), open(t, "127.0.0.1:0", false)
	if _, err := dial(t, us, addressOf(closed.Addr()), 100*time.Millisecond); reasonOf(err) != events.ReasonTimeout {
		t.Errorf("where nothing is taken in: %v", err)
	}
	if _, err := dial(t, us, netip.MustParseAddrPort("[::1]:1"), patience); reasonOf(err) != events.ReasonNoLocalAddress {
		t.Errorf("of another family: %v", err)
	}
	refusing := listen(t)
	go refusing.play(func(p packet) {
		if p.kind == syn {
			refusing.send(packet{kind: reset, connection: p.connection, ack: p.seq})
		}
	})
	if _, err := dial(t, us, refusing.address(), patience); reasonOf(err) != events.ReasonRefused {
		t.Errorf("where it is reset: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (utp.Sockets{us}).Dial(ctx, addressOf(closed.Addr())); !errors.Is(err, context.Canceled) {
		t.Errorf("when it is given up: %v", err)
	}
}

// Who has come stays when nobody more may come.
func TestAClosedListenerKeepsItsConnections(t *testing.T) {
	us, them := open(t, "127.0.0.1:0", false), open(t, "127.0.0.1:0", true)
	dialled, accepted := connected(t, us, them)
	them.Listener().Close()
	if _, err := them.Listener().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	if _, err := dial(t, us, addressOf(them.Addr()), 100*time.Millisecond); reasonOf(err) != events.ReasonTimeout {
		t.Errorf("dial: %v", err)
	}
	go dialled.Write([]byte("x"))
	if _, err := accepted.Read(make([]byte, 1)); err != nil {
		t.Errorf("read: %v", err)
	}
	dialTo, err := dial(t, them, addressOf(open(t, "127.0.0.1:0", true).Addr()), patience)
	if err != nil {
		t.Fatalf("dial from there: %v", err)
	}
	dialTo.Close()
}

func TestCloseEndsAll(t *testing.T) {
	us, them := open(t, "127.0.0.1:0", false), open(t, "127.0.0.1:0", true)
	dialled, accepted := connected(t, us, them)
	them.Close()
	if _, err := them.Listener().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	if n, err := accepted.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read: %d, %v", n, err)
	}
	if _, err := dialled.Read(make([]byte, 1)); err == nil {
		t.Error("the other end is still read")
	}
	if _, err := them.Others().WriteTo([]byte("x"), us.Addr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("others: %v", err)
	}
	us.Close()
	if _, err := dial(t, us, addressOf(them.Addr()), patience); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial: %v", err)
	}
}

// What is no uTP goes to who shares the port, in both directions.
func TestAPortIsShared(t *testing.T) {
	us, them := open(t, "127.0.0.1:0", true), open(t, "127.0.0.1:0", true)
	ours, theirs := us.Others(), them.Others()
	connected(t, us, them)
	ours.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, _, err := ours.ReadFrom(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("uTP, or an early datagram, was read: %v", err)
	}
	read := make(chan string, 1)
	ours.SetDeadline(time.Time{})
	go func() {
		b := make([]byte, 100)
		n, from, err := ours.ReadFrom(b)
		if err != nil || addressOf(from) != addressOf(them.Addr()) {
			t.Errorf("from %v, %v", from, err)
		}
		read <- string(b[:n])
	}()
	if _, err := theirs.WriteTo([]byte("d1:y1:qe"), us.Addr()); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "d1:y1:qe" {
		t.Errorf("read %q", got)
	}
	ours.Close()
	if _, _, err := ours.ReadFrom(make([]byte, 9)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	connected(t, us, them)
}
