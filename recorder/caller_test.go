package recorder_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"btda/events"
	"btda/recorder"
	"btda/recorder/session"
	"btda/recorder/swarmtest"
	"btda/recorder/wire"
)

// freePort gives a port that is free at the moment in both families.
func freePort(t testing.TB) uint16 {
	t.Helper()
	port, err := swarmtest.FreePort(t.Context(), netip.IPv4Unspecified(), netip.IPv6Unspecified())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// passiveSettings are those of a recording that listens on loopback of both families.
func passiveSettings(t testing.TB) recorder.Settings {
	s := testSettings()
	s.Passive, s.Port, s.Bind, s.AcceptRate = true, freePort(t), []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, 20_000
	return s
}

// caller is a scripted peer that connects to the recorder.
type caller struct {
	testing.TB
	net.Conn
	id events.PeerID
}

// call connects to the recorder from an address of the caller's own.
func call(t testing.TB, settings recorder.Settings, from string, id string) caller {
	t.Helper()
	local := netip.MustParseAddr(from)
	to := settings.Bind[0]
	if local.Is6() {
		to = settings.Bind[1]
	}
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	conn, err := session.TCP{Bind: []netip.Addr{local}}.Dial(ctx, netip.AddrPortFrom(to, settings.Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(testPatient))
	c := caller{TB: t, Conn: conn}
	copy(c.id[:], fmt.Sprintf("%-20s", id))
	return c
}

// shake exchanges handshakes, and tells whether the recorder answered.
func (c caller) shake(hash events.InfoHash) bool {
	c.Write(wire.Handshake{Reserved: wire.OurReserved(false), InfoHash: hash, PeerID: c.id}.Append(nil))
	theirs := make([]byte, wire.HandshakeSize)
	_, err := io.ReadFull(c, theirs)
	return err == nil
}

// say writes messages.
func (c caller) say(messages ...[]byte) {
	c.Helper()
	for _, m := range messages {
		if _, err := c.Write(m); err != nil {
			c.Error(err)
		}
	}
}

// untilClosed reads until the recorder closes the connection.
func (c caller) untilClosed() { io.Copy(io.Discard, c) }

// listensOn is an extension handshake that names a port.
func listensOn(port uint16) []byte {
	return wire.AppendExtended(nil, 0, wire.ExtensionHandshake{Port: port, Client: "caller"}.Append(nil))
}

// eventually waits for what shows in no event.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again, late := time.NewTicker(5*time.Millisecond), time.After(testPatient)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("not so in time: %s", what)
		}
	}
}
