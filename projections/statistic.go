package projections

import (
	"iter"
	"math"

	"btda/events"
)

var statisticColumns = []Column{
	{"id", Integer}, {"timestamp", Integer}, {"peer_queue", Integer}, {"visited_queue", Integer}, {"unique_incoming", Integer},
	{"success_active", Integer}, {"thread_workload", Real}, {"load_average", Real}, {"memory_mb", Real},
	{"server_threads", Integer}, {"evaluator_threads", Integer}, {"vm", Integer},
}

// statistic is one row.
type statistic struct {
	at             moment
	sample         events.StatisticSampled
	uniqueIncoming uint64
	successActive  uint64
}

type visitorKey struct {
	torrent torrentIndex
	address address
}

// statistics keeps the samples of the recorder's own state, and counts sessions beside them.
type statistics struct {
	definitions   *definitions
	all           list[statistic]
	visitors      map[visitorKey]struct{} // that came to us
	successActive uint64
}

func (s *statistics) opened(torrent torrentIndex, e *events.SessionOpened) {
	if e.Direction == events.Incoming {
		s.visitors[visitorKey{torrent, addressOf(e.Address.Addr())}] = struct{}{}
	} else {
		s.successActive++
	}
}

func (s *statistics) sampled(at moment, e *events.StatisticSampled) {
	s.all.add(statistic{at: at, sample: *e, uniqueIncoming: uint64(len(s.visitors)), successActive: s.successActive})
}

func (s *statistics) table() Table {
	return newTable("statistic", statisticColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			space := make(Row, len(statisticColumns))
			for i := range s.all.len() {
				r, id := s.all.at(i), int64(i)+1
				if r.at.position > since && !yield(Change{id, s.row(id, r, space[:0])}) {
					return
				}
			}
		}
	})
}

func (s *statistics) row(id int64, r *statistic, to Row) Row {
	e := &r.sample
	workload := Value{}
	if e.OutgoingLimit > 0 {
		workload = decimal(float64(e.ActiveOutgoing) / float64(e.OutgoingLimit))
	}
	return append(to,
		integer(id), seconds(r.at.time), count(e.PeerQueue), count(e.AwaitingCommit), integer(r.uniqueIncoming),
		integer(r.successActive), workload, known(decimal(e.Load15), !math.IsNaN(e.Load15)),
		known(decimal(float64(e.PeakMemory)/1e6), e.PeakMemory > 0),
		count(e.ActiveIncoming), count(e.ActiveOutgoing), integer(s.definitions.runNumber(r.at.run)),
	)
}
