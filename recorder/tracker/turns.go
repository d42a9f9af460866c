package tracker

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"btda/events"
)

// maxAtOnce is how many requests one server is asked at one time, for all torrents together: many torrents may have one tracker. Others wait
// for their turn. A healthy tracker answers hundreds a second so; one that hangs holds up nobody but those who ask it.
const maxAtOnce = 4

// turns are the requests to all servers. The zero value is ready.
type turns struct {
	mu      sync.Mutex
	servers map[string]*server
}

// server is one host and port that is asked.
type server struct {
	asked chan struct{} // as long as its requests that are under way
	users int           // requests that are under way or wait
}

func serverOf(to *url.URL) string { return strings.ToLower(to.Scheme + "://" + to.Host) }

// enter waits for a turn with a server, until ctx is done. Who has one gives it back with leave.
func (t *turns) enter(ctx context.Context, name string) error {
	s := t.use(name)
	select {
	case s.asked <- struct{}{}:
		return nil
	case <-ctx.Done():
		t.drop(name, s)
		return ctx.Err()
	}
}

func (t *turns) use(name string) *server {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.servers[name]
	if s == nil {
		s = &server{asked: make(chan struct{}, maxAtOnce)}
		if t.servers == nil {
			t.servers = make(map[string]*server)
		}
		t.servers[name] = s
	}
	s.users++
	return s
}

func (t *turns) leave(name string) {
	t.mu.Lock()
	s := t.servers[name]
	t.mu.Unlock()
	<-s.asked
	t.drop(name, s)
}

// drop forgets a server of which nothing is wanted.
func (t *turns) drop(name string, s *server) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(t.servers, name)
	}
}

// turn is one request that may be made.
type turn struct {
	patience context.Context // with it
	began    events.Time
	done     func() // gives the turn back
}

// turn waits until a server may be asked. The patience with a request begins then; only that with a last word (events.AnnounceStopped)
// begins at once, since the end of a run waits for it.
func (c *Client) turn(ctx context.Context, to *url.URL, event events.AnnounceEvent) (turn, error) {
	name := serverOf(to)
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if event == events.AnnounceStopped {
		waiting, cancel = context.WithTimeout(ctx, c.config.Timeout)
	}
	if err := c.turns.enter(waiting, name); err != nil {
		cancel()
		return turn{}, err
	}
	t := turn{patience: waiting, began: c.config.Now()} // before the deadline is set
	if event != events.AnnounceStopped {
		t.patience, cancel = context.WithTimeout(ctx, c.config.Timeout)
	}
	t.done = func() { cancel(); c.turns.leave(name) }
	return t, nil
}
