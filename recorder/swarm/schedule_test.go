package swarm

import (
	"net/netip"
	"testing"
	"time"

	"btda/events"
)

var start = events.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))

var plain = Options{Sessions: 10, DialRate: 1000, Revisit: time.Minute, Brief: 10 * time.Second, KnownPeers: 1000, AllPeers: 2000}

// address gives the n-th of many addresses.
func address(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 6881)
}

func addresses(from, to int) []netip.AddrPort {
	var list []netip.AddrPort
	for n := from; n < to; n++ {
		list = append(list, address(n))
	}
	return list
}

// next demands a contact at the moment.
func next(t *testing.T, s *Schedule, at time.Duration) Contact {
	t.Helper()
	c, ok := s.Next(start.Add(at))
	if !ok {
		t.Fatalf("no contact at %v; counts %+v", at, s.Total())
	}
	return c
}

// none demands that there is no contact at the moment, and that the next may come at wake.
func none(t *testing.T, s *Schedule, at, wake time.Duration) {
	t.Helper()
	if c, ok := s.Next(start.Add(at)); ok {
		t.Fatalf("contact %+v at %v, want none", c, at)
	}
	got, ok := s.Wake(start.Add(at))
	if !ok || got != start.Add(wake) {
		t.Fatalf("wake %v (%v) after the start, want %v", got.Sub(start), ok, wake)
	}
}

func TestNewPeersComeFirstAndTorrentsTakeTurns(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	s.Ended(next(t, s, 0).Number, Left, start)
	s.Offer(1, addresses(1, 4)...)
	s.Offer(2, addresses(0, 2)...)
	at := time.Hour // the peer that was left is due as well
	var got []Contact
	for range 6 {
		got = append(got, next(t, s, at))
		at += time.Second
	}
	want := []Contact{{2, 1, address(1)}, {3, 2, address(0)}, {4, 1, address(2)}, {5, 2, address(1)}, {6, 1, address(3)}, {7, 1, address(0)}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("contact %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestAKnownPeerIsOfferedInVain(t *testing.T) {
	s := New(plain)
	mapped := netip.AddrPortFrom(netip.AddrFrom16(address(0).Addr().As16()), 6881)
	if o := s.Offer(1, address(0), mapped, address(0)); o != (Offered{New: 1}) {
		t.Errorf("offered %+v, want one new peer", o)
	}
	c := next(t, s, 0)
	if o := s.Offer(1, c.Address); o != (Offered{}) {
		t.Errorf("offered %+v while in contact, want nothing new", o)
	}
	if c.Address != address(0) {
		t.Errorf("address %v, want %v", c.Address, address(0))
	}
}

func TestKnownPeersAreBounded(t *testing.T) {
	o := plain
	o.KnownPeers, o.AllPeers = 3, 5
	s := New(o)
	if got := s.Offer(1, addresses(0, 5)...); got != (Offered{New: 3, Refused: 2, Bound: 3}) {
		t.Errorf("offered %+v, want 3 new and 2 refused", got)
	}
	if got := s.Offer(1, addresses(0, 3)...); got != (Offered{}) {
		t.Errorf("offered known peers again: %+v, want nothing refused", got)
	}
	if got := s.Offer(2, addresses(0, 1)...); got != (Offered{New: 1}) {
		t.Errorf("offered %+v to another torrent, want one new", got)
	}
	if got := s.Offer(2, addresses(0, 3)...); got != (Offered{New: 1, Refused: 1, Bound: 5}) {
		t.Errorf("offered %+v to another torrent, want one new and one above the bound of all", got)
	}
}

func TestAFailingPeerBacksOffAndStays(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	at, delay := time.Duration(0), time.Minute
	for failure := range 20 {
		c := next(t, s, at)
		s.Ended(c.Number, []Ending{Failed, Mute}[failure%2], start.Add(at))
		none(t, s, at, at+delay)
		at += delay
		delay = min(2*delay, 64*time.Minute)
	}
	s.Ended(next(t, s, at).Number, Left, start.Add(at))
	none(t, s, at, at+time.Minute)
	at += time.Minute
	s.Ended(next(t, s, at).Number, Failed, start.Add(at))
	none(t, s, at, at+time.Minute) // the tally began anew
}

func TestAPeerThatHangsUpIsReconnectedAtOnceUnlessBriefAgainAndAgain(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	at := time.Duration(0)
	for range 5 { // long sessions
		c := next(t, s, at)
		at += 2 * time.Minute
		s.Ended(c.Number, HungUp, start.Add(at))
	}
	s.Ended(next(t, s, at).Number, HungUp, start.Add(at))
	for _, delay := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
		s.Ended(next(t, s, at).Number, HungUp, start.Add(at))
		none(t, s, at, at+delay)
		at += delay
	}
	c := next(t, s, at)
	at += 10 * time.Second
	s.Ended(c.Number, HungUp, start.Add(at))
	next(t, s, at) // a longer session: at once again
}

func TestReopeningIsAtOnceAndBeforeNewPeers(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	c := next(t, s, 0)
	s.Offer(1, addresses(1, 4)...)
	s.Ended(c.Number, Reopened, start.Add(time.Second))
	if again := next(t, s, time.Second); again.Address != c.Address {
		t.Errorf("contact %v, want %v again", again.Address, c.Address)
	}
}

func TestAFinishedPeerIsNeverContactedAgain(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	s.Offer(2, address(0))
	s.Ended(next(t, s, 0).Number, Finished, start)
	s.Offer(1, address(0))
	if c := next(t, s, time.Second); c.Torrent != 2 {
		t.Errorf("contact %+v, want the other torrent's", c)
	}
	if _, ok := s.Wake(start.Add(time.Hour)); ok {
		t.Error("there is a moment to wake at, want none")
	}
	want := Counts{Known: 1, Finished: 1}
	if got := s.Torrent(1); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func TestNoQueueStarves(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	s.Ended(next(t, s, 0).Number, Left, start)
	s.Offer(1, addresses(1, 100)...)
	at := time.Hour
	for turn := range 3 * patience {
		at += time.Minute
		c := next(t, s, at)
		if c.Address == address(0) {
			if turn != patience {
				t.Errorf("the due peer had turn %d, want %d", turn, patience)
			}
			return
		}
		s.Ended(c.Number, Finished, start.Add(at))
	}
	t.Error("a due peer had no turn among many new ones")
}

func TestSessionsAndDialRateAreHeld(t *testing.T) {
	o := plain
	o.Sessions, o.DialRate = 3, 2
	s := New(o)
	s.Offer(1, addresses(0, 9)...)
	first := next(t, s, 0)
	none(t, s, 0, 500*time.Millisecond)
	next(t, s, 500*time.Millisecond)
	next(t, s, time.Second)
	if _, ok := s.Next(start.Add(time.Hour)); ok {
		t.Error("a fourth contact, want none above the limit")
	}
	if _, ok := s.Wake(start.Add(time.Hour)); ok {
		t.Error("a moment to wake at while all sessions are taken")
	}
	s.Ended(first.Number, Failed, start.Add(time.Hour))
	next(t, s, time.Hour)
}

func TestAStepBackOfTheClockCountsAsStandingStill(t *testing.T) {
	s := New(plain)
	s.Offer(1, address(0))
	s.Ended(next(t, s, time.Hour).Number, Left, start)
	none(t, s, 0, time.Hour+time.Minute)
}

func TestCallsForAnUnknownContactPanic(t *testing.T) {
	calls := map[string]func(*Schedule, events.ContactNumber){
		"Ended": func(s *Schedule, n events.ContactNumber) { s.Ended(n, Left, start) },
		"Again": func(s *Schedule, n events.ContactNumber) { s.Again(n, start) },
	}
	for name, call := range calls {
		s := New(plain)
		s.Offer(1, address(0))
		begun := next(t, s, 0).Number
		call(s, begun) // while the contact lasts
		if name != "Ended" {
			s.Ended(begun, Left, start)
		}
		for _, unknown := range []events.ContactNumber{begun, begun + 1} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: no panic for contact %d, which has ended or was never begun", name, unknown)
					}
				}()
				call(s, unknown)
			}()
		}
	}
}

// A peer that is left alone from the start is never contacted, also when it is offered later, and counts as finished.
func TestLeaveAlone(t *testing.T) {
	s := New(Options{Sessions: 10, DialRate: 100, Revisit: time.Second, KnownPeers: 2, AllPeers: 2})
	seed, other, third := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2"), netip.MustParseAddrPort("127.0.0.1:3")
	if got := s.LeaveAlone(1, seed, seed); got.New != 1 || got.Refused != 0 {
		t.Errorf("left alone %+v, want one new", got)
	}
	if got := s.Offer(1, seed, other); got.New != 1 {
		t.Errorf("offered %+v, want one new", got)
	}
	if got := s.LeaveAlone(1, other, third); got.New != 0 || got.Refused != 1 || got.Bound != 2 {
		t.Errorf("left alone %+v, want one known and one refused", got)
	}
	if want := (Counts{Known: 2, Waiting: 1, New: 1, Finished: 1}); s.Torrent(1) != want {
		t.Errorf("counts %+v, want %+v", s.Torrent(1), want)
	}
	c, ok := s.Next(start)
	if !ok || c.Address != other {
		t.Errorf("first contact %+v, want %v", c, other)
	}
	if c, ok := s.Next(start.Add(time.Second)); ok {
		t.Errorf("there is a second contact: %+v", c)
	}
}
