package projections

import (
	"iter"
	"math"
	"time"

	"btda/events"
)

var timingColumns = []Column{
	{"id", Integer}, {"torrent", Integer}, {"peer", Integer}, {"vm", Integer}, {"session", Integer}, {"direction", Text},
	{"timestamp", Integer}, {"dial_sec", Real}, {"handshake_sec", Real}, {"longest_wait", Real}, {"cut_by", Integer},
	{"content_wait", Real},
}

// longestTimeout is the longest timeout in seconds that a session is judged by.
const longestTimeout = 30

// milliseconds is a time that a peer took, rounded down; all beyond 49 days are one.
type milliseconds uint32

func millisecondsOf(d time.Duration) milliseconds {
	return milliseconds(min(max(d.Milliseconds(), 0), math.MaxUint32))
}

func (m milliseconds) seconds() Value { return decimal(float64(m) / 1000) }

// timing is how long a session made us wait. It holds no pointers, and is small: there is one for each session for good. When it last
// changed it does not say, for its party changed then too.
type timing struct {
	party     partyIndex // noParty when it turned out that the session does not count
	run       runIndex
	number    uint32 // of the session; 0 beyond what it holds
	opened    int32  // seconds after the first whole second of the run; saturates after 68 years
	dial      milliseconds
	handshake milliseconds
	wait      milliseconds
	content   milliseconds // the longest wait for a message with content; 0 where none came
	direction events.Direction
	closed    bool // and said how long the waits were
	heard     bool // any message came
}

// timingIndex numbers sessions that count from 0, in the order of their opening. The id of a row is one more.
type timingIndex uint32

// timings keeps the waits of all sessions that count.
type timings struct {
	definitions *definitions
	all         list[timing]
}

func (s *timings) open(at moment, e *events.SessionOpened, party partyIndex) timingIndex {
	t := timing{
		party: party, run: at.run, direction: e.Direction, dial: millisecondsOf(e.DialDuration), handshake: millisecondsOf(e.HandshakeDuration),
		opened: int32(min(max(wholeSeconds(at.time)-s.start(at.run), math.MinInt32), math.MaxInt32)),
	}
	if e.Session <= math.MaxUint32 {
		t.number = uint32(e.Session)
	}
	return timingIndex(s.all.add(t))
}

func (s *timings) start(run runIndex) int64 { return wholeSeconds(s.definitions.runs[run].started) }

// move gives a session to another party, or to none.
func (s *timings) move(of timingIndex, to partyIndex) { s.all.at(int(of)).party = to }

func (s *timings) close(of timingIndex, e *events.SessionClosed) {
	t := s.all.at(int(of))
	t.closed, t.heard = true, e.MessagesReceived > 0
	t.wait, t.content = millisecondsOf(e.LongestWait), millisecondsOf(e.LongestContentWait)
}

// cutBy is the longest timeout, in seconds up to longestTimeout, that would have ended the session too early; 0 is none. Messages without
// content do not prolong a visit, and so say nothing.
func (t *timing) cutBy() int64 {
	return min(int64(max(t.dial, t.handshake, t.content))/1000, longestTimeout)
}

func (p *peers) timingTable() Table {
	return newTable("timing", timingColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			space := make(Row, len(timingColumns))
			all := &p.view.sessions.timings.all
			for i := range all.len() {
				t, change := all.at(i), Change{ID: int64(i) + 1}
				if t.party != noParty {
					if !p.view.changed(t.party, since) {
						continue
					}
					change.Row = p.timingRow(change.ID, t, space[:0])
				}
				if !yield(change) {
					return
				}
			}
		}
	})
}

func (p *peers) timingRow(id int64, t *timing, to Row) Row {
	leader := p.view.leaders[t.party]
	return append(to,
		integer(id), p.torrents.id(p.torrent(leader)), integer(leader.id()), integer(p.torrents.definitions.runNumber(t.run)),
		known(integer(t.number), t.number != 0), text(t.direction.String()), integer(p.view.sessions.timings.start(t.run)+int64(t.opened)),
		known(t.dial.seconds(), t.direction == events.Outgoing), t.handshake.seconds(), known(t.wait.seconds(), t.heard),
		known(integer(t.cutBy()), t.closed), known(t.content.seconds(), t.content > 0),
	)
}
