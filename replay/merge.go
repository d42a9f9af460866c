package replay

import (
	"bytes"
	"slices"

	"btda/events"
)

// scanner gives the records of one run in their order, as eventlog.Scanner does.
type scanner interface {
	Next() bool
	Record() *events.Record // valid until the next Next
	Err() error
}

// merger gives the records of several runs in one order: by the running maximum of Time within the run, then run id,
// then Seq. So the order of a run is always kept, whatever its clock did, and the order in which the runs are
// named does not matter.
type merger struct {
	sources []*mergeSource // that are not at their end
	current *mergeSource   // that gave the present record; nil before the first
	err     error
}

// mergeSource is one run with its next record.
type mergeSource struct {
	scanner scanner
	latest  events.Time // running maximum, the next record included
}

// newMerger starts a merge. Each scanner gives the records of another run.
func newMerger(scanners []scanner) *merger {
	m := new(merger)
	for _, s := range scanners {
		m.sources = append(m.sources, &mergeSource{scanner: s})
	}
	for _, s := range slices.Clone(m.sources) {
		m.advance(s)
	}
	return m
}

// Next goes on to the next record. False is the end or an error.
func (m *merger) Next() bool {
	if m.current != nil {
		m.advance(m.current)
	}
	m.current = nil
	if m.err != nil {
		return false
	}
	for _, s := range m.sources {
		if m.current == nil || s.before(m.current) {
			m.current = s
		}
	}
	return m.current != nil
}

// Record gives the present record. It is valid until the next Next.
func (m *merger) Record() *events.Record { return m.current.scanner.Record() }

// Err is the first error of a scanner.
func (m *merger) Err() error { return m.err }

// advance reads the next record of a source, and drops the source at its end.
func (m *merger) advance(s *mergeSource) {
	if s.scanner.Next() {
		s.latest = max(s.latest, s.scanner.Record().Time)
		return
	}
	if m.err == nil {
		m.err = s.scanner.Err()
	}
	m.sources = slices.DeleteFunc(m.sources, func(other *mergeSource) bool { return other == s })
}

// before orders the next records of two runs.
func (s *mergeSource) before(t *mergeSource) bool {
	if s.latest != t.latest {
		return s.latest < t.latest
	}
	a, b := s.scanner.Record().Run, t.scanner.Record().Run
	return bytes.Compare(a[:], b[:]) < 0
}
