package session

import (
	"time"

	"btda/events"
)

// rate is how much a peer may make us store: one unit per interval, and so many units at once. A unit is unitSize bytes.
type rate struct {
	interval time.Duration
	burst    int64
}

const unitSize = 64

// The rates of one session.
var (
	// idleRate is for messages without content: about 30 MB a day at the most.
	idleRate = rate{interval: time.Second / 4, burst: 512}
	// newsRate is for messages with content, beyond what a whole download brings: see (*session).newsRate.
	newsRate = rate{interval: time.Second / 32, burst: 1024}
)

// unknownPieces is how many pieces newsRate allows for while the number is not known.
const unknownPieces = 4096

// budget is what a peer has used of a rate. Its zero value is the whole burst.
type budget struct {
	whole time.Duration // when nothing of it will be in use any more
}

// cost is the units that a message takes which makes us store a number of bytes beside the usual few.
func cost(stored int) int64 { return 1 + int64(stored)/unitSize }

// take uses units if there are as many. One message that takes more than the whole burst passes while nothing is in use.
func (b *budget) take(r rate, now time.Duration, units int64) bool {
	after := max(b.whole, now) + time.Duration(units)*r.interval
	if b.whole > now && after-now > time.Duration(r.burst)*r.interval {
		return false
	}
	b.whole = after
	return true
}

// overdraw uses units even where there are not as many. It returns when the debt will be paid.
func (b *budget) overdraw(r rate, now time.Duration, units int64) (paid time.Duration) {
	b.whole = max(b.whole, now) + time.Duration(units)*r.interval
	return b.whole - time.Duration(r.burst)*r.interval
}

// suppression counts messages of one kind that were not stored.
type suppression struct {
	kind  events.MessageKind
	count uint64
	bytes uint64
	since events.Time
}

// suppressions counts messages that were not stored, by kind. There are at most 257 kinds.
type suppressions []suppression

func (s *suppressions) add(m message, at events.Time) {
	for i := range *s {
		if x := &(*s)[i]; x.kind == m.Kind {
			x.count++
			x.bytes += uint64(m.Length)
			return
		}
	}
	*s = append(*s, suppression{kind: m.Kind, count: 1, bytes: uint64(m.Length), since: at})
}
