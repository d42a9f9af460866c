package recorder

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/session"
)

// receptionOptions are what a reception needs.
type receptionOptions struct {
	Observer  *session.Observer
	Log       events.Appender
	Torrents  func(events.InfoHash) (session.Torrent, bool) // those that are observed
	Excluded  func(netip.Addr) bool
	Sessions  int           // at one time
	Stay      time.Duration // how long a session lasts at least until it may give way to one from elsewhere; 0 is for ever
	Greetings int           // connections without a whole handshake at one time
	Rate      int           // connections taken in a second
}

// reception takes in the connections that peers make. Each listener has a goroutine, and each connection.
//
// What comes in may be a flood: connections are taken in at a bounded rate, while the others wait in the queue of the system. How
// many of them may be without a handshake is bounded too: see lobby.
type reception struct {
	receptionOptions
	lobby   *lobby
	pace    *rate.Limiter
	limits  limitNotes
	serving sync.WaitGroup // listeners and connections
}

func newReception(o receptionOptions) *reception {
	return &reception{
		receptionOptions: o, pace: rate.NewLimiter(rate.Limit(o.Rate), max(o.Rate/10, 1)),
		lobby: newLobby(&o), limits: limitNotes{log: o.Log},
	}
}

// start serves what comes in at a listener, until that is closed or ctx is done.
func (r *reception) start(ctx context.Context, l listener) {
	r.serving.Go(func() {
		var failing backOff
		for ctx.Err() == nil {
			conn, err := l.Accept()
			switch {
			case err == nil:
				r.slow(ctx)
				r.receive(ctx, l, conn)
			case errors.Is(err, net.ErrClosed):
				return
			default:
				r.acceptFailed(ctx, l, err)
				pause(ctx, failing.next(time.Now()))
			}
		}
	})
}

// slow waits until one more connection may be taken in.
func (r *reception) slow(ctx context.Context) {
	if delay := r.pace.Reserve().Delay(); delay > 0 {
		r.limits.note(events.LimitReached{Limit: events.LimitAcceptRate, Value: uint64(r.Rate) + 1, Bound: uint64(r.Rate)})
		pause(ctx, delay)
	}
}

func (r *reception) acceptFailed(ctx context.Context, l listener, err error) {
	reason, text := netfail.Classify(err)
	_, _ = r.Log.Append(ctx, r.Log.Now(), &events.AcceptFailed{Transport: l.transport, Listener: l.address, Reason: reason, Text: text})
}

// wait waits until all listeners and connections have ended. A nil reception has none.
func (r *reception) wait() {
	if r != nil {
		r.serving.Wait()
	}
}

// counts counts the connections. A nil reception has none.
func (r *reception) counts() lobbyCounts {
	if r == nil {
		return lobbyCounts{}
	}
	return r.lobby.counts()
}

// receive takes in a connection, unless it comes from an excluded network: from there not a byte is read.
func (r *reception) receive(ctx context.Context, l listener, conn net.Conn) {
	from := remoteOf(conn)
	if r.Excluded(from.Addr()) {
		r.Observer.Refuse(ctx, &session.Arrival{Conn: conn, Address: from, Transport: l.transport}, errExcluded)
		r.lobby.pass()
		return
	}
	r.take(ctx, l, &guest{reception: r, conn: conn, address: from})
}

// take serves one connection in a goroutine of its own.
func (r *reception) take(ctx context.Context, l listener, g *guest) {
	gaveWay, err := r.lobby.enter(ctx, g)
	if err != nil {
		g.conn.Close()
		return
	}
	if gaveWay {
		r.limits.note(events.LimitReached{Limit: events.LimitIncomingHandshakes, Value: uint64(r.Greetings) + 1, Bound: uint64(r.Greetings)})
	}
	r.serving.Go(func() { r.serve(ctx, g, l.transport) })
}

// serve lasts from the handshake to the end of a connection. Its frame lies below every session that waits.
func (r *reception) serve(ctx context.Context, g *guest, transport events.Transport) {
	r.Observer.Serve(ctx, &session.Arrival{Conn: g.conn, Address: g.address, Transport: transport, Admit: g.admit, Progress: &g.progress, Recall: &g.recall})
	r.lobby.depart(g)
}

// The reasons to refuse a peer.
var (
	errExcluded        = netfail.New(events.ReasonExcluded, "the peer is in an excluded network")
	errUnknownInfoHash = netfail.New(events.ReasonUnknownInfoHash, "the peer wants a torrent that is not observed")
	errSessionsTaken   = netfail.New(events.ReasonLimitExceeded, "all incoming sessions are taken")
)

// admit gives the torrent with an info hash, if the peer may have a session for it.
func (g *guest) admit(hash events.InfoHash) (session.Torrent, error) {
	r := g.reception
	torrent, observed := r.Torrents(hash)
	if !observed {
		return torrent, errUnknownInfoHash
	}
	given := r.lobby.admit(g, &torrent)
	if given != freeSeat {
		r.limits.note(events.LimitReached{Limit: events.LimitIncomingSessions, Value: uint64(r.Sessions) + 1, Bound: uint64(r.Sessions)})
	}
	if given == refusedSeat {
		return torrent, errSessionsTaken
	}
	return torrent, nil
}

// remoteOf is the address of the other side, as events have it: not IPv4-mapped, and without a zone.
func remoteOf(conn net.Conn) netip.AddrPort {
	known, ok := conn.RemoteAddr().(interface{ AddrPort() netip.AddrPort }) // of TCP and UDP
	if !ok {
		return netip.AddrPort{}
	}
	a := known.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// Bounds of the pause after a failed accept.
const (
	firstBackOff = 5 * time.Millisecond
	lastBackOff  = time.Second
)

// backOff gives pauses that double while failures follow each other within lastBackOff, so that there are at most a few failures
// a second however long they go on. Its zero value has seen none.
type backOff struct {
	pause time.Duration
	until time.Time
}

func (b *backOff) next(now time.Time) time.Duration {
	if now.After(b.until.Add(lastBackOff)) {
		b.pause = 0
	}
	b.pause = min(max(2*b.pause, firstBackOff), lastBackOff)
	b.until = now.Add(b.pause)
	return b.pause
}

// pause waits for a time, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
