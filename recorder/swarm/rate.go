package swarm

import (
	"time"

	"btda/events"
)

// bucket limits how often something begins: a token bucket that holds a tenth of a second's worth, at least one.
type bucket struct {
	interval time.Duration // between two, in the long run
	slack    time.Duration // how far ahead of the interval a burst may run
	next     events.Time   // when the next would begin if all kept the interval
}

func newBucket(perSecond int) bucket {
	interval := time.Second / time.Duration(perSecond)
	return bucket{interval: interval, slack: time.Duration(max(perSecond/10, 1)-1) * interval}
}

func (b *bucket) readyAt() events.Time { return b.next.Add(-b.slack) }

func (b *bucket) ready(now events.Time) bool { return now >= b.readyAt() }

func (b *bucket) take(now events.Time) { b.next = max(b.next, now).Add(b.interval) }
