package projections

import (
	"cmp"
	"iter"
	"slices"

	"btda/events"
)

var sourceColumns = []Column{
	{"id", Integer}, {"peer", Integer}, {"source", Text}, {"tracker", Text}, {"first_named", Integer},
}

// mention is the first time that a source named an address.
type mention struct {
	position Position // 0 is never
	time     events.Time
	tracker  trackerIndex // noTracker unless the source is a tracker
}

// mentionKey is an endpoint and a source of it other than the first.
type mentionKey struct {
	endpoint uint32
	source   events.Source // below sourceLimit; 0 stands for all others
}

// sourceOf gives 0 for a source without a bit of its own.
func sourceOf(s events.Source) events.Source {
	if s >= sourceLimit {
		return 0
	}
	return s
}

// mentions calls a function with the first mention by each source of an endpoint.
func (s *endpoints) mentions(i int, of func(events.Source, mention)) {
	e := s.all.at(i)
	for source := range events.Source(sourceLimit) {
		switch {
		case e.sources&sourceBit(source) == 0:
		case source == sourceOf(e.first):
			of(source, mention{e.namedAt, e.named, e.tracker})
		default:
			of(source, s.later[mentionKey{uint32(i), source}])
		}
	}
}

// sourcing is a mention of a peer.
type sourcing struct {
	leader partyIndex
	source events.Source
	mention
}

// sourcings gives the first mention of each peer by each source, ordered by both; a peer that came to us was so named by itself. Of the
// leaders it marks those whose mentions may have changed since a position.
func (p *peers) sourcings(since Position) (all []sourcing, changed []bool) {
	changed = make([]bool, len(p.view.leaders))
	for i := range p.endpoints.all.len() {
		e := p.endpoints.all.at(i)
		leader, ok := p.leaderAt(e)
		if !ok {
			continue
		}
		changed[leader] = changed[leader] || e.revision > since
		p.endpoints.mentions(i, func(source events.Source, m mention) { all = append(all, sourcing{leader, source, m}) })
	}
	for i := range p.view.leaders {
		leader := partyIndex(i)
		changed[i] = changed[i] || p.view.changed(leader, since)
		if came := p.view.members[leader].came; came.position != 0 {
			all = append(all, sourcing{leader, events.SourceIncoming, mention{came.position, came.time, noTracker}})
		}
	}
	slices.SortFunc(all, func(a, b sourcing) int {
		return cmp.Or(cmp.Compare(a.leader, b.leader), cmp.Compare(a.source, b.source), cmp.Compare(a.position, b.position))
	})
	return slices.CompactFunc(all, func(a, b sourcing) bool { return a.leader == b.leader && a.source == b.source }), changed
}

func (p *peers) sourceTable() Table {
	return newTable("peer_source", sourceColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			if p.options.Identity == Identity2015 {
				since = 0 // an address may go from one peer to another, which is then not marked
			}
			all, changed := p.sourcings(since)
			for i := range p.view.leaders {
				n := 0
				for n < len(all) && all[n].leader == partyIndex(i) {
					n++
				}
				if changed[i] && !p.sourceRows(partyIndex(i), all[:n], yield) {
					return
				}
				all = all[n:]
			}
		}
	})
}

// sourceRows gives a change for every source that a peer can have.
func (p *peers) sourceRows(leader partyIndex, all []sourcing, yield func(Change) bool) bool {
	for source := range events.Source(sourceLimit) {
		change := Change{ID: int64(leader)*sourceLimit + int64(source) + 1}
		if len(all) > 0 && all[0].source == source {
			change.Row = Row{
				integer(change.ID), integer(leader.id()), text(knownSourceName(source)), p.endpoints.trackers.name(all[0].tracker), seconds(all[0].time),
			}
			all = all[1:]
		}
		if !yield(change) {
			return false
		}
	}
	return true
}

// knownSourceName is other for all sources without a bit of their own.
func knownSourceName(s events.Source) string {
	if s == 0 {
		return otherSources
	}
	return s.String()
}
