package recorder

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// tally is a log that only counts.
type tally struct {
	mu      sync.Mutex
	unknown int // incoming connections for unknown torrents
	others  []events.Kind
}

func (l *tally) Now() events.Time { return events.TimeOf(time.Now()) }

func (l *tally) Append(_ context.Context, _ events.Time, e events.Event) (events.Seq, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := e.(*events.ConnectionFailed); ok && f.Reason == events.ReasonUnknownInfoHash && f.Direction == events.Incoming && len(f.InfoHash) == 20 {
		l.unknown++
	} else {
		l.others = append(l.others, e.Kind())
	}
	return 1, nil
}

func (l *tally) counts() (unknown int, others []events.Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unknown, l.others
}

// callMany connects many times, from 100 addresses at one time, plays a script on each connection and closes it.
func callMany(t *testing.T, to netip.AddrPort, count int, script func(net.Conn)) {
	t.Helper()
	const callers = 100
	var calling sync.WaitGroup
	defer calling.Wait()
	for n := range callers {
		from := session.TCP{Bind: []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 7, byte(n + 1)})}}
		calling.Go(func() {
			for range count / callers {
				conn, err := from.Dial(t.Context(), to)
				if err != nil {
					t.Error(err)
					return
				}
				script(conn)
				conn.Close()
			}
		})
	}
}

// flood connects many times for a torrent that is not observed, and waits each time until it is refused.
func flood(t *testing.T, to netip.AddrPort, count int) {
	t.Helper()
	said := wire.Handshake{InfoHash: events.InfoHash{0xbd}, PeerID: events.PeerID{1}}.Append(nil)
	callMany(t, to, count, func(conn net.Conn) {
		conn.Write(said)
		if answer, _ := io.ReadAll(conn); len(answer) > 0 {
			t.Errorf("a stranger was answered with %q", answer)
		}
	})
}

// A flood of connections for torrents that are not observed costs little, and a peer that comes in the midst of it is observed.
func TestAFloodOfStrangers(t *testing.T) {
	count := 20_000
	if testing.Short() {
		count = 2_000
	}
	log := &tally{}
	r := startReceiving(t, func(o *receptionOptions) { o.Log, o.Observer.Log, o.Rate, o.Greetings = log, log, maxDialRate, 1000 })
	before := measureMemory()
	began := time.Now()
	half := make(chan struct{})
	go func() { defer close(half); flood(t, r.at, count/2) }()
	good := r.call(observedHash)
	if _, err := io.ReadFull(good, make([]byte, wire.HandshakeSize)); err != nil {
		t.Errorf("a good peer was not answered: %v", err)
	}
	<-half
	flood(t, r.at, count/2)
	took := time.Since(began)
	awaitThat(t, func() bool { return r.counts().greeting == 0 })
	after := measureMemory()
	if unknown, others := log.counts(); unknown != count || len(others) != 1 || others[0] != events.KindSessionOpened {
		t.Errorf("%d refusals and %v, want %d and one session", unknown, others, count)
	}
	if grown := after.heap + after.stacks - before.heap - before.stacks; grown > 4<<20 {
		t.Errorf("%d strangers left %.0f bytes in use, want none", count, grown)
	}
	if took > time.Minute {
		t.Errorf("%d strangers took %v", count, took)
	}
	t.Logf("%d strangers in %v, %.0f a second", count, took, float64(count)/took.Seconds())
}
