package recorder

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// meetings is an observer with a roster, in a bubble with its own time.
type meetings struct {
	*session.Observer
	t        *testing.T
	log      *eventstest.Log
	sessions sync.WaitGroup
	stop     context.CancelFunc
	ctx      context.Context
	dials    chan net.Conn
}

// Dial gives the connection that is next.
func (m *meetings) Dial(context.Context, netip.AddrPort) (net.Conn, error) { return <-m.dials, nil }

// inBubble plays a script in a bubble, and gives what was recorded.
func inBubble(t *testing.T, script func(*meetings)) (log *eventstest.Log) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log = eventstest.NewLog()
		m := &meetings{t: t, log: log, dials: make(chan net.Conn, 1)}
		settings := &Settings{Observe: Stay, Revisit: 5 * time.Minute}
		m.Observer = &session.Observer{Log: log, Dialer: m, PeerID: events.PeerID{9}, Client: "btda", Timeout: 6 * time.Second, Revisit: settings.Revisit,
			Roster: newRoster(&intake{log: log, logger: discard}, settings)}
		m.ctx, m.stop = context.WithCancel(t.Context())
		script(m)
		synctest.Wait()
		m.stop()
		m.sessions.Wait()
	})
	return log
}

var bubbleTorrent = session.Torrent{Number: 1, InfoHash: observedHash, Pieces: 16, Complete: 15}

const bubblePeer = "192.0.2.7:1000"

// comes lets a peer connect that says a bitfield with few pieces, and gives its end.
func (m *meetings) comes(id string, says ...[]byte) net.Conn {
	ours, theirs := net.Pipe()
	m.sessions.Go(func() {
		m.Serve(m.ctx, &session.Arrival{Conn: ours, Address: netip.MustParseAddrPort(bubblePeer), Transport: events.TCP, Progress: new(session.Progress), Recall: new(session.Recall),
			Admit: func(events.InfoHash) (session.Torrent, error) { return bubbleTorrent, nil }})
	})
	m.talk(theirs, id, says)
	return theirs
}

// isDialled contacts the peer at port 6881.
func (m *meetings) isDialled(id string, says ...[]byte) net.Conn {
	ours, theirs := net.Pipe()
	m.dials <- ours
	m.sessions.Go(func() {
		m.Contact(m.ctx, &session.Contact{Number: 1, Torrent: bubbleTorrent, Address: netip.MustParseAddrPort("192.0.2.7:6881"), Progress: new(session.Progress), Recall: new(session.Recall)})
	})
	m.talk(theirs, id, says)
	return theirs
}

func (m *meetings) talk(conn net.Conn, id string, says [][]byte) {
	var peerID events.PeerID
	copy(peerID[:], id)
	go io.Copy(io.Discard, conn)
	conn.Write(wire.Handshake{Reserved: wire.OurReserved(false), InfoHash: observedHash, PeerID: peerID}.Append(nil))
	for _, b := range says {
		conn.Write(b)
	}
	synctest.Wait()
}

var (
	someBits = []byte{0, 0, 0, 3, byte(events.Bitfield), 0xf0, 0}
	allBits  = []byte{0, 0, 0, 3, byte(events.Bitfield), 0xff, 0xff}
	alive    = []byte{0, 0, 0, 0}
)

// story tells the beginnings and ends in a log, in their order.
func story(log *eventstest.Log) string {
	var told []string
	for _, r := range log.Records() {
		switch e := r.Event.(type) {
		case *events.SessionOpened:
			told = append(told, e.Direction.String())
		case *events.SessionClosed:
			told = append(told, "closed: "+e.Reason.String())
		case *events.ConnectionFailed:
			told = append(told, e.Direction.String()+" failed: "+e.Reason.String())
		}
	}
	return strings.Join(told, ", ")
}

// The first of two connections with a peer is kept, unless nothing has come over it for long. Then the second takes its place.
func TestASilentSessionGivesItsPlaceToTheSamePeer(t *testing.T) {
	const id, other = "-XX0001-the same one", "-XX0001-another id"
	port := wire.AppendExtended(nil, 0, wire.ExtensionHandshake{Port: 6881}.Append(nil))
	for name, c := range map[string]struct {
		script func(*meetings)
		want   string
	}{
		"silent": {func(m *meetings) {
			m.comes(id, someBits)
			time.Sleep(silentTime)
			m.comes(id, someBits)
		}, "incoming, closed: duplicate, incoming, closed: stopping"},
		"silent for less": {func(m *meetings) {
			m.comes(id, someBits)
			time.Sleep(silentTime - time.Second)
			m.comes(id, someBits)
		}, "incoming, incoming failed: duplicate, closed: stopping"},
		"with keep-alives": {func(m *meetings) {
			first := m.comes(id, someBits)
			time.Sleep(silentTime - time.Second)
			first.Write(alive)
			time.Sleep(silentTime - time.Second)
			m.comes(id, someBits)
		}, "incoming, incoming failed: duplicate, closed: stopping"},
		"dialled, then silent": {func(m *meetings) {
			m.isDialled(id, someBits)
			time.Sleep(silentTime)
			m.comes(id, someBits)
		}, "outgoing, closed: duplicate, incoming, closed: stopping"},
		"silent, then dialled": {func(m *meetings) {
			m.comes(id, someBits)
			time.Sleep(silentTime)
			m.isDialled(id, someBits)
		}, "incoming, closed: duplicate, outgoing, closed: stopping"},
		"known by its port": {func(m *meetings) {
			m.isDialled(id, someBits)
			time.Sleep(silentTime)
			m.comes(other, someBits, port)
		}, "outgoing, incoming, closed: duplicate, closed: stopping"},
		"two newcomers": {func(m *meetings) {
			m.comes(id, someBits)
			time.Sleep(silentTime)
			m.comes(id, someBits)
			m.comes(id, someBits)
		}, "incoming, closed: duplicate, incoming, incoming failed: duplicate, closed: stopping"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := story(inBubble(t, c.script)); got != c.want {
				t.Errorf("recorded: %s\nwant: %s", got, c.want)
			}
		})
	}
}

// A peer that is complete gets one session in the revisit delay, however often it connects.
func TestACompletePeerThatComesBackSoonIsTurnedAway(t *testing.T) {
	const id, pace = "-XX0001-complete", 2 * time.Second
	log := inBubble(t, func(m *meetings) {
		counted := newRepeats(m.log)
		m.Failures = counted
		m.comes(id, allBits)
		for range 9*time.Minute/pace - 1 {
			time.Sleep(pace + time.Millisecond)
			m.comes(id, allBits)
		}
		m.comes("-XX0001-a neighbour", allBits)
		m.stop()
		m.sessions.Wait()
		counted.sweep(0)
	})
	kinds := make(map[events.Kind]int)
	for _, r := range log.Records() {
		kinds[r.Event.Kind()]++
	}
	if kinds[events.KindSessionOpened] != 3 {
		t.Errorf("%d sessions in nine minutes with a peer that is complete and a neighbour, want 2 and 1", kinds[events.KindSessionOpened])
	}
	stored, counted := tallied(log, events.ReasonComplete)
	if want := int(9*time.Minute/pace) - 2; stored+int(counted) != want {
		t.Errorf("turned away %d times, of which %d were counted; want %d", stored+int(counted), counted, want)
	}
	if most := 10*(storedFailures+1) + 3*10; len(log.Records()) > most {
		t.Errorf("%d events, want at most %d", len(log.Records()), most)
	}
}

func TestAlumniAreForgotten(t *testing.T) {
	const keep = time.Minute
	a := alumni{keep: keep}
	at := func(d time.Duration) events.Time { return events.TimeOf(time.Unix(1000, 0).Add(d)) }
	first, second := trace{port: 1}, trace{port: 2}
	a.add(first, at(0))
	a.add(second, at(keep/2))
	for d, want := range map[time.Duration][2]bool{0: {true, true}, keep - 1: {true, true}, keep: {false, true}, 3 * keep / 2: {false, false}} {
		if got := [2]bool{a.have(first, at(d)), a.have(second, at(d))}; got != want {
			t.Errorf("after %v: %v, want %v", d, got, want)
		}
	}
	for n := range uint32(3 * maxAlumni) {
		a.add(trace{torrent: events.TorrentNumber(n)}, at(keep+time.Duration(n)))
	}
	if n := len(a.recent) + len(a.older); n > maxAlumni || n < maxAlumni/2 {
		t.Errorf("%d are remembered, want at most %d", n, maxAlumni)
	}
	if !a.have(trace{torrent: 3*maxAlumni - 1}, at(keep+3*maxAlumni)) {
		t.Error("the last one is forgotten")
	}
}
