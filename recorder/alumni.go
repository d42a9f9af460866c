package recorder

import (
	"time"

	"btda/events"
)

// maxAlumni is how many peers that were complete are remembered at one time at the most. One takes about 100 bytes.
const maxAlumni = 1 << 16

// alumni are peers that were complete when their session ended. Some connect again within seconds, without end: as long as they are
// remembered they get no other session, but only a fact that says so. Their download, if there was one, is in the log already.
//
// They are remembered for keep, which is the revisit delay: a session that often is what peers that we contact get. Where there are more
// than maxAlumni, the earliest are forgotten before that.
type alumni struct {
	keep   time.Duration
	recent map[trace]events.Time
	older  map[trace]events.Time
	turned events.Time // when recent became older
}

// have tells whether a peer is remembered.
func (a *alumni) have(t trace, now events.Time) bool {
	for _, generation := range []map[trace]events.Time{a.recent, a.older} {
		if left, ok := generation[t]; ok && now.Sub(left) < a.keep {
			return true
		}
	}
	return false
}

// add remembers a peer.
func (a *alumni) add(t trace, now events.Time) {
	if a.recent == nil || len(a.recent) >= maxAlumni/2 || now.Sub(a.turned) >= a.keep {
		a.older, a.recent, a.turned = a.recent, make(map[trace]events.Time), now
	}
	a.recent[t] = now
}
