package swarm

import (
	"testing"
	"time"
)

// never demands that there is no contact at the moment, and that none may come.
func never(t *testing.T, s *Schedule, at time.Duration) {
	t.Helper()
	if c, ok := s.Next(start.Add(at)); ok {
		t.Fatalf("contact %+v at %v, want none", c, at)
	}
	if wake, ok := s.Wake(start.Add(at)); ok {
		t.Fatalf("wake at %v, want never", wake)
	}
}

// Of a torrent that turns out to be private only those peers are contacted that a tracker names.
func TestARestrictedTorrent(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0), address(1), address(2))
	s.OfferTracked(1, address(3), address(2))
	s.Offer(2, address(0))
	inContact := next(t, s, 0)
	if inContact.Address != address(0) {
		t.Fatalf("contact %+v", inContact)
	}
	s.Restrict(1)
	if offered := s.Offer(1, address(4)); offered != (Offered{}) {
		t.Errorf("offered %+v, want that nothing is taken", offered)
	}
	for _, want := range []Contact{{Number: 2, Torrent: 2, Address: address(0)}, {Number: 3, Torrent: 1, Address: address(2)}, {Number: 4, Torrent: 1, Address: address(3)}} {
		if c := next(t, s, time.Second); c != want {
			t.Errorf("contact %+v, want %+v", c, want)
		}
	}
	s.Ended(inContact.Number, HungUp, start.Add(time.Second))
	never(t, s, time.Second)
	counts(t, s, Counts{Known: 5, Active: 3, Finished: 2})

	later := 100 * plain.Revisit
	s.OfferTracked(1, address(0), address(1), address(4))
	for range 3 {
		next(t, s, later)
	}
	counts(t, s, Counts{Known: 6, Active: 6})
}

// A peer that connected to us is not contacted afterwards when its torrent is restricted, and one that finished meanwhile never is.
func TestPeersOfARestrictedTorrentThatAreMet(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0), address(1))
	s.Restrict(1)
	never(t, s, 0)
	counts(t, s, Counts{Known: 2, Finished: 2})
	for i, ending := range []Ending{HungUp, Finished} {
		if !s.Meet(1, address(i), start) {
			t.Errorf("peer %d is not known", i)
		}
		s.Part(1, address(i), ending, start.Add(time.Second))
	}
	never(t, s, time.Second)
	s.OfferTracked(1, address(0), address(1))
	if c := next(t, s, time.Minute); c.Address != address(0) {
		t.Errorf("contact %+v, want the one that has not finished", c)
	}
	never(t, s, time.Minute)
	counts(t, s, Counts{Known: 2, Active: 1, Finished: 1})
}
