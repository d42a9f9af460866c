package recorder

import (
	"cmp"
	"container/heap"
	"container/list"
	"net/netip"
	"time"

	"btda/recorder/swarm"
)

// seats are the incoming sessions. As long as some are free, every guest gets one, wherever it comes from: many peers may be behind one
// address. When all are taken, a guest still gets one in place of another that
//
//   - comes from the origin with the most sessions, if that has at least two more than the newcomer's; so no origin keeps others out,
//     and the sessions are shared out evenly between origins where they are scarce; or
//   - has had its minimum stay, and comes from the newcomer's origin or one with more sessions. At most an eighth of the sessions
//     change hands so within a minimum stay: it is the share for new contacts, as in the schedule.
//
// Of those that may give way it is the least advanced one. A network larger than an origin has no share of its own: providers put very
// many subscribers into one.
type seats struct {
	most    int
	stay    time.Duration // until a session may give way to one of a less crowded origin; 0 is for ever
	taken   int
	leaving int // that have given way and not ended yet
	origins map[netip.Addr]*origin
	crowded crowdedFirst
	young   list.List // of *guest that have not had their minimum stay, oldest first
}

// origin is where guests come from that have a seat.
type origin struct {
	address  netip.Addr
	guests   []*guest
	position int // in crowdedFirst
}

// seat is what the seats know of a guest.
type seat struct {
	of       *origin // nil while it has none
	position int     // in the origin's guests
	young    *list.Element
	since    time.Time
	goal     uint32 // pieces from which on the peer is complete, as far as was known then
	gaveWay  bool
}

// maxLeaving bounds the sessions that have given way and not ended yet. They take descriptors beside the others.
const maxLeaving = spareDescriptors / 4

// admit gives a guest a seat, and tells which guest gives way for it: nil where none has to, or there is no seat.
func (s *seats) admit(g *guest, goal uint32, now time.Time) (gaveWay *guest, admitted bool) {
	from := originOf(g.address.Addr())
	if s.taken >= s.most {
		if gaveWay = s.yielding(from, now); gaveWay == nil {
			return nil, false
		}
		s.free(gaveWay)
		gaveWay.seat.gaveWay = true
		s.leaving++
	}
	s.give(g, from)
	g.seat.goal, g.seat.since = goal, now
	if s.stay > 0 {
		g.seat.young = s.young.PushBack(g)
	}
	return gaveWay, true
}

// give sets a guest on a free seat.
func (s *seats) give(g *guest, from netip.Addr) {
	of := s.origins[from]
	if of == nil {
		of = &origin{address: from}
		s.origins[from] = of
		heap.Push(&s.crowded, of)
	}
	g.seat = seat{of: of, position: len(of.guests)}
	of.guests = append(of.guests, g)
	heap.Fix(&s.crowded, of.position)
	s.taken++
}

// free takes the seat of a guest.
func (s *seats) free(g *guest) {
	of, last := g.seat.of, len(g.seat.of.guests)-1
	of.guests[g.seat.position] = of.guests[last]
	of.guests[g.seat.position].seat.position = g.seat.position
	of.guests[last] = nil
	of.guests = of.guests[:last]
	g.seat.of = nil
	s.age(g)
	if last == 0 {
		delete(s.origins, of.address)
		heap.Remove(&s.crowded, of.position)
	} else {
		heap.Fix(&s.crowded, of.position)
	}
	s.taken--
}

// leave takes out a guest whose connection is over.
func (s *seats) leave(g *guest) {
	if g.seat.of != nil {
		s.free(g)
	}
	if g.seat.gaveWay {
		s.leaving--
	}
}

// age takes a guest out of the young ones.
func (s *seats) age(g *guest) {
	if g.seat.young != nil {
		s.young.Remove(g.seat.young)
		g.seat.young = nil
	}
}

// yielding gives the guest that gives way to another from an origin, while all seats are taken.
func (s *seats) yielding(to netip.Addr, now time.Time) *guest {
	if s.leaving >= maxLeaving {
		return nil
	}
	has := 0
	if of := s.origins[to]; of != nil {
		has = len(of.guests)
	}
	if first := s.crowded[0]; len(first.guests) > has+1 {
		return leastAdvanced(nil, first.guests, 0, now)
	}
	if !s.mayRotate(now) {
		return nil
	}
	var least *guest
	for _, of := range s.crowded {
		if len(of.guests) > has || of.address == to {
			least = leastAdvanced(least, of.guests, s.stay, now)
		}
	}
	return least
}

// mayRotate reports whether a session that has had its minimum stay may give way now.
func (s *seats) mayRotate(now time.Time) bool {
	for e := s.young.Front(); e != nil && now.Sub(e.Value.(*guest).seat.since) >= s.stay; e = s.young.Front() {
		s.age(e.Value.(*guest))
	}
	return s.stay > 0 && s.young.Len() < max(s.most/swarm.ShareOfNew, 1)
}

// leastAdvanced gives the least advanced of some guests that have stayed for a time and of one more, which may be nil; of equally
// advanced ones the one that has stayed longest.
func leastAdvanced(least *guest, of []*guest, stay time.Duration, now time.Time) *guest {
	for _, g := range of {
		if now.Sub(g.seat.since) >= stay && (least == nil || g.before(least)) {
			least = g
		}
	}
	return least
}

func (g *guest) before(o *guest) bool {
	return cmp.Or(g.standing().Compare(o.standing()), g.seat.since.Compare(o.seat.since)) < 0
}

func (g *guest) standing() swarm.Standing {
	return swarm.Standing{Opened: g.progress.Opened(), Pieces: uint32(g.progress.Pieces().Value), Goal: max(g.seat.goal, g.progress.Goal())}
}

// crowdedFirst is a heap of origins: the first has the most guests.
type crowdedFirst []*origin

func (c crowdedFirst) Len() int           { return len(c) }
func (c crowdedFirst) Less(i, j int) bool { return len(c[i].guests) > len(c[j].guests) }
func (c crowdedFirst) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].position, c[j].position = i, j
}

// Push is for package heap.
func (c *crowdedFirst) Push(x any) {
	of := x.(*origin)
	of.position = len(*c)
	*c = append(*c, of)
}

// Pop is for package heap.
func (c *crowdedFirst) Pop() any {
	last := len(*c) - 1
	of := (*c)[last]
	(*c)[last] = nil
	*c = (*c)[:last]
	return of
}
