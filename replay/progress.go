package replay

import "sync/atomic"

// Progress tells how far a replay is. The zero value is ready; it may be asked at any time, by any goroutine.
type Progress struct {
	total, done atomic.Uint64
	rows        atomic.Int64
	table       atomic.Pointer[string]
}

// Advance is the state of a replay.
type Advance struct {
	Events uint64 // that were folded
	Total  uint64 // that there are; 0 until the logs are open
	Table  string // that is being written; empty before the first
	Rows   int64  // that were written, of all tables
}

// Advance gives the present state. That of a nil Progress is nothing.
func (p *Progress) Advance() (a Advance) {
	if p == nil {
		return a
	}
	a.Events, a.Total, a.Rows = p.done.Load(), p.total.Load(), p.rows.Load()
	if table := p.table.Load(); table != nil {
		a.Table = *table
	}
	return a
}

func (p *Progress) expect(all logs) {
	if p == nil {
		return
	}
	var total uint64
	for _, l := range all {
		total += uint64(min(l.last, l.until))
	}
	p.done.Store(0)
	p.total.Store(total)
}

func (p *Progress) folded(records uint64) {
	if p != nil {
		p.done.Store(records)
	}
}

func (p *Progress) writing(table string) {
	if p != nil {
		p.table.Store(&table)
	}
}

func (p *Progress) wrote(rows int64) {
	if p != nil {
		p.rows.Add(rows)
	}
}
