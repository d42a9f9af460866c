package recorder

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/recorder/session"
	"btda/recorder/wire"
)

var (
	observedHash = events.InfoHash{1, 2, 3}
	discard      = slog.New(slog.DiscardHandler)
)

// receiving is a reception at work on loopback.
type receiving struct {
	*reception
	t   testing.TB
	log *eventstest.Log
	at  netip.AddrPort
}

// onlyTorrent observes one torrent.
func onlyTorrent(t session.Torrent) func(events.InfoHash) (session.Torrent, bool) {
	return func(hash events.InfoHash) (session.Torrent, bool) { return t, hash == t.InfoHash }
}

// startReceiving takes in connections until the end of the test. Its bounds are wide unless set says otherwise.
func startReceiving(t testing.TB, set func(*receptionOptions)) *receiving {
	t.Helper()
	log := eventstest.NewLog()
	o := receptionOptions{
		Observer: &session.Observer{Log: log, PeerID: events.PeerID{9}, Timeout: time.Minute, Client: "btda"}, Log: log,
		Torrents: onlyTorrent(session.Torrent{Number: 1, InfoHash: observedHash, Pieces: 16, Complete: 16}),
		Excluded: func(netip.Addr) bool { return false }, Sessions: 100, Greetings: 100, Rate: 10_000,
	}
	set(&o)
	open, err := openSockets(opening{bind: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, port: 0, setting: "port", logger: discard}, listenTCP)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiving{reception: newReception(o), t: t, log: log, at: open[0].Addr().(*net.TCPAddr).AddrPort()}
	ctx, stop := context.WithCancel(context.Background())
	r.start(ctx, open[0])
	t.Cleanup(func() { closeAll(open); stop(); r.wait() })
	return r
}

// call connects, and says a handshake for a torrent unless the hash is zero.
func (r *receiving) call(hash events.InfoHash) net.Conn {
	r.t.Helper()
	return r.callFrom(netip.MustParseAddr("127.0.0.1"), hash)
}

// callFrom connects from an address.
func (r *receiving) callFrom(from netip.Addr, hash events.InfoHash) net.Conn {
	r.t.Helper()
	conn, err := session.TCP{Bind: []netip.Addr{from}}.Dial(r.t.Context(), r.at)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	if hash != (events.InfoHash{}) {
		conn.Write(wire.Handshake{InfoHash: hash, PeerID: events.PeerID{7}}.Append(nil))
	}
	return conn
}

// knock connects where nobody is let in, and waits until it is refused, which may be before it knows that it is connected.
func (r *receiving) knock() {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.at.String())
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	if said, _ := io.ReadAll(conn); len(said) > 0 {
		r.t.Errorf("who is refused was answered with %q", said)
	}
}

// await waits until the log has so many events that hold.
func (r *receiving) await(n int, holds func(events.Event) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	err := r.log.Wait(ctx, func(records []events.Record) bool {
		got := 0
		for _, record := range records {
			if holds(record.Event) {
				got++
			}
		}
		return got >= n
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func opened(e events.Event) bool { return e.Kind() == events.KindSessionOpened }

func refused(reason events.Reason) func(events.Event) bool {
	return func(e events.Event) bool {
		failed, ok := e.(*events.ConnectionFailed)
		return ok && failed.Reason == reason && failed.Direction == events.Incoming
	}
}

func reached(limit events.Limit) func(events.Event) bool {
	return func(e events.Event) bool {
		l, ok := e.(*events.LimitReached)
		return ok && l.Limit == limit
	}
}

func TestIncomingSessionsHaveALimit(t *testing.T) {
	r := startReceiving(t, func(o *receptionOptions) { o.Sessions = 2 })
	first := r.call(observedHash)
	r.call(observedHash)
	r.await(2, opened)
	for range 3 {
		io.Copy(io.Discard, r.call(observedHash))
	}
	r.await(3, refused(events.ReasonLimitExceeded))
	r.await(1, reached(events.LimitIncomingSessions))
	first.Close()
	r.await(1, func(e events.Event) bool { return e.Kind() == events.KindSessionClosed })
	awaitThat(t, func() bool { return r.counts().admitted == 1 })
	r.call(observedHash)
	r.await(3, opened)
	if n := len(r.log.Records()); n != 3+3+1+1 {
		t.Errorf("recorded\n%s\nwant 3 sessions, one of them closed, 3 refusals and one limit", eventstest.Format(r.log.Records()))
	}
}

// Connections that say nothing, however many, keep nobody out who says what it wants.
func TestSilentConnectionsGiveWay(t *testing.T) {
	const silent = 300
	r := startReceiving(t, func(o *receptionOptions) { o.Greetings = 20 })
	for range silent {
		r.call(events.InfoHash{})
	}
	r.await(silent-20, refused(events.ReasonLimitExceeded))
	r.await(1, reached(events.LimitIncomingHandshakes))
	r.call(observedHash)
	r.await(1, opened)
	if c := r.counts(); c.taken != silent+1 || c.admitted != 1 || c.greeting > 20 {
		t.Errorf("counts %+v", c)
	}
}

// Those in excluded networks are refused before they say a word.
func TestExcludedPeersAreRefusedUnheard(t *testing.T) {
	r := startReceiving(t, func(o *receptionOptions) { o.Excluded = func(a netip.Addr) bool { return a.IsLoopback() } })
	r.knock()
	awaitThat(t, func() bool { return r.counts().taken == 1 })
	if f := r.log.Records()[0].Event.(*events.ConnectionFailed); f.Phase != events.PhaseAccept || !f.Address.Addr().IsLoopback() || f.Torrent != 0 {
		t.Errorf("recorded %+v", f)
	}
	if c := r.counts(); c.taken != 1 || c.greeting != 0 {
		t.Errorf("counts %+v, want one connection that was not let in", c)
	}
}

// An excluded network that comes again and again costs no handshakes and little of the log.
func TestAFloodFromAnExcludedNetworkIsCounted(t *testing.T) {
	const calls = 200
	r := startReceiving(t, func(o *receptionOptions) {
		o.Excluded = func(a netip.Addr) bool { return a.IsLoopback() }
		o.Observer.Failures = newRepeats(o.Log)
	})
	for range calls {
		r.knock()
	}
	awaitThat(t, func() bool { return r.counts().taken == calls })
	r.Observer.Failures.(*repeats).sweep(0)
	if stored, counted := tallied(r.log, events.ReasonExcluded); stored != storedFailures || counted != calls-storedFailures {
		t.Errorf("%d stored and %d counted, want %d in all", stored, counted, calls)
	}
	if n := len(r.log.Records()); n != storedFailures+1 {
		t.Errorf("%d events, want %d", n, storedFailures+1)
	}
}

func TestTheAcceptRateIsBounded(t *testing.T) {
	const rate, burst, calls = 50, 5, 30
	r := startReceiving(t, func(o *receptionOptions) { o.Rate = rate })
	began := time.Now()
	for range calls {
		r.call(events.InfoHash{5})
	}
	r.await(calls, refused(events.ReasonUnknownInfoHash))
	if took, least := time.Since(began), (calls-burst)*time.Second/rate; took < least {
		t.Errorf("%d connections were taken in within %v, want at least %v", calls, took, least)
	}
	r.await(1, reached(events.LimitAcceptRate))
}

// failingListener fails, and at last is closed.
type failingListener struct {
	failures []error
	accepted []time.Time
}

func (l *failingListener) Accept() (net.Conn, error) {
	l.accepted = append(l.accepted, time.Now())
	if len(l.failures) == 0 {
		return nil, net.ErrClosed
	}
	err := l.failures[0]
	l.failures = l.failures[1:]
	return nil, err
}

func (l *failingListener) Close() error   { return nil }
func (l *failingListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestFailedAcceptsAreRecordedAndBackedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := eventstest.NewLog()
		r := newReception(receptionOptions{Log: log, Rate: 1})
		at := events.AddressOf(netip.MustParseAddrPort("[::1]:6884"))
		l := &failingListener{failures: slices.Repeat([]error{syscall.EMFILE}, 12)}
		l.failures = append(l.failures, syscall.ENFILE, syscall.ECONNABORTED, errors.New("strange"))
		r.start(t.Context(), listener{Listener: l, transport: events.TCP, address: at})
		r.wait()
		var pauses []time.Duration
		for i := range len(l.accepted) - 1 {
			pauses = append(pauses, l.accepted[i+1].Sub(l.accepted[i]))
		}
		want := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000, 1000, 1000, 1000}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
		records := log.Records()
		for i, reason := range append(slices.Repeat([]events.Reason{events.ReasonDescriptorLimit}, 13), events.ReasonReset, events.ReasonOther) {
			e := records[i].Event.(*events.AcceptFailed)
			if e.Reason != reason || e.Transport != events.TCP || e.Listener != at || (e.Text != "") != (reason == events.ReasonOther) {
				t.Errorf("recorded %+v, want %v", e, reason)
			}
		}
	})
}

func TestBackOffForgets(t *testing.T) {
	var b backOff
	now := time.Now()
	for range 10 {
		now = now.Add(b.next(now))
	}
	if got := b.next(now.Add(lastBackOff)); got != lastBackOff {
		t.Errorf("pause of %v after a failure soon after the last, want %v", got, lastBackOff)
	}
	if got := b.next(now.Add(10 * lastBackOff)); got != firstBackOff {
		t.Errorf("pause of %v after a long time without failure, want %v", got, firstBackOff)
	}
}

func TestTheUserIsToldWhenNobodyComes(t *testing.T) {
	for name, taken := range map[string]uint64{"nobody came": 0, "somebody came": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var advice []string
				r := &run{Recorder: &Recorder{deps: Deps{Logger: discard, Advise: func(a string) { advice = append(advice, a) }}}, reception: newReception(receptionOptions{Rate: 1})}
				r.settings.Port = 6884
				r.reception.lobby.taken = taken
				began := time.Now()
				r.awaitFirst(t.Context())
				if len(advice) != int(1-taken) || time.Since(began) != lonelyTime {
					t.Errorf("after %v the user was told %q", time.Since(began), advice)
				}
			})
		})
	}
}
