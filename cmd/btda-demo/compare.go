package main

import (
	"errors"
	"fmt"
	"time"

	"btda/recorder/swarmtest"
)

var errDisagree = errors.New("the counts and the clients do not agree")

// slack is how much later than the client itself the recorder may know of a piece.
const slack = time.Second

// drift is how far the clock of the run, which follows no change of the wall clock, may be from that of the clients.
const drift = 10 * time.Millisecond

// assumed is the below_evidence of a download that is likely, but not confirmed.
const assumed = "assumed"

// truth is what a client of the swarm knows of itself.
type truth struct {
	name, address           string
	firstPieces, lastPieces int
	finishes                bool      // it downloaded all pieces
	crossed                 time.Time // when it came to have as many pieces as the threshold; zero unless it came from below
}

// truths asks the clients. The threshold is a number of pieces.
func truths(clients []*swarmtest.Client, threshold int) []truth {
	var all []truth
	for _, c := range clients {
		t := truth{name: c.Name, address: c.AddrPort().String(), firstPieces: c.History()[0].Pieces, lastPieces: c.Pieces(), finishes: c.Finishes()}
		t.crossed, _ = c.CrossedAt(threshold)
		all = append(all, t)
	}
	return all
}

// verdict compares what was counted of one client with what it knows itself.
type verdict struct {
	truth
	peer     *peerRow // nil when it was never met
	problems []string // none when both agree
}

// judge compares every client with the peer of its address. Strangers are peers that are no client of the swarm.
func judge(clients []truth, peers []peerRow) (verdicts []verdict, strangers []peerRow) {
	met := map[string]*peerRow{}
	for _, p := range peers {
		if met[p.address] != nil {
			strangers = append(strangers, p) // a second row for one address
			continue
		}
		met[p.address] = &p
	}
	for _, c := range clients {
		v := verdict{truth: c, peer: met[c.address]}
		v.problems = v.findProblems()
		verdicts = append(verdicts, v)
		delete(met, c.address)
	}
	for _, p := range peers {
		if met[p.address] != nil {
			strangers = append(strangers, p)
		}
	}
	return verdicts, strangers
}

func (v *verdict) findProblems() []string {
	if v.peer == nil {
		return []string{"never met"}
	}
	d := v.peer.download
	switch {
	case d == nil && v.finishes:
		return []string{"its download was missed"}
	case d == nil:
		return nil
	case !v.finishes:
		return []string{"it did not download"}
	case d.belowEvidence == assumed:
		return []string{"its download is only assumed"}
	}
	if v.crossed.Before(moment(d.lastBelow).Add(-slack)) || v.crossed.After(moment(d.firstAbove).Add(drift)) {
		return []string{fmt.Sprintf("it crossed the threshold at %v", v.crossed.Format(time.StampMilli))}
	}
	return nil
}

// moment converts seconds since 1970.
func moment(seconds float64) time.Time { return time.UnixMicro(int64(seconds * 1e6)) }
