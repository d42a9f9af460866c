package swarm

import "btda/events"

// class is one of the queues of waiting peers, in the order in which they are served.
type class int

const (
	urgent class = iota
	fresh
	due
	classes
)

// patience is how often in a row a queue may be passed over.
const patience = 8

// choose picks the queue to serve: the first that has a peer, unless another was passed over too often.
func (s *Schedule) choose() (class, bool) {
	ready := [classes]bool{urgent: !s.urgent.empty(), fresh: s.total.New > 0, due: !s.due.empty() && s.due.first() <= s.now}
	chosen := classes
	for c := range classes {
		if ready[c] && (chosen == classes || s.passed[c] >= patience && s.passed[chosen] < patience) {
			chosen = c
		}
	}
	for c := range classes {
		s.passed[c]++
		if c == chosen || !ready[c] {
			s.passed[c] = 0
		}
	}
	return chosen, chosen != classes
}

// take removes the first peer of a queue that has one.
func (s *Schedule) take(c class) peerIndex {
	switch c {
	case urgent:
		return s.urgent.pop(&s.peers)
	case fresh:
		return s.takeFresh()
	default:
		return s.due.pop().peer
	}
}

// takeFresh takes the new peers of all torrents in turn.
func (s *Schedule) takeFresh() peerIndex {
	for s.ring[s.turn].fresh.empty() {
		s.turn = (s.turn + 1) % len(s.ring)
	}
	t := s.ring[s.turn]
	s.turn = (s.turn + 1) % len(s.ring)
	s.count(t, Counts{New: -1})
	return t.fresh.pop(&s.peers)
}

// fifo is a list of peers that is linked through the peers themselves. The zero value is empty.
type fifo struct{ head, tail peerIndex } // plus one; 0 is none

func (f *fifo) empty() bool { return f.head == 0 }

func (f *fifo) push(a *arena, i peerIndex) {
	if f.tail == 0 {
		f.head = i + 1
	} else {
		a.at(f.tail - 1).next = i + 1
	}
	f.tail = i + 1
}

func (f *fifo) pop(a *arena) peerIndex {
	i := f.head - 1
	p := a.at(i)
	f.head, p.next = p.next, 0
	if f.head == 0 {
		f.tail = 0
	}
	return i
}

// entry is a peer with the moment from which it may be contacted.
type entry struct {
	due  events.Time
	peer peerIndex
}

func (e entry) before(o entry) bool { return e.due < o.due || e.due == o.due && e.peer < o.peer }

// dueHeap is a binary heap: the first entry is the earliest, of equal ones that of the peer offered first.
type dueHeap struct{ entries []entry }

func (h *dueHeap) empty() bool        { return len(h.entries) == 0 }
func (h *dueHeap) first() events.Time { return h.entries[0].due }

func (h *dueHeap) push(e entry) {
	h.entries = append(h.entries, e)
	at := len(h.entries) - 1
	for at > 0 && e.before(h.entries[(at-1)/2]) {
		h.entries[at] = h.entries[(at-1)/2]
		at = (at - 1) / 2
	}
	h.entries[at] = e
}

func (h *dueHeap) pop() entry {
	first, last := h.entries[0], len(h.entries)-1
	moved := h.entries[last]
	h.entries = h.entries[:last]
	if last > 0 {
		h.sink(moved)
	}
	return first
}

// sink puts an entry in the place of the first one, or as far down as it belongs.
func (h *dueHeap) sink(e entry) {
	at := 0
	for {
		child := 2*at + 1
		if child+1 < len(h.entries) && h.entries[child+1].before(h.entries[child]) {
			child++
		}
		if child >= len(h.entries) || !h.entries[child].before(e) {
			break
		}
		h.entries[at] = h.entries[child]
		at = child
	}
	h.entries[at] = e
}
