package swarm

import (
	"slices"
	"testing"
	"time"

	"btda/events"
)

// progress lets the session of a contact begin, or its peer get some pieces.
func (h *history) progress() {
	if len(h.active) == 0 {
		return
	}
	n := h.anyActive()
	s := h.standing[n]
	switch {
	case s.Opened == 0:
		s = Standing{Opened: h.now, Goal: uint32(h.random.IntN(3) * 100)}
	case h.random.IntN(4) > 0:
		s.Pieces = min(s.Pieces+uint32(h.random.IntN(50)), s.Goal)
	}
	h.standing[n] = s
}

// giveWay holds the choice against the promises.
func (h *history) giveWay() {
	held := h.held()
	chosen := h.schedule.GiveWay(h.now, func(n events.ContactNumber) Standing { return h.standing[n] })
	for _, n := range chosen {
		if !slices.Contains(held, n) {
			h.Fatalf("contact %d is to give way: active since %+v, told before %v, minimum stay %v", n, h.standing[n], h.leaving[n], h.options.Stay)
		}
		h.leaving[n] = true
		h.gaveWay = append(h.gaveWay, h.now)
	}
	share := max(h.options.Sessions/ShareOfNew, 1)
	for _, stays := range held {
		for _, n := range chosen {
			if !h.leaving[stays] && h.standing[stays].Compare(h.standing[n]) < 0 {
				h.Fatalf("contact %d with %+v gave way, and %d with %+v stays", n, h.standing[n], stays, h.standing[stays])
			}
		}
	}
	if len(chosen) > 0 && len(held)-len(chosen) < h.options.Sessions-share {
		h.Fatalf("%d of %d gave way, want %d to stay", len(chosen), len(held), h.options.Sessions-share)
	}
	recent := len(h.gaveWay) - slices.IndexFunc(append(h.gaveWay, h.now), func(t events.Time) bool { return h.now.Sub(t) < h.options.Stay })
	if recent > share {
		h.Fatalf("%d gave way within %v, want at most %d", recent, h.options.Stay, share)
	}
	if waiting := h.schedule.Total().Waiting; len(chosen) > max(0, waiting-(h.options.Sessions-len(h.active))) {
		h.Fatalf("%d gave way to %d that wait, of %d sessions %d are taken", len(chosen), waiting, h.options.Sessions, len(h.active))
	}
}

// held are the contacts that may give way.
func (h *history) held() (held []events.ContactNumber) {
	for n := range h.active {
		if s := h.standing[n]; h.options.Stay > 0 && s.Opened > 0 && h.now.Sub(s.Opened) >= h.options.Stay && !h.leaving[n] {
			held = append(held, n)
		}
	}
	return held
}

// checkNetworks compares the networks that are known with those that rest or have parked peers.
func (h *history) checkNetworks() {
	n := &h.schedule.networks
	parked := 0
	for _, of := range n.known {
		parked += of.parked.length
	}
	if parked != n.parked || len(n.known) != len(n.resting)+len(n.ready) || len(n.resting) > len(h.begun) {
		h.Fatalf("%d networks known, %d resting, %d ready, %d peers parked of %d", len(n.known), len(n.resting), len(n.ready), parked, n.parked)
	}
}

// full gives a schedule with 16 sessions that are all taken, opened at the start with as many pieces as their number.
func full(t *testing.T) (s *Schedule, standing func(events.ContactNumber) Standing) {
	o := plain
	o.Sessions, o.Stay = 16, 8*time.Second
	s = New(o)
	s.Offer(1, addresses(0, 16)...)
	for range 16 {
		next(t, s, time.Second)
	}
	return s, func(n events.ContactNumber) Standing {
		return Standing{Opened: start.Add(time.Second), Pieces: uint32(n), Goal: 100}
	}
}

func TestTheLeastAdvancedGiveWayToPeersThatWait(t *testing.T) {
	s, standing := full(t)
	later := start.Add(10 * time.Second)
	s.Offer(1, addresses(16, 40)...)
	if got := s.GiveWay(start.Add(8*time.Second), standing); got != nil {
		t.Errorf("%v gave way before their minimum stay", got)
	}
	if got := s.GiveWay(later, standing); !slices.Equal(got, []events.ContactNumber{1, 2}) {
		t.Errorf("%v gave way, want the two least advanced", got)
	}
	if got := s.GiveWay(later, standing); got != nil {
		t.Errorf("%v gave way while two were leaving already", got)
	}
	s.Ended(1, Left, later)
	if c := next(t, s, 10*time.Second); c.Address != address(16) {
		t.Errorf("contact %v, want a new peer", c.Address)
	}
	s.Ended(2, Left, later)
	next(t, s, 10*time.Second)
	if got := s.GiveWay(later, standing); got != nil {
		t.Errorf("%v gave way, although the new ones use the share", got)
	}
	for n := range 24 {
		s.Ended(events.ContactNumber(3+n), Finished, start.Add(70*time.Second))
		if c := next(t, s, 70*time.Second); c.Address == address(0) {
			return
		}
	}
	t.Error("the peer that gave way was not contacted again after the revisit delay")
}

func TestNoMoreGiveWayThanPeersWait(t *testing.T) {
	s, standing := full(t)
	if got := s.GiveWay(start.Add(10*time.Second), standing); got != nil {
		t.Errorf("%v gave way to nobody", got)
	}
	s.Offer(1, address(16))
	if got := s.GiveWay(start.Add(10*time.Second), standing); len(got) != 1 {
		t.Errorf("%v gave way to one peer", got)
	}
}

func TestNobodyGivesWayWithoutAMinimumStay(t *testing.T) {
	o := plain
	o.Sessions = 1
	s := New(o)
	s.Offer(1, addresses(0, 2)...)
	next(t, s, 0)
	if got := s.GiveWay(start.Add(time.Hour), func(events.ContactNumber) Standing { return Standing{Opened: start} }); got != nil {
		t.Errorf("%v gave way", got)
	}
}

func TestTheShareThatIsReachedCounts(t *testing.T) {
	for _, c := range []struct {
		a, b Standing
		want int
	}{
		{Standing{Pieces: 50, Goal: 100}, Standing{Pieces: 400, Goal: 1000}, 1},
		{Standing{Pieces: 1, Goal: 3}, Standing{Pieces: 333_333_333, Goal: 1_000_000_000}, 1},
		{Standing{Goal: 100}, Standing{Goal: 7}, 0},
		{Standing{Pieces: 1, Goal: 100}, Standing{Pieces: 4000}, 1},
		{Standing{Pieces: 7}, Standing{Pieces: 4000}, 0},
	} {
		if got, back := c.a.Compare(c.b), c.b.Compare(c.a); got != c.want || back != -c.want {
			t.Errorf("%+v and %+v: %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}

func TestAPeerThatWaitsForASessionIsNoticedOnce(t *testing.T) {
	s, _ := full(t)
	s.Next(start.Add(10 * time.Second))
	if s.Crowded() {
		t.Error("crowded, and none waits")
	}
	s.Offer(1, address(16))
	s.Next(start.Add(10 * time.Second))
	if !s.Crowded() || s.Crowded() {
		t.Error("want crowded once")
	}
}
