package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"text/tabwriter"
	"time"

	"btda/replay"
)

// What a recording of a churning swarm should reach.
const (
	// reachableFor is how long before it crossed the threshold a client must have been there to count as one that could be observed.
	reachableFor = 10 * time.Second
	recallGoal   = 0.99 // of these
)

var errRecall = errors.New("the recall is below the goal")

// completion is a client that crossed the threshold, by its own clock.
type completion struct {
	kind, name     string
	address        netip.Addr
	began, crossed time.Time
	threshold      int       // pieces
	counted        []peerRow // the rows of its address
	trail          *trail    // of its address
}

// reachable tells whether there was a way to the client, or from it to the recorder, for long enough. Every kind has one all the time.
func (c completion) reachable() bool { return c.crossed.Sub(c.began) >= reachableFor }

// confirmed gives the confirmed downloads.
func (c completion) confirmed() (all []*downloadRow) {
	for _, p := range c.counted {
		if p.download != nil && p.download.belowEvidence != assumed {
			all = append(all, p.download)
		}
	}
	return all
}

// right tells whether one of the confirmed downloads was seen when the client had crossed the threshold by its own clock, however much later.
func (c completion) right() bool {
	return slices.ContainsFunc(c.confirmed(), func(d *downloadRow) bool { return !c.crossed.After(moment(d.firstAbove).Add(drift)) })
}

// The reasons for which a completion is missed.
const (
	neverMet  = "no connection came about"
	untold    = "it told nothing of its pieces"
	lateStart = "it had crossed when it first told of its pieces"
	unproven  = "what it began with is only assumed"
	leftEarly = "it left before it told of its last pieces"
	away      = "there was no connection when it crossed"
)

// miss gives the reason for which a completion was missed, and what the log and the tables know of it.
func (c completion) miss() (reason, known string) {
	if len(c.trail.visits) == 0 || len(c.counted) == 0 {
		return neverMet, c.trail.commonFailure()
	}
	p := c.counted[0]
	known = fmt.Sprintf("%s to %s pieces; %s", number(p.firstPieces), number(p.lastPieces), c.encounter())
	switch {
	case p.download != nil:
		return unproven, known
	case !p.firstPieces.Valid:
		return untold, known
	case int(p.firstPieces.Int64) >= c.threshold:
		return lateStart, known
	case c.trail.at(c.crossed) != nil:
		return leftEarly, known
	}
	return away, known
}

// encounter tells of the session that lasted when the client crossed, or the one before or after that.
func (c completion) encounter() string {
	seconds := func(from, to time.Time) string { return fmt.Sprintf("%.1f s", to.Sub(from).Seconds()) }
	if v := c.trail.at(c.crossed); v != nil && v.closed.IsZero() {
		return "connected since " + seconds(v.opened, c.crossed) + " before it crossed, to the end"
	} else if v != nil {
		return fmt.Sprintf("connected since %s before it crossed, until %s after: %v by %v",
			seconds(v.opened, c.crossed), seconds(c.crossed, v.closed), v.reason, v.by)
	}
	if v := c.trail.before(c.crossed); v != nil {
		return fmt.Sprintf("connected for %s until %s before it crossed: %v by %v", seconds(v.opened, v.closed), seconds(v.closed, c.crossed), v.reason, v.by)
	}
	return "connected " + seconds(c.crossed, c.trail.visits[0].opened) + " after it crossed; before, " + c.trail.commonFailure()
}

// tally counts the completions of one kind.
type tally struct {
	kind      string
	all       share
	reachable share
	confirmed int // downloads, right or wrong
	right     int
}

// share is how many of some completions were confirmed.
type share struct{ confirmed, of int }

func (s *share) add(confirmed bool) {
	s.of++
	if confirmed {
		s.confirmed++
	}
}

// value is 1 where there is nothing to share.
func (s share) value() float64 {
	if s.of == 0 {
		return 1
	}
	return float64(s.confirmed) / float64(s.of)
}

func (s share) String() string { return fmt.Sprintf("%.3f", s.value()) }

func (t *tally) add(c completion) {
	right := c.right()
	t.all.add(right)
	if c.reachable() {
		t.reachable.add(right)
	}
	t.confirmed += len(c.confirmed())
	if right {
		t.right++
	}
}

// precision is the share of the confirmed downloads that are right.
func (t tally) precision() share { return share{t.right, t.confirmed} }

// census is what was confirmed of the completions of a swarm.
type census struct {
	kinds  []tally // in their order
	total  tally
	missed []completion // those that were not confirmed, and might have been
}

// count compares completions with what was counted. A confirmed download of somebody else is wrong.
func count(completions []completion, peers []peerRow) (c census) {
	rows := map[netip.Addr][]peerRow{}
	for _, p := range peers {
		if at, err := netip.ParseAddrPort(p.address); err == nil {
			rows[at.Addr()] = append(rows[at.Addr()], p)
		}
	}
	c.total.kind = "all"
	for _, k := range kinds {
		c.kinds = append(c.kinds, tally{kind: k.name})
	}
	for _, one := range completions {
		one.counted = rows[one.address]
		delete(rows, one.address)
		for i := range c.kinds {
			if c.kinds[i].kind == one.kind {
				c.kinds[i].add(one)
			}
		}
		c.total.add(one)
		if one.reachable() && !one.right() {
			c.missed = append(c.missed, one)
		}
	}
	for _, strangers := range rows {
		c.total.confirmed += len(completion{counted: strangers}.confirmed())
	}
	return c
}

// verdict is errDisagree when a confirmed download is wrong, and errRecall when too few were confirmed.
func (c census) verdict() error {
	if p := c.total.precision(); p.confirmed < p.of {
		return fmt.Errorf("%w: %d of %d confirmed downloads are right", errDisagree, p.confirmed, p.of)
	}
	if r := c.total.reachable; r.value() < recallGoal {
		return fmt.Errorf("%w of %.2f: %d of %d completions that were reachable for %v were confirmed", errRecall, recallGoal, r.confirmed, r.of, reachableFor)
	}
	return nil
}

// reportRecall prints what was confirmed of each kind.
func (s *scene) reportRecall(ctx context.Context, counted result) error {
	if n := len(counted.torrents); n != 1 {
		return fmt.Errorf("%w (--observe %s): %d torrents instead of 1", errDisagree, s.observe, n)
	}
	seen := newTrails()
	if _, err := replay.Fold(ctx, replay.Options{Logs: []string{s.events}}, seen); err != nil {
		return fmt.Errorf("read %s: %w", s.events, err)
	}
	completions := s.guests.completions(counted.torrents[0].threshold)
	for i := range completions {
		completions[i].trail = seen.of(completions[i].address)
	}
	c := count(completions, counted.peers)
	s.table("KIND\tCOMPLETIONS\tCONFIRMED\tRECALL\tREACHABLE FOR 10 S\tCONFIRMED OF THESE\tRECALL\tPRECISION", func(w *tabwriter.Writer) {
		for _, t := range append(c.kinds, c.total) {
			fmt.Fprintf(w, "%s\t%d\t%d\t%v\t%d\t%d\t%v\t%v\n", t.kind, t.all.of, t.all.confirmed, t.all,
				t.reachable.of, t.reachable.confirmed, t.reachable, t.precision())
		}
	})
	s.reportMissed(c.missed)
	if err := c.verdict(); err != nil {
		return fmt.Errorf("%w (--observe %s)", err, s.observe)
	}
	return nil
}

// reportMissed prints why completions were missed.
func (s *scene) reportMissed(missed []completion) {
	if len(missed) == 0 {
		return
	}
	s.table("MISSED OF THE REACHABLE\tADDRESS\tTHERE FOR\tREASON\tWHAT IS KNOWN", func(w *tabwriter.Writer) {
		for _, c := range missed {
			reason, known := c.miss()
			fmt.Fprintf(w, "%s\t%v\t%.1f s\t%s\t%s\n", c.name, c.address, c.crossed.Sub(c.began).Seconds(), reason, known)
		}
	})
}
