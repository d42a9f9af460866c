package swarm

import "btda/events"

// class is one of the queues of waiting peers, in the order in which they are served.
type class int

const (
	urgent class = iota
	fresh
	parked // until their network has rested
	due
	classes
)

// patience is how often in a row a queue may be passed over.
const patience = 8

// choose picks the queue to serve: the first that has a peer, unless another was passed over too often.
func (s *Schedule) choose() (class, bool) {
	chosen := classes
	for c := range classes {
		if s.has(c) && (chosen == classes || s.passed[c] >= patience && s.passed[chosen] < patience) {
			chosen = c
		}
	}
	for c := range classes {
		s.passed[c]++
		if c == chosen || !s.has(c) {
			s.passed[c] = 0
		}
	}
	return chosen, chosen != classes
}

// has tells whether a queue has a peer that is due.
func (s *Schedule) has(c class) bool {
	switch c {
	case urgent:
		return !s.urgent.empty()
	case fresh:
		return s.fresh > 0
	case parked:
		return len(s.networks.ready) > 0
	default:
		return !s.due.empty() && s.due.first().due <= s.now
	}
}

// head gives the first peer of a queue that has one.
func (s *Schedule) head(c class) peerIndex {
	switch c {
	case urgent:
		return s.urgent.first()
	case fresh:
		return s.freshTorrent().fresh.first()
	case parked:
		return s.networks.ready[0].parked.first()
	default:
		return s.due.first().peer
	}
}

// take removes the first peer of a queue that has one.
func (s *Schedule) take(c class) peerIndex {
	switch c {
	case urgent:
		return s.urgent.pop(&s.peers)
	case fresh:
		return s.takeFresh()
	case parked:
		return s.networks.take(&s.peers)
	default:
		return s.due.pop().peer
	}
}

// park moves peers aside that may not be contacted now from the heads of the queues, so that every head may be contacted.
func (s *Schedule) park() {
	s.networks.advance(s.now)
	for c := range classes {
		for s.has(c) && s.parkHead(c) {
		}
	}
}

// parkHead moves the first peer of a queue aside, if it is met, has finished or its network rests, and reports whether it was moved.
func (s *Schedule) parkHead(c class) bool {
	i := s.head(c)
	if s.setAside(i) {
		s.drop(c)
		return true
	}
	at := s.networks.busy(s.peers.at(i))
	if at == nil || c == parked { // those of a network that has rested are served one by one
		return false
	}
	s.networks.park(&s.peers, at, s.take(c))
	return true
}

// drop removes the first peer of a queue, which is not contacted.
func (s *Schedule) drop(c class) {
	if c == parked {
		s.networks.drop(&s.peers)
	} else {
		s.take(c)
	}
}

// freshTorrent gives the torrent whose turn it is, where any has a new peer.
func (s *Schedule) freshTorrent() *torrent {
	for s.ring[s.turn].fresh.empty() {
		s.turn = (s.turn + 1) % len(s.ring)
	}
	return s.ring[s.turn]
}

// takeFresh takes the new peers of all torrents in turn.
func (s *Schedule) takeFresh() peerIndex {
	t := s.freshTorrent()
	s.turn = (s.turn + 1) % len(s.ring)
	s.fresh--
	return t.fresh.pop(&s.peers)
}

// fifo is a list of peers that is linked through the peers themselves. The zero value is empty.
type fifo struct {
	head, tail peerIndex // plus one; 0 is none
	length     int
}

func (f *fifo) empty() bool      { return f.length == 0 }
func (f *fifo) first() peerIndex { return f.head - 1 }

func (f *fifo) push(a *arena, i peerIndex) {
	if f.tail == 0 {
		f.head = i + 1
	} else {
		a.at(f.tail - 1).next = i + 1
	}
	f.tail = i + 1
	f.length++
}

func (f *fifo) pop(a *arena) peerIndex {
	i := f.head - 1
	p := a.at(i)
	f.head, p.next = p.next, 0
	if f.head == 0 {
		f.tail = 0
	}
	f.length--
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

func (h *dueHeap) empty() bool  { return len(h.entries) == 0 }
func (h *dueHeap) first() entry { return h.entries[0] }

// countUntil counts the entries that are due at a moment, up to a limit. It looks at no more than twice as many.
func (h *dueHeap) countUntil(now events.Time, limit int) (n int) {
	look := []int{0}
	for len(look) > 0 && n < limit {
		at := look[len(look)-1]
		look = look[:len(look)-1]
		if at < len(h.entries) && h.entries[at].due <= now {
			n++
			look = append(look, 2*at+1, 2*at+2)
		}
	}
	return n
}

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
