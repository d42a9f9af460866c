package session

import (
	"context"
	"net"
	"sync"
)

// Recall ends one contact, or one arrival, before its time. A context of its own would do the same and take ten times as much memory, as
// long as the session lasts. The zero value is ready, for one use; its methods are safe for use by many goroutines.
type Recall struct {
	mu    sync.Mutex
	cause error
	conn  net.Conn // nil while there is none to wake
}

// End ends the session, or the handshake, for a cause that may have its reason (package netfail), as that of a context. A connection that is
// being dialled is given up once it is there, or has failed. Only the first call counts.
func (r *Recall) End(cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cause != nil {
		return
	}
	r.cause = cause
	if r.conn != nil {
		r.conn.SetDeadline(past)
	}
}

// watch names the connection that is to be woken. A nil recall is never ended.
func (r *Recall) watch(conn net.Conn) {
	if r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.conn = conn
	}
}

// ended gives the cause, or nil while there is none.
func (r *Recall) ended() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cause
}

// stopped gives why what ctx and a recall end has to end, or nil.
func stopped(ctx context.Context, r *Recall) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.ended()
}
