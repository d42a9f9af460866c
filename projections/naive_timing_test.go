package projections

import (
	"fmt"

	"btda/events"
)

// naiveHeard is a message of any kind, or many that were only counted.
type naiveHeard struct {
	position int
	time     events.Time
	count    uint64
	flood    bool
}

// hear notes that a message came.
func (m *naiveModel) hear(r *events.Record) {
	heard := naiveHeard{position: m.position, time: r.Time, count: 1}
	var number events.SessionNumber
	switch e := r.Event.(type) {
	case *events.BitfieldReceived:
		number = e.Session
	case *events.BitfieldChanged:
		number = e.Session
	case *events.HaveAllReceived:
		number = e.Session
	case *events.HaveNoneReceived:
		number = e.Session
	case *events.HaveReceived:
		number = e.Session
	case *events.DontHaveReceived:
		number = e.Session
	case *events.ExtensionHandshakeReceived:
		number = e.Session
	case *events.PeersExchanged:
		number = e.Session
	case *events.MessageReceived:
		number = e.Session
	case *events.MessagesSuppressed:
		number, heard.count, heard.flood = e.Session, e.Count, true
	default:
		return
	}
	s := m.openSessionNames[number]
	s.heard = append(s.heard, heard)
}

func (m *naiveModel) timings() string {
	var lines []string
	for _, p := range m.peers() {
		for _, s := range p.sessions {
			lines = append(lines, fmt.Sprint(s.torrent, " ", p.id, " 1 ", s.opening.Session, " ", naiveTiming(s)))
		}
	}
	return naiveLines(lines)
}

func naiveTiming(s *naiveSession) string {
	direction, dial, wait, cut, content := "incoming", "-", "-", "-", "-"
	longest := max(s.opening.DialDuration, s.opening.HandshakeDuration)
	if !s.incoming {
		direction, dial = "outgoing", fmt.Sprintf("%.3f", s.opening.DialDuration.Seconds())
	}
	if s.ended {
		if s.closing.MessagesReceived > 0 {
			wait = fmt.Sprintf("%.3f", s.closing.LongestWait.Seconds())
		}
		if s.closing.LongestContentWait > 0 {
			content = fmt.Sprintf("%.3f", s.closing.LongestContentWait.Seconds())
		}
		longest = max(longest, s.closing.LongestContentWait)
		for timeout := 0; timeout <= 30 && longest.Seconds() >= float64(timeout); timeout++ {
			cut = fmt.Sprint(timeout)
		}
	}
	return fmt.Sprintf("%s %d %s %.3f %s %s %s", direction, s.openedAt/1e9, dial, s.opening.HandshakeDuration.Seconds(), wait, cut, content)
}

func (m *naiveModel) waits() string {
	counts := map[events.TorrentNumber]*[31]uint64{}
	for i := range streamSizes {
		counts[events.TorrentNumber(i+1)] = new([31]uint64)
	}
	for _, s := range m.sessions {
		if m.dropped(s) || m.ownFromTheStart(s) {
			continue
		}
		last := s.openedAt
		for _, h := range s.heard {
			if s.own && h.position > s.saidPort {
				break
			}
			wait := h.time.Sub(last).Seconds()
			last = h.time
			for second := range counts[s.torrent] {
				if !h.flood && wait >= float64(second) || second == 0 {
					counts[s.torrent][second] += h.count
				}
			}
		}
	}
	var lines []string
	for torrent, seconds := range counts {
		for second, n := range seconds {
			lines = append(lines, fmt.Sprint(torrent, " ", second, " ", n))
		}
	}
	return naiveLines(lines)
}
