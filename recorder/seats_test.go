package recorder

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"btda/events"
)

// hall is seats with a clock.
type hall struct {
	seats
	t    *testing.T
	now  time.Time
	held []*guest
}

func newHall(t *testing.T, most int, stay time.Duration) *hall {
	return &hall{seats: seats{most: most, stay: stay, origins: make(map[netip.Addr]*origin)}, t: t, now: time.Unix(1000, 0)}
}

// come lets a guest come from an address, and gives it with the one that had to go; nil where it was refused.
func (h *hall) come(from string) (came, gaveWay *guest) {
	h.t.Helper()
	g := &guest{address: netip.AddrPortFrom(netip.MustParseAddr(from), 1)}
	gaveWay, ok := h.admit(g, 16, h.now)
	h.check()
	if !ok {
		return nil, nil
	}
	h.held = append(h.held, g)
	return g, gaveWay
}

// check compares what the seats keep with what it is made of.
func (h *hall) check() {
	h.t.Helper()
	sum := 0
	for at, of := range h.crowded {
		sum += len(of.guests)
		if of.position != at || h.origins[of.address] != of || len(of.guests) == 0 || at > 0 && len(h.crowded[(at-1)/2].guests) < len(of.guests) {
			h.t.Fatalf("origin %d is out of order: %+v", at, of)
		}
		for i, g := range of.guests {
			if g.seat.of != of || g.seat.position != i {
				h.t.Fatalf("guest %d of %v thinks that it is %d of %+v", i, of.address, g.seat.position, g.seat.of)
			}
		}
	}
	if sum != h.taken || h.taken > h.most || len(h.origins) != len(h.crowded) || h.young.Len() > h.taken {
		h.t.Fatalf("%d seats taken of %d, %d guests of %d origins and %d in the heap, %d young", h.taken, h.most, sum, len(h.origins), len(h.crowded), h.young.Len())
	}
}

// of counts the guests from an address.
func (h *hall) of(from string) int {
	if of := h.origins[netip.MustParseAddr(from)]; of != nil {
		return len(of.guests)
	}
	return 0
}

// As long as there are seats, an address may have all of them. When there are none left they are shared out.
func TestAnAddressKeepsNoOthersOut(t *testing.T) {
	h := newHall(t, 20, 0)
	for range 25 {
		h.come("192.0.2.1")
	}
	if h.of("192.0.2.1") != 20 {
		t.Fatalf("%d sessions of the only address, want all 20", h.of("192.0.2.1"))
	}
	for range 50 {
		h.come("192.0.2.2")
	}
	for n := range 8 {
		h.come(fmt.Sprintf("198.51.100.%d", n))
	}
	if one, two := h.of("192.0.2.1"), h.of("192.0.2.2"); one != 6 || two != 6 {
		t.Errorf("%d and %d sessions of the addresses with many, beside 8 with one; want 6 and 6", one, two)
	}
	if h.leaving != 10+8 {
		t.Errorf("%d are leaving, want 18", h.leaving)
	}
}

func TestTheLeastAdvancedOfACrowdGivesWay(t *testing.T) {
	h := newHall(t, 4, 0)
	for range 4 {
		h.come("192.0.2.1")
		h.now = h.now.Add(time.Second)
	}
	h.held[0].seat.goal = 0 // of a torrent without a known number of pieces
	for _, g := range h.held[1:] {
		g.seat.goal = 16
	}
	if _, gone := h.come("192.0.2.2"); gone != h.held[0] {
		t.Errorf("%+v gave way, want the one that has told nothing for longest", gone)
	}
}

// Where every address has one session, peers that come late have the share for new contacts.
func TestSessionsRotateWithinTheShareOfNewContacts(t *testing.T) {
	const most, stay = 16, 8 * time.Second
	h := newHall(t, most, stay)
	for n := range most {
		h.come(fmt.Sprintf("192.0.2.%d", n))
		h.now = h.now.Add(time.Millisecond)
	}
	if came, _ := h.come("198.51.100.1"); came != nil {
		t.Error("a peer had to go before its minimum stay")
	}
	h.now = h.now.Add(stay)
	for n := range 10 {
		came, gone := h.come(fmt.Sprintf("203.0.113.%d", n))
		if wanted := n < 2; (came != nil) != wanted || wanted && gone != h.held[n] {
			t.Errorf("newcomer %d: admitted %v in place of %+v", n, came != nil, gone)
		}
	}
	h.now = h.now.Add(stay)
	if came, _ := h.come("203.0.113.77"); came == nil {
		t.Error("nobody was admitted after another minimum stay")
	}
	if came, _ := h.come("203.0.113.77"); came != nil {
		t.Error("an address with a session took the place of another with one")
	}
}

// Whatever comes and goes, sums hold, and a newcomer without a session is refused only where no address has two.
func TestSeatsHoldInRandomHistories(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		h := newHall(t, 1+chance.IntN(20), time.Duration(chance.IntN(2)*chance.IntN(5))*time.Second)
		for range 300 {
			h.now = h.now.Add(time.Duration(chance.IntN(500)) * time.Millisecond)
			if len(h.held) > 0 && chance.IntN(3) == 0 {
				i := chance.IntN(len(h.held))
				h.leave(h.held[i])
				h.held[i] = h.held[len(h.held)-1]
				h.held = h.held[:len(h.held)-1]
				h.check()
				continue
			}
			from := fmt.Sprintf("192.0.2.%d", chance.IntN(8))
			had, leaving := h.of(from), h.leaving
			if came, _ := h.come(from); came == nil && leaving < maxLeaving && len(h.crowded[0].guests) > had+1 {
				t.Fatalf("an address with %d sessions was refused though one has %d", had, len(h.crowded[0].guests))
			}
		}
		for _, g := range h.held {
			h.leave(g)
			h.check()
		}
		if h.taken != 0 || h.leaving != 0 || h.young.Len() != 0 {
			t.Fatalf("%d taken, %d leaving, %d young when all have left", h.taken, h.leaving, h.young.Len())
		}
	}
}

// One host that takes all sessions keeps nobody out, and what has to go says why.
func TestAHostThatTakesAllSessionsGivesWay(t *testing.T) {
	const sessions = 20
	r := startReceiving(t, func(o *receptionOptions) { o.Sessions = sessions })
	for range sessions {
		r.call(observedHash)
	}
	r.await(sessions, opened)
	io.Copy(io.Discard, r.call(observedHash))
	r.await(1, refused(events.ReasonLimitExceeded))
	const guests = 10
	for n := range guests {
		r.callFrom(netip.AddrFrom4([4]byte{127, 0, 2, byte(n + 1)}), observedHash)
	}
	r.await(sessions+guests, opened)
	r.await(guests, func(e events.Event) bool {
		closed, ok := e.(*events.SessionClosed)
		return ok && closed.By == events.Us && closed.Reason == events.ReasonSlotNeeded
	})
	r.await(1, reached(events.LimitIncomingSessions))
	awaitThat(t, func() bool { return r.counts().admitted == sessions })
	if n := len(r.log.Records()); n != sessions+guests+guests+1+1 {
		t.Errorf("%d events, want %d sessions, of which %d gave way, one refusal and one limit", n, sessions+guests, guests)
	}
}

// BenchmarkFullHouse lets guests of many addresses come, one a millisecond, while all seats are taken.
func BenchmarkFullHouse(b *testing.B) {
	const most = 10_000
	s := seats{most: most, stay: time.Second, origins: make(map[netip.Addr]*origin)}
	now := time.Unix(1000, 0)
	ip := netip.MustParseAddr("10.0.0.0")
	for range most {
		s.admit(&guest{address: netip.AddrPortFrom(ip, 1)}, 16, now)
		ip = ip.Next()
	}
	for b.Loop() {
		now = now.Add(time.Millisecond)
		if gone, ok := s.admit(&guest{address: netip.AddrPortFrom(ip, 1)}, 16, now); ok {
			s.leave(gone)
		}
		ip = ip.Next()
	}
}
