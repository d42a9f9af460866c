package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"btda/events"
)

// trail is what the log has of the connections with one address.
type trail struct {
	visits   []*visit
	failures map[string]int // of connections that did not become a session: how they were tried, where they ended and why
}

// visit is a session.
type visit struct {
	opened time.Time
	closed time.Time // zero for one that outlasts the log
	by     events.Side
	reason events.Reason
}

// trails is a fold of a log: the trails by address.
type trails struct {
	byAddress map[netip.Addr]*trail
	visits    map[events.SessionNumber]*visit
}

func newTrails() trails {
	return trails{byAddress: make(map[netip.Addr]*trail), visits: make(map[events.SessionNumber]*visit)}
}

// Apply takes in one record.
func (t trails) Apply(r *events.Record) {
	switch e := r.Event.(type) {
	case *events.ConnectionFailed:
		at := t.of(e.Address.Addr())
		at.failures[fmt.Sprintf("%v %v: %v, %v", e.Direction, e.Transport, e.Phase, e.Reason)]++
	case *events.SessionOpened:
		at, v := t.of(e.Address.Addr()), &visit{opened: r.Time.UTC()}
		at.visits, t.visits[e.Session] = append(at.visits, v), v
	case *events.SessionClosed:
		v := t.visits[e.Session]
		v.closed, v.by, v.reason = r.Time.UTC(), e.By, e.Reason
	}
}

func (t trails) of(a netip.Addr) *trail {
	at := t.byAddress[a]
	if at == nil {
		at = &trail{failures: make(map[string]int)}
		t.byAddress[a] = at
	}
	return at
}

// at gives the session that lasted at a moment, or nil.
func (t *trail) at(moment time.Time) *visit {
	for _, v := range t.visits {
		if !v.opened.After(moment) && (v.closed.IsZero() || v.closed.After(moment)) {
			return v
		}
	}
	return nil
}

// before gives the last session that was over at a moment, or nil.
func (t *trail) before(moment time.Time) (last *visit) {
	for _, v := range t.visits {
		if !v.closed.IsZero() && !v.closed.After(moment) {
			last = v
		}
	}
	return last
}

// commonFailure is how most connections failed that did not become a session.
func (t *trail) commonFailure() string {
	if len(t.failures) == 0 {
		return "nobody tried to connect"
	}
	ways := slices.Sorted(maps.Keys(t.failures))
	most := slices.MaxFunc(ways, func(a, b string) int { return cmp.Compare(t.failures[a], t.failures[b]) })
	all := 0
	for _, n := range t.failures {
		all += n
	}
	return fmt.Sprintf("%d of %d connections %s", t.failures[most], all, most)
}
