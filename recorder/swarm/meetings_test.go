package swarm

import (
	"testing"
	"time"

	"btda/events"
)

// counts demands counts in all.
func counts(t *testing.T, s *Schedule, want Counts) {
	t.Helper()
	if got := s.Total(); got != want {
		t.Fatalf("counts %+v, want %+v", got, want)
	}
}

func TestAPeerThatIsMetIsNotContacted(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0), address(1))
	if !s.Meet(1, address(0), start) || s.Meet(2, address(0), start) || s.Meet(1, address(9), start) {
		t.Error("met a peer that was never offered, or not one that was")
	}
	if c := next(t, s, 0); c.Address != address(1) {
		t.Errorf("contact %+v, want the peer that is not met", c)
	}
	counts(t, s, Counts{Known: 2, Active: 1, Met: 1})
	if at, ok := s.Wake(start); ok {
		t.Errorf("wake at %v, want never", at)
	}
	s.Part(1, address(0), Left, start.Add(time.Second))
	none(t, s, time.Second, time.Second+plain.Revisit)
	if c := next(t, s, time.Second+plain.Revisit); c.Address != address(0) {
		t.Errorf("contact %+v, want the peer that was left", c)
	}
}

func TestWhatBecomesOfAPeerThatWasMet(t *testing.T) {
	for ending, delay := range map[Ending]time.Duration{Left: plain.Revisit, Missed: plain.Revisit, Failed: plain.Revisit, Mute: plain.Revisit, HungUp: 0, Reopened: 0} {
		s := New(plain)
		s.Offer(1, address(0))
		s.Meet(1, address(0), start)
		s.Next(start)
		s.Part(1, address(0), ending, start.Add(time.Hour))
		if at, ok := s.Wake(start); !ok || at != start.Add(time.Hour+delay) {
			t.Errorf("after ending %v: wake at %v (%v), want %v after it", ending, at, ok, delay)
		}
	}
}

func TestAPeerThatFinishedWhileItWasMetIsNeverContacted(t *testing.T) {
	for name, before := range map[string]func(*Schedule){
		"its turn came before it was met": func(s *Schedule) { s.Next(start) },
		"its turn comes after":            func(*Schedule) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(plain)
			s.Offer(1, address(0))
			s.Meet(1, address(0), start)
			before(s)
			s.Part(1, address(0), Finished, start)
			if c, ok := s.Next(start.Add(time.Hour)); ok {
				t.Errorf("contact %+v", c)
			}
			counts(t, s, Counts{Known: 1, Finished: 1})
		})
	}
}

func TestAContactUnderWayEndsAndIsNotRepeatedWhileItsPeerIsMet(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	c := next(t, s, 0)
	s.Meet(1, address(0), start)
	s.Meet(1, address(0), start)
	s.Ended(c.Number, Left, start)
	counts(t, s, Counts{Known: 1, Met: 1})
	s.Part(1, address(0), HungUp, start)
	counts(t, s, Counts{Known: 1, Met: 1})
	s.Part(1, address(0), HungUp, start)
	counts(t, s, Counts{Known: 1, Waiting: 1})
	next(t, s, 0)
}

func TestAPeerThatIsMetDoesNotHoldUpItsNetwork(t *testing.T) {
	o := plain
	o.NetworkDialRate = 1
	s := New(o)
	s.Offer(1, addresses(0, 4)...)
	next(t, s, 0)
	none(t, s, 0, time.Second)
	s.Meet(1, address(1), start)
	s.Meet(1, address(2), start)
	none(t, s, 0, time.Second)
	if c := next(t, s, time.Second); c.Address != address(3) {
		t.Errorf("contact %+v, want the only one that is not met", c)
	}
	if at, ok := s.Wake(start); ok {
		t.Errorf("wake at %v, want never", at)
	}
	counts(t, s, Counts{Known: 4, Active: 2, Met: 2})
	s.Part(1, address(1), HungUp, start.Add(time.Second))
	none(t, s, time.Second, 2*time.Second)
	next(t, s, 2*time.Second)
}

func TestPartingWithAStrangerIsAMistake(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	for _, torrent := range []events.TorrentNumber{1, 2} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			s.Part(torrent, address(0), Left, start)
		}()
	}
}
