package recorder

import (
	"container/list"
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/session"
)

// guest is a connection that a peer made.
type guest struct {
	reception *reception
	conn      net.Conn
	address   netip.AddrPort
	recall    session.Recall
	progress  session.Progress

	// What the lobby knows.
	since    time.Time
	greeting *list.Element // nil once it was admitted, or gave way
	seat     seat
}

// lobby counts connections: those that still have to name a torrent of ours, and those that were admitted to a session for it.
//
// Where too many have named none, the oldest gives way, once it has had the time to. A peer of good will says at once what it wants:
// those that say nothing, however many, do not keep it out.
type lobby struct {
	greetings int           // the most at one time
	room      chan struct{} // has a value when there may be room for one that greets

	mu       sync.Mutex
	greeting list.List // of *guest, oldest first
	seats    seats
	taken    uint64 // connections so far
}

var errGreetingsTaken = netfail.New(events.ReasonLimitExceeded, "too many connections have named no torrent, and this is the oldest of them")

// greetingTime is how long a connection has at least to name a torrent, however many wait.
const greetingTime = 100 * time.Millisecond

func newLobby(o *receptionOptions) *lobby {
	return &lobby{
		greetings: o.Greetings, room: make(chan struct{}, 1), seats: seats{most: o.Sessions, stay: o.Stay, origins: make(map[netip.Addr]*origin)},
	}
}

// enter takes in a connection, and reports whether another had to give way for it. While all others are young, it waits. The error is
// that of ctx: then the connection was not taken in.
func (l *lobby) enter(ctx context.Context, g *guest) (gaveWay bool, err error) {
	for {
		wait, gaveWay := l.tryEnter(g, time.Now())
		if wait == 0 {
			return gaveWay, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.room:
		case <-timer.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		timer.Stop()
	}
}

// tryEnter takes in a connection, unless the oldest has to have more time. Then it gives that time.
func (l *lobby) tryEnter(g *guest, now time.Time) (wait time.Duration, gaveWay bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if gaveWay = l.greeting.Len() >= l.greetings; gaveWay {
		oldest := l.greeting.Front().Value.(*guest)
		if wait := greetingTime - now.Sub(oldest.since); wait > 0 {
			return wait, false
		}
		l.name(oldest)
		oldest.recall.End(errGreetingsTaken)
	}
	l.taken++
	g.since, g.greeting = now, l.greeting.PushBack(g)
	return 0, gaveWay
}

// pass counts a connection that is not let in.
func (l *lobby) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken++
}

// name takes a guest out of those that have named no torrent. The caller holds mu.
func (l *lobby) name(g *guest) {
	if g.greeting == nil {
		return
	}
	l.greeting.Remove(g.greeting)
	g.greeting = nil
	select {
	case l.room <- struct{}{}:
	default:
	}
}

// admitted is what became of a guest that named a torrent.
type admitted uint8

const (
	refusedSeat admitted = iota // all are taken
	freeSeat
	takenSeat // another had to give way
)

// admit gives a guest a session for a torrent, where there is one.
func (l *lobby) admit(g *guest, t *session.Torrent) admitted {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name(g)
	gaveWay, ok := l.seats.admit(g, t.Complete, time.Now())
	switch {
	case !ok:
		return refusedSeat
	case gaveWay == nil:
		return freeSeat
	}
	gaveWay.recall.End(session.ErrSlotNeeded)
	return takenSeat
}

// depart takes out a guest whose connection is over.
func (l *lobby) depart(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name(g)
	l.seats.leave(g)
}

// lobbyCounts are numbers of connections.
type lobbyCounts struct {
	taken    uint64 // so far
	greeting int    // have named no torrent of ours
	admitted int    // have a session, or will have it when their handshake is whole
}

func (l *lobby) counts() lobbyCounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return lobbyCounts{taken: l.taken, greeting: l.greeting.Len(), admitted: l.seats.taken + l.seats.leaving}
}

// noteInterval is the least time between two facts on one limit that is reached again and again.
const noteInterval = time.Minute

// limitNotes appends that limits were reached, each at most once in noteInterval.
type limitNotes struct {
	log events.Appender

	mu    sync.Mutex
	noted map[events.Limit]events.Time
}

func (n *limitNotes) note(reached events.LimitReached) {
	now := n.log.Now()
	n.mu.Lock()
	last, again := n.noted[reached.Limit]
	due := !again || now.Sub(last) >= noteInterval
	if due {
		if n.noted == nil {
			n.noted = make(map[events.Limit]events.Time)
		}
		n.noted[reached.Limit] = now
	}
	n.mu.Unlock()
	if due {
		_, _ = n.log.Append(context.Background(), now, &reached)
	}
}
