package tracker

import (
	"context"
	"time"

	"btda/events"
)

// connectionLife is how long a connection id may be used after it came (BEP 15).
const connectionLife = time.Minute

// connection is the last connection id that a tracker gave, and when it came; at is 0 for none.
type connection struct {
	id connectionID
	at events.Time
}

func (c connection) good(now events.Time) bool { return c.at != 0 && now.Sub(c.at) < connectionLife }

// connect gives a connection id that the tracker takes now. Of requests that need a new one at the same time, one asks and the others
// wait for it.
func (l *line) connect(ctx context.Context) (connectionID, error) {
	for {
		held, others := l.held()
		switch {
		case held.at != 0:
			return held.id, nil
		case others == nil:
			return l.askConnection(ctx)
		}
		select {
		case <-others:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// held is the connection id if it is good. Else others is closed when another request has asked for one; where it is nil, it is on
// the caller to ask.
func (l *line) held() (held connection, others <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.connection.good(l.now()):
		return l.connection, nil
	case l.asking != nil:
		return connection{}, l.asking
	}
	l.asking = make(chan struct{})
	return connection{}, nil
}

// askConnection asks the tracker for a connection id, and lets the others go on.
func (l *line) askConnection(ctx context.Context) (connectionID, error) {
	var id connectionID
	t := &transaction{action: actionConnect, take: func(body []byte) (err error) {
		id, err = parseConnection(body)
		return err
	}}
	err := l.ask(ctx, t, func() error { return l.send(ctx, heading{protocolID, actionConnect, t.id}.append(nil)) })
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.asking)
	l.asking = nil
	if err != nil {
		return 0, err
	}
	l.connection = connection{id: id, at: l.now()}
	return id, nil
}

// forget drops a connection id that came before some time: the tracker may no longer know it.
func (l *line) forget(before events.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connection.at < before {
		l.connection = connection{}
	}
}
