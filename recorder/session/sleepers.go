package session

import (
	"context"
	"sync"
)

// sleepers wakes the sessions whose context is done: by one function for all sessions of a context, since one for each takes a third of what
// a session takes. The zero value is ready.
type sleepers struct {
	mu        sync.Mutex
	byContext map[context.Context]*dormitory
}

// dormitory is the sessions of one context, which are linked through themselves.
type dormitory struct {
	waking  context.Context
	lasting context.Context // as waking, but never done
	release func() bool     // of the waking from the context
	first   *session
}

// bed is the place of a session in its dormitory.
type bed struct {
	in           *dormitory
	next, before *session
}

// enter takes in a session, until leave. One that enters when its context is done already is not woken: who sets a deadline asks the context
// after that.
func (all *sleepers) enter(ctx context.Context, s *session) {
	all.mu.Lock()
	defer all.mu.Unlock()
	in := all.byContext[ctx]
	if in == nil {
		in = &dormitory{waking: ctx, lasting: context.WithoutCancel(ctx)}
		in.release = context.AfterFunc(ctx, func() { all.wake(in) })
		if all.byContext == nil {
			all.byContext = make(map[context.Context]*dormitory)
		}
		all.byContext[ctx] = in
	}
	s.bed = bed{in: in, next: in.first}
	if in.first != nil {
		in.first.bed.before = s
	}
	in.first = s
}

// leave takes a session out, once.
func (all *sleepers) leave(s *session) {
	all.mu.Lock()
	defer all.mu.Unlock()
	in := s.bed.in
	if s.bed.next != nil {
		s.bed.next.bed.before = s.bed.before
	}
	if s.bed.before != nil {
		s.bed.before.bed.next = s.bed.next
	} else {
		in.first = s.bed.next
	}
	s.bed = bed{}
	if in.first == nil {
		in.release()
		delete(all.byContext, in.waking)
	}
}

func (all *sleepers) wake(in *dormitory) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for s := in.first; s != nil; s = s.bed.next {
		s.conn.SetDeadline(past)
	}
}
