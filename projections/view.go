package projections

// view is what the sessions come to as of the last record: open sessions ended with their runs, parties joined. It changes
// nothing of the folds, so that they can go on.
type view struct {
	sessions *sessions
	leaders  []partyIndex // of each party: the one whose id the identity has, which is the first that appeared
	members  []party      // for each leader, the whole identity; for others nothing
	roots    []partyIndex // for each leader, the party whose key says who it is
	ended    []recollection
	climbs   []endedClimb
	order    []uint32 // histories, then ended, grouped by leader
	starts   []uint32 // of each leader in order; one more at the end
}

func (s *sessions) view(now Position) *view {
	n := s.identities.parties.len()
	v := &view{
		sessions: s, leaders: make([]partyIndex, n), members: make([]party, n), roots: make([]partyIndex, n),
		starts: make([]uint32, n+1),
	}
	v.join()
	v.group(v.endOpen(now))
	return v
}

func (v *view) join() {
	identities := v.sessions.identities
	first := make([]partyIndex, len(v.leaders))
	for i := range first {
		first[i] = noParty
	}
	for i := range v.leaders {
		p := partyIndex(i)
		root := identities.root(p)
		if first[root] == noParty {
			first[root] = p
			v.roots[p] = root
		}
		v.leaders[p] = first[root]
		v.members[first[root]].merge(identities.parties.at(i))
	}
}

// endOpen ends copies of the open sessions at the last record of their run, and gives their parties.
func (v *view) endOpen(now Position) []partyIndex {
	var parties []partyIndex
	for i := range v.sessions.open {
		open := v.sessions.open[i]
		if open.key.number == 0 {
			continue
		}
		end := v.sessions.definitions.runs[open.key.run].latest
		open.close(end)
		v.members[v.leaders[open.party]].takeIn(open.visit(end, now))
		v.ended = append(v.ended, recollect(&open.availability))
		v.climbs = append(v.climbs, endedClimb{open.party, open.climb})
		parties = append(parties, open.party)
	}
	return parties
}

// group sorts the histories by leader, keeping their order within each.
func (v *view) group(ended []partyIndex) {
	stored := &v.sessions.histories.sessions
	leader := func(i int) partyIndex {
		if i < stored.len() {
			return v.leaders[stored.at(i).party]
		}
		return v.leaders[ended[i-stored.len()]]
	}
	total := stored.len() + len(ended)
	for i := range total {
		v.starts[leader(i)+1]++
	}
	for i := range v.leaders {
		v.starts[i+1] += v.starts[i]
	}
	next := append([]uint32(nil), v.starts...)
	v.order = make([]uint32, total)
	for i := range total {
		l := leader(i)
		v.order[next[l]] = uint32(i)
		next[l]++
	}
}

// appendSessions appends the sessions of the identity with a leader.
func (v *view) appendSessions(to []recollection, leader partyIndex) []recollection {
	stored := &v.sessions.histories.sessions
	for _, i := range v.order[v.starts[leader]:v.starts[leader+1]] {
		if int(i) < stored.len() {
			to = append(to, v.sessions.histories.recall(stored.at(int(i))))
		} else {
			to = append(to, v.ended[int(i)-stored.len()])
		}
	}
	return to
}

// isLeader reports whether an identity has the id of this party: others were joined to one with another id.
func (v *view) isLeader(p partyIndex) bool { return v.leaders[p] == p }

// met reports whether the identity led by a party has a row: a handshake that counts was completed.
func (v *view) met(leader partyIndex) bool { return v.members[leader].visits > 0 }

// changed reports whether the row with the id of a party may have changed since a position.
func (v *view) changed(p partyIndex, since Position) bool {
	return v.members[v.leaders[p]].revision > since
}

func (p partyIndex) id() int64 { return int64(p) + 1 }
