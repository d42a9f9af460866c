package recorder_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"btda/events"
	"btda/input"
	"btda/recorder"
	"btda/recorder/utp"
	"btda/recorder/wire"
)

// A peer that speaks uTP only comes to us at the port of TCP, is observed, and is reached by uTP when it has left.
func TestAPeerByUTPIsObservedInBothDirections(t *testing.T) {
	socket, err := utp.Open(utp.Options{Local: netip.MustParseAddrPort("127.0.0.1:0"), Accept: true})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	at := socket.Addr().(*net.UDPAddr).AddrPort()
	settings := passiveSettings(t)
	settings.NoUTP, settings.Active, settings.Revisit = false, true, 100*time.Millisecond
	r := record(t, settings, testTorrent())
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	conn, err := (utp.Sockets{socket}).Dial(ctx, netip.AddrPortFrom(settings.Bind[0], settings.Port))
	if err != nil {
		t.Fatal(err)
	}
	greet(t, conn, at.Port())
	r.await(events.KindExtensionHandshakeReceived, 1)
	conn.Close()
	if conn, err = socket.Listener().Accept(); err != nil {
		t.Fatal(err)
	}
	greet(t, conn, at.Port())
	r.await(events.KindExtensionHandshakeReceived, 2)
	conn.Close()
	r.await(events.KindSessionClosed, 2)
	r.stop(nil)
	checkTransports(t, r.log.Records(), events.Incoming, events.Outgoing)
	checkEnds(t, r.log.Records(), events.ReasonInterrupted)
}

// greet plays a peer that says on which port it listens.
func greet(t *testing.T, conn net.Conn, port uint16) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(testPatient))
	b := wire.Handshake{Reserved: wire.OurReserved(false), InfoHash: testHash, PeerID: events.PeerID([]byte("-XX0001-speaksbyutp0"))}.Append(nil)
	b = wire.AppendExtended(b, 0, wire.ExtensionHandshake{Port: port, Client: "a peer", YourIP: netip.MustParseAddr("127.0.0.1")}.Append(nil))
	if _, err := conn.Write(wire.AppendHaveNone(b)); err != nil {
		t.Error(err)
	}
}

// checkTransports holds that the first sessions are by uTP, in directions.
func checkTransports(t *testing.T, records []events.Record, directions ...events.Direction) {
	t.Helper()
	var opened []*events.SessionOpened
	for _, r := range records {
		if e, ok := r.Event.(*events.SessionOpened); ok {
			opened = append(opened, e)
		}
	}
	if len(opened) < len(directions) {
		t.Fatalf("%d sessions, want %d", len(opened), len(directions))
	}
	for i, d := range directions {
		if opened[i].Transport != events.UTP || opened[i].Direction != d {
			t.Errorf("session %d is %v by %v, want %v by uTP", i+1, opened[i].Direction, opened[i].Transport, d)
		}
	}
}

// A port that is taken is said before anything is recorded.
func TestAUDPPortInUse(t *testing.T) {
	settings := passiveSettings(t)
	settings.NoUTP = false
	taken, err := utp.Open(utp.Options{Local: netip.AddrPortFrom(settings.Bind[0], settings.Port)})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r, err := recorder.New(settings, []input.Torrent{testTorrent()}, recorder.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context()); err == nil {
		t.Error("the recording began")
	}
}

// The node of the DHT and uTP share a port where both have the same: lookups are answered, and peers come in.
func TestTheDHTAndUTPShareAPort(t *testing.T) {
	d := startDHT(t, 10, "127.0.23.1")
	settings := dhtSettings(t, d.Bootstrap())
	settings.NoUTP, settings.Passive, settings.Port = false, true, freePort(t)
	settings.DHTPort = settings.Port
	r := record(t, settings, testTorrent())
	r.await(events.KindDHTLookupEnded, 1)
	socket, err := utp.Open(utp.Options{Local: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testPatient)
	defer cancel()
	conn, err := (utp.Sockets{socket}).Dial(ctx, netip.AddrPortFrom(settings.Bind[0], settings.Port))
	if err != nil {
		t.Fatal(err)
	}
	greet(t, conn, 6881)
	r.await(events.KindExtensionHandshakeReceived, 1)
	conn.Close()
	r.stop(nil)
	if end := of[*events.DHTLookupEnded](r.log.Records())[0]; end.Answered == 0 {
		t.Errorf("no node answered: %+v", end)
	}
	checkTransports(t, r.log.Records(), events.Incoming)
}
