package projections

import (
	"iter"
	"strconv"

	"btda/events/pieces"
)

var sweepColumns = []Column{
	{"id", Integer}, {"threshold", Real}, {"torrent", Integer}, {"complete_threshold", Integer}, {"confirmed", Integer},
	{"assumed", Integer}, {"censored", Integer},
}

// goal is what the set of a session is measured by.
type goal struct {
	pieces   uint32   // of the torrent; 0 while unknown, and then the rest means nothing
	complete uint32   // from which a peer counts as complete
	rungs    []uint32 // the thresholds of the sweep in pieces, ascending
}

// decide takes the threshold, and makes the sweep of it and those beside it.
func (d *definitions) decide(threshold pieces.Fraction) {
	d.threshold, d.decided = threshold, true
	all := d.options
	all.Threshold = &threshold
	d.sweep = all.Thresholds()
}

func (d *definitions) goal(t torrentIndex) goal {
	torrent := &d.torrents[t]
	count := torrent.metadata.PieceCount
	if torrent.rungs == nil && count > 0 {
		for _, f := range d.sweep {
			torrent.rungs = append(torrent.rungs, uint32(f.CeilOf(uint64(count))))
		}
	}
	return goal{pieces: count, complete: d.complete(t), rungs: torrent.rungs}
}

// climbs keeps what closed sessions proved for the sweep: for each party a milestone for each rung.
type climbs struct{ milestones list[milestone] }

func (c *climbs) keep(of partyIndex, session *climb) {
	width := len(session.rungs)
	for c.milestones.len() < (int(of)+1)*width {
		c.milestones.add(milestone{})
	}
	for rung := range width {
		c.milestones.at(int(of)*width + rung).merge(session.milestone(rung))
	}
}

// endedClimb is that of a session which is open, ended on a copy.
type endedClimb struct {
	party partyIndex
	climb climb
}

// milestones gives those of a rung by the leader of each identity. The space is of one milestone for each party.
func (v *view) milestones(rung int, space []milestone) {
	clear(space)
	stored, width := &v.sessions.climbs.milestones, len(v.sessions.definitions.sweep)
	for i := range min(len(v.leaders), stored.len()/width) {
		space[v.leaders[i]].merge(*stored.at(i*width + rung))
	}
	for i := range v.climbs {
		if e := &v.climbs[i]; len(e.climb.rungs) > 0 {
			space[v.leaders[e.party]].merge(e.climb.milestone(rung))
		}
	}
}

// sweepCount is what would be counted with one threshold.
type sweepCount struct{ confirmed, assumed uint32 }

// sweepCounts gives the counts of each torrent: of each, one for each threshold.
func (p *peers) sweepCounts() []sweepCount {
	d := p.view.sessions.definitions
	counts := make([]sweepCount, len(d.torrents)*len(d.sweep))
	space := make([]milestone, len(p.view.leaders))
	for rung := range d.sweep {
		p.view.milestones(rung, space)
		for i, m := range space {
			c := &counts[int(p.torrent(partyIndex(i)))*len(d.sweep)+rung]
			switch {
			case m.confirmed():
				c.confirmed++
			case m.likely():
				c.assumed++
			}
		}
	}
	return counts
}

// sweepTable has a row for each torrent and threshold. Any record may change any of them, and they are few.
func (p *peers) sweepTable() Table {
	return newTable("threshold_sweep", sweepColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			d := p.view.sessions.definitions
			counts := p.sweepCounts()
			for i, added := range p.torrents.added {
				for rung := range d.sweep {
					id := int64(i*len(d.sweep)+rung) + 1
					row := p.sweepRow(id, added.torrent, rung, counts[int(added.torrent)*len(d.sweep)+rung])
					if !yield(Change{id, row}) {
						return
					}
				}
			}
		}
	})
}

func (p *peers) sweepRow(id int64, torrent torrentIndex, rung int, c sweepCount) Row {
	d := p.view.sessions.definitions
	threshold, goal := d.sweep[rung], d.goal(torrent)
	sized := goal.pieces > 0
	row := Row{integer(id), decimalOf(threshold), p.torrents.id(torrent), {}, {}, {}, {}}
	if sized {
		row[3], row[4], row[5] = integer(goal.rungs[rung]), integer(c.confirmed), integer(c.assumed)
		row[6] = boolean(d.censored(torrent, threshold))
	}
	return row
}

// decimalOf gives the float nearest to the decimal, which is what SQLite makes of the same digits.
func decimalOf(f pieces.Fraction) Value {
	v, _ := strconv.ParseFloat(f.String(), 64) // a fraction always is a number
	return decimal(v)
}
