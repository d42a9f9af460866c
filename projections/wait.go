package projections

import (
	"iter"
	"time"

	"btda/events"
)

var waitColumns = []Column{{"id", Integer}, {"torrent", Integer}, {"seconds", Integer}, {"waits", Integer}}

// waitCounts counts the waits for messages of one torrent by the whole seconds that they lasted, the last those of longestTimeout and
// more.
type waitCounts struct {
	counts   [longestTimeout + 1]uint64
	revision Position
}

// waits counts how long peers made us wait for their messages.
type waits struct{ byTorrent []waitCounts }

// begin makes room for a torrent.
func (w *waits) begin(torrent torrentIndex) {
	for len(w.byTorrent) <= int(torrent) {
		w.byTorrent = append(w.byTorrent, waitCounts{})
	}
}

// secondsOf gives whole seconds up to longestTimeout. What came before its time came at once.
func secondsOf(lasted time.Duration) int {
	return int(min(max(lasted, 0)/time.Second, longestTimeout))
}

// hear gives an open session of which a message came now, or nil for one that does not count.
func (s *sessions) hear(at moment, number events.SessionNumber) *session {
	found := s.find(sessionKey{at.run, number})
	if found != nil {
		counts := &s.waits.byTorrent[found.torrent]
		counts.revision = at.position
		if at.time == found.heard { // most messages come in bursts
			counts.counts[0]++
		} else {
			counts.counts[secondsOf(at.time.Sub(found.heard))]++
			found.heard = max(found.heard, at.time)
		}
	}
	return found
}

// suppressed takes in messages that were only counted: so many that they came within a second of each other.
func (s *sessions) suppressed(at moment, e *events.MessagesSuppressed) {
	if found := s.find(sessionKey{at.run, e.Session}); found != nil {
		counts := &s.waits.byTorrent[found.torrent]
		counts.counts[0] += e.Count
		counts.revision = at.position
		found.heard = max(found.heard, at.time)
	}
}

func (w *waits) table(t *torrents) Table {
	return newTable("message_wait", waitColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			for i, added := range t.added {
				var c waitCounts
				if int(added.torrent) < len(w.byTorrent) {
					c = w.byTorrent[added.torrent]
				}
				if max(c.revision, added.revision) > since && !c.rows(int64(i), t.id(added.torrent), yield) {
					return
				}
			}
		}
	})
}

// rows gives those of one torrent: of all waits those of a second and more, and so on.
func (c *waitCounts) rows(torrent int64, id Value, yield func(Change) bool) bool {
	var sums [longestTimeout + 1]uint64
	sum := uint64(0)
	for second := longestTimeout; second >= 0; second-- {
		sum += c.counts[second]
		sums[second] = sum
	}
	for second, sum := range sums {
		row := torrent*int64(len(sums)) + int64(second) + 1
		if !yield(Change{row, Row{integer(row), id, integer(second), count(sum)}}) {
			return false
		}
	}
	return true
}
