package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
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
	counted        []peerRow // the rows of its address
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

// missed says what is known of a download that was not confirmed.
func (c completion) missed() string {
	known := "never met"
	if len(c.counted) > 0 {
		p := c.counted[0]
		known = fmt.Sprintf("met in %d sessions, %s to %s pieces", p.visits, number(p.firstPieces), number(p.lastPieces))
		if p.download != nil {
			known += ", a download that is " + p.download.belowEvidence
		}
	}
	return fmt.Sprintf("%s (%v), there for %.1f s: %s", c.name, c.address, c.crossed.Sub(c.began).Seconds(), known)
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
	missed []string // what was not confirmed, and might have been
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
			c.missed = append(c.missed, one.missed())
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
func (s *scene) reportRecall(counted result) error {
	if n := len(counted.torrents); n != 1 {
		return fmt.Errorf("%w (--observe %s): %d torrents instead of 1", errDisagree, s.observe, n)
	}
	c := count(s.guests.completions(counted.torrents[0].threshold), counted.peers)
	s.table("KIND\tCOMPLETIONS\tCONFIRMED\tRECALL\tREACHABLE FOR 10 S\tCONFIRMED OF THESE\tRECALL\tPRECISION", func(w *tabwriter.Writer) {
		for _, t := range append(c.kinds, c.total) {
			fmt.Fprintf(w, "%s\t%d\t%d\t%v\t%d\t%d\t%v\t%v\n", t.kind, t.all.of, t.all.confirmed, t.all,
				t.reachable.of, t.reachable.confirmed, t.reachable, t.precision())
		}
	})
	if len(c.missed) > 0 {
		fmt.Fprintf(s.out, "Missed of the reachable:\n  %s\n\n", strings.Join(c.missed, "\n  "))
	}
	if err := c.verdict(); err != nil {
		return fmt.Errorf("%w (--observe %s)", err, s.observe)
	}
	return nil
}
