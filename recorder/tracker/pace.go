package tracker

import (
	"time"

	"btda/events"
)

// Bounds of the time between two announces; see the package comment.
const (
	minWait        = 100 * time.Millisecond
	maxWait        = 24 * time.Hour
	maxJitter      = 30 * time.Second
	maxFirstRetry  = 30 * time.Second
	maxRetry       = time.Hour
	retryPart      = 5 // the first retry comes after this part of the wished interval
	maxRetryDouble = 16
)

// next is the time from an announce to the next one.
func (p *progress) next(done Announcement) time.Duration {
	switch {
	case done.Elsewhere:
		return backOff(p.Interval, p.failures)
	case done.Answer != nil:
		return min(max(p.Interval, lawful(done.Answer)), max(maxWait, p.Interval))
	case done.Failure.RetryIn.Known:
		return min(max(p.Interval, seconds(done.Failure.RetryIn)), max(maxWait, p.Interval))
	case done.Failure.Reason == events.ReasonUnsupportedScheme:
		return p.Interval
	}
	return backOff(p.Interval, p.failures)
}

// lawful is the least time that a tracker allows between two announces.
func lawful(a *events.TrackerAnnounced) time.Duration {
	if a.MinInterval.Known {
		return seconds(a.MinInterval)
	}
	return seconds(a.Interval)
}

// backOff is the time to wait after some failures in a row.
func backOff(interval time.Duration, failures int) time.Duration {
	first := min(interval/retryPart, maxFirstRetry)
	return min(first<<min(failures-1, maxRetryDouble), max(interval, maxRetry))
}
