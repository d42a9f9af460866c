package eventlog

import (
	"sync/atomic"
	"time"
)

// tablePace is how fast a table is written while there is time, in bytes a second.
const tablePace = 64 << 20

// hurry says when there is no time: when the write-ahead log grew meanwhile by more than this part of what the table has.
const hurry = 4 // a quarter

// pace slows the writing of a table. In one go it keeps the disk and a core busy for some milliseconds, and the syncs of the
// write-ahead log wait for it, which are what somebody waits for; nobody waits for a table unless events come so fast that
// memory fills up.
type pace struct {
	journal *atomic.Int64 // bytes written to write-ahead logs
	began   int64         // of them, when the table was begun
	written int64         // bytes of the table
}

func newPace(journal *atomic.Int64) *pace { return &pace{journal: journal, began: journal.Load()} }

// wait returns when so many more bytes of the table may be written.
func (p *pace) wait(n int) {
	p.written += int64(n)
	if hurry*(p.journal.Load()-p.began) < p.written {
		time.Sleep(time.Duration(n) * time.Second / tablePace)
	}
}
