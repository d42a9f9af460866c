package projections

import (
	"cmp"
	"slices"
	"time"

	"btda/events"
)

type naiveSample struct {
	time    events.Time
	pieces  int
	assumed bool
}

// samples lists all samples of a session.
func (m *naiveModel) samples(s *naiveSession) []naiveSample {
	first, settled := m.firstAvailability(s)
	if len(first) == 0 && len(s.messages) == 0 {
		return nil
	}
	complete := m.complete[s.torrent]
	counts := func(message naiveMessage) bool { return message.basis != "have" || message.count() >= complete }
	sample := func(at events.Time, message naiveMessage) naiveSample {
		return naiveSample{at, message.count(), message.basis == "have"}
	}
	var samples []naiveSample
	counted, above := false, false
	if n := len(first); n > 0 {
		last := first[n-1]
		above = last.count() >= complete
		switch {
		case settled && counts(last):
			counted = true
			samples = append(samples, sample(s.messages[0].time.Add(m.settle), last))
		case !settled && above:
			reached := m.firstFacts(s, first, false)
			samples = append(samples, sample(reached[len(reached)-1].time, last))
		case !settled:
			return nil
		}
	}
	// Walk through the later messages and the end; before each, what is due.
	due := events.Time(0)
	if len(samples) > 0 {
		due = samples[0].time.Add(m.revisit)
	}
	now := naiveMessage{}
	if len(first) > 0 {
		now = first[len(first)-1]
	}
	walk := func(until events.Time) {
		for ; len(samples) > 0 && settled && m.revisit > 0 && due <= until; due = due.Add(m.revisit) {
			if due > samples[len(samples)-1].time && counts(now) {
				samples = append(samples, sample(due, now))
			}
		}
	}
	for _, message := range s.messages[len(first):] {
		walk(message.time)
		isAbove := message.count() >= complete
		if isAbove && !above || counts(message) && !counted {
			samples = append(samples, sample(message.time, message))
			if len(samples) == 1 {
				due = message.time.Add(m.revisit)
			}
		}
		now, above, counted = message, isAbove, counts(message)
	}
	walk(s.end)
	if len(samples) > 0 && counts(now) {
		samples = append(samples, sample(max(s.end, now.time), now))
	}
	return samples
}

func (m *naiveModel) sampled(p *naivePeer, sessions []*naiveSession) {
	var all [][]naiveSample
	opened := map[*naiveSample]int{}
	for _, s := range sessions {
		if samples := m.samples(s); len(samples) > 0 {
			all = append(all, samples)
			opened[&samples[0]] = s.opened
		}
	}
	slices.SortFunc(all, func(a, b []naiveSample) int {
		return cmp.Or(cmp.Compare(a[0].time, b[0].time), cmp.Compare(opened[&a[0]], opened[&b[0]]))
	})
	count := 0
	var last naiveSample
	for _, samples := range all {
		if p.first < 0 && !samples[0].assumed {
			p.first = samples[0].pieces
		}
		from := samples[0]
		if count > 0 {
			p.faster(last, from)
		}
		for _, to := range samples[1:] {
			if p.faster(from, to) {
				from = to
			}
		}
		if end := samples[len(samples)-1]; count == 0 || end.time >= last.time {
			last = end
		}
		count += len(samples)
	}
	if count >= 2 {
		p.last = last.pieces
	}
}

// faster reports whether the speed could be measured.
func (p *naivePeer) faster(from, to naiveSample) bool {
	over := to.time.Sub(from.time)
	if over < time.Second {
		return false
	}
	// Rounded once: seconds would be rounded before, and another digit could be shown.
	speed := float64(max(to.pieces-from.pieces, 0)*int(time.Second)) / float64(over)
	p.speed = max(p.speed, speed)
	return true
}
