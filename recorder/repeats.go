package recorder

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"btda/events"
)

// Bounds of what failing connections of one origin may make us store.
const (
	// storedFailures is how many failures that are alike are stored one by one in a repeatTime.
	storedFailures = 16
	// repeatTime is how long failures are counted together.
	repeatTime = time.Minute
	// maxLikenesses is how many failures that differ are counted at one time; all others are stored one by one.
	maxLikenesses = 8192
)

// repeats appends the failures of incoming connections. Those of one origin that are alike are appended one by one up to
// storedFailures; the others are counted, so that no origin can fill the log by coming again and again. None is lost: the numbers of
// both together are those of all connections.
type repeats struct {
	events.Appender

	mu    sync.Mutex
	known map[likeness]*repeat
}

// likeness is what failures have in common that are counted together.
type likeness struct {
	torrent    events.TorrentNumber
	origin     netip.Addr
	transport  events.Transport
	encryption events.Encryption
	phase      events.Phase
	reason     events.Reason
}

// repeat is failures that are alike.
type repeat struct {
	began   events.Time
	seen    int
	counted events.ConnectionsSuppressed
}

func newRepeats(log events.Appender) *repeats {
	return &repeats{Appender: log, known: make(map[likeness]*repeat)}
}

// Append appends an event, unless it is one of many failures: then seq is 0.
func (r *repeats) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	if failed, ok := e.(*events.ConnectionFailed); ok {
		over, stored := r.take(at, failed)
		if err := r.store(ctx, at, over); err != nil || !stored {
			return 0, err
		}
	}
	return r.Appender.Append(ctx, at, e)
}

// take tells whether a failure is to be stored. Where a repeatTime is over by it, it also gives what was only counted.
func (r *repeats) take(at events.Time, e *events.ConnectionFailed) (over *events.ConnectionsSuppressed, stored bool) {
	alike := likeness{e.Torrent, originOf(e.Address.Addr()), e.Transport, e.Encryption, e.Phase, e.Reason}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.known[alike]
	if last == nil && len(r.known) >= maxLikenesses {
		return nil, true
	}
	if last == nil || at.Sub(last.began) >= repeatTime {
		over = last.suppressed()
		last = &repeat{began: at}
		r.known[alike] = last
	}
	last.seen++
	if last.seen <= storedFailures {
		return over, true
	}
	last.count(at, e)
	return over, false
}

func (p *repeat) count(at events.Time, e *events.ConnectionFailed) {
	if p.counted.Count == 0 {
		p.counted = events.ConnectionsSuppressed{
			Torrent: e.Torrent, Direction: e.Direction, Transport: e.Transport, Encryption: e.Encryption, Phase: e.Phase, Reason: e.Reason, Since: at,
		}
	}
	p.counted.Address = e.Address
	p.counted.Count++
}

// suppressed gives what was only counted; nil where all was stored.
func (p *repeat) suppressed() *events.ConnectionsSuppressed {
	if p == nil || p.counted.Count == 0 {
		return nil
	}
	return &p.counted
}

func (r *repeats) store(ctx context.Context, at events.Time, counted *events.ConnectionsSuppressed) error {
	if counted == nil {
		return nil
	}
	_, err := r.Appender.Append(ctx, at, counted)
	return err
}

// sweepEvery appends what was only counted, from time to time, until ctx is done.
func (r *repeats) sweepEvery(ctx context.Context) {
	ticker := time.NewTicker(repeatTime)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.sweep(repeatTime)
		case <-ctx.Done():
			return
		}
	}
}

// sweep appends what was only counted in failures that began so long ago, and forgets them. Nil repeats have none.
func (r *repeats) sweep(age time.Duration) {
	if r == nil {
		return
	}
	now := r.Now()
	for _, counted := range r.forget(now, age) {
		_ = r.store(context.Background(), now, counted) // a failure of the log is its owner's to see
	}
}

func (r *repeats) forget(now events.Time, age time.Duration) (counted []*events.ConnectionsSuppressed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for alike, last := range r.known {
		if now.Sub(last.began) < age {
			continue
		}
		delete(r.known, alike)
		if c := last.suppressed(); c != nil {
			counted = append(counted, c)
		}
	}
	return counted
}
