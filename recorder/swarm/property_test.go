package swarm

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"btda/events"
)

var seed = flag.Uint64("seed", 0, "seed of the random histories; 0 draws one")

// history plays random calls against a Schedule and holds its promises against what it saw itself.
type history struct {
	*testing.T
	random   *rand.Rand
	options  Options
	schedule *Schedule
	now      events.Time
	active   map[events.ContactNumber]Contact
	peers    map[Contact]*record // by Contact without its number
	begun    []begun
	standing map[events.ContactNumber]Standing
	leaving  map[events.ContactNumber]bool
	gaveWay  []events.Time
	private  map[events.TorrentNumber]bool
	log      []Contact // every contact, for the comparison of two runs
}

// begun is a connection.
type begun struct {
	at      events.Time
	asked   events.Time // when the schedule was asked for it
	network netip.Prefix
	again   bool // not the first of its contact
}

type record struct {
	active, finished bool
	tracked          bool // named by a tracker
	met              int  // sessions
	doomed           bool // a meeting ended with the peer finished: it is so at the latest when its turn comes
	contacts         int
	offered, touched events.Time // first offered, last begun or ended
}

func newHistory(t *testing.T, seed uint64) *history {
	random := rand.New(rand.NewPCG(seed, 1))
	o := Options{
		Sessions: 1 + random.IntN(20), DialRate: 1 + random.IntN(200), Revisit: time.Duration(1+random.IntN(60)) * time.Second,
		Brief: 10 * time.Second, KnownPeers: 1 + random.IntN(300), NetworkDialRate: random.IntN(20), Stay: time.Duration(random.IntN(10)) * time.Second,
	}
	o.AllPeers = o.KnownPeers + random.IntN(300)
	return &history{
		T: t, random: random, options: o, schedule: New(o), now: start, active: make(map[events.ContactNumber]Contact), peers: make(map[Contact]*record),
		standing: make(map[events.ContactNumber]Standing), leaving: make(map[events.ContactNumber]bool),
		private: make(map[events.TorrentNumber]bool),
	}
}

func (h *history) step() {
	if h.random.IntN(1000) == 0 {
		h.restrict()
	}
	switch h.random.IntN(13) {
	case 0:
		h.offer()
	case 8:
		h.giveWay()
	case 9:
		h.progress()
	case 10:
		h.meet()
	case 11:
		h.part(Ending(1 + h.random.IntN(int(Finished))))
	case 12:
		h.again()
	case 1, 2:
		h.now = h.now.Add(time.Duration(h.random.Int64N(int64(5 * time.Second))))
	case 3, 4:
		h.end(Ending(1 + h.random.IntN(int(Finished))))
	default:
		h.next()
	}
}

func (h *history) offer() {
	number := events.TorrentNumber(1 + h.random.IntN(3))
	from := h.random.IntN(400)
	list := addresses(from, from+h.random.IntN(20))
	room := min(h.options.KnownPeers-h.schedule.Torrent(number).Known, h.options.AllPeers-h.schedule.Total().Known)
	offer, tracked := h.schedule.Offer, h.random.IntN(2) == 0
	if tracked {
		offer = h.schedule.OfferTracked
	}
	offered := offer(number, list...)
	fresh := 0
	for _, a := range list {
		if r := h.peers[Contact{Torrent: number, Address: a}]; r != nil {
			r.tracked = r.tracked || tracked
			continue
		}
		if h.private[number] && !tracked {
			continue
		}
		if fresh++; fresh <= room {
			h.peers[Contact{Torrent: number, Address: a}] = &record{offered: h.now, tracked: tracked}
		}
	}
	want := Offered{New: min(fresh, room), Bound: offered.Bound}
	want.Refused = fresh - want.New
	if offered != want || (offered.Refused > 0) != (offered.Bound > 0) {
		h.Fatalf("offered %+v, want %+v", offered, want)
	}
}

// restrict lets a torrent turn out to be private.
func (h *history) restrict() {
	number := events.TorrentNumber(1 + h.random.IntN(3))
	h.private[number] = true
	h.schedule.Restrict(number)
}

// barred tells of a peer that must not be contacted, because its torrent is private and no tracker has named it.
func (h *history) barred(c Contact) bool { return h.private[c.Torrent] && !h.peers[c].tracked }

func (h *history) next() {
	wake, wakes := h.schedule.Wake(h.now)
	c, ok := h.schedule.Next(h.now)
	if ok != (wakes && wake <= h.now) {
		h.Fatalf("a contact: %v, but the moment to wake is %v (%v) from now", ok, wake.Sub(h.now), wakes)
	}
	if !ok {
		return
	}
	h.log = append(h.log, c)
	who := Contact{Torrent: c.Torrent, Address: c.Address}
	r := h.peers[who]
	if r == nil || r.active || r.finished || r.doomed || r.met > 0 || h.barred(who) {
		h.Fatalf("contact %+v with a peer that is %+v", c, r)
	}
	r.active, r.touched = true, h.now
	r.contacts++
	h.active[c.Number] = c
	h.connect(c, begun{at: h.now})
}

// again lets a contact make one more connection.
func (h *history) again() {
	if len(h.active) == 0 {
		return
	}
	n := h.anyActive()
	h.connect(h.active[n], begun{at: h.now.Add(h.schedule.Again(n, h.now)), again: true})
}

func (h *history) connect(c Contact, b begun) {
	b.asked = h.now
	b.network, _ = c.Address.Addr().Prefix(24)
	h.begun = append(h.begun, b)
	h.checkLimits()
}

func (h *history) checkLimits() {
	if len(h.active) > h.options.Sessions {
		h.Fatalf("%d contacts at once, want at most %d", len(h.active), h.options.Sessions)
	}
	burst := max(h.options.DialRate/10, 1)
	last := h.begun[len(h.begun)-1]
	alike := 0 // connections with the network of the last one, before it
	for i, b := range slices.Backward(h.begun) {
		n := len(h.begun) - i
		if n > 1 && b.network == last.network {
			alike++
			h.checkNetwork(b, last, alike)
		}
		span := last.at.Sub(b.at)
		if allowed := span.Seconds()*float64(h.options.DialRate)*1.000001 + float64(burst); float64(n) > allowed {
			h.Fatalf("%d connections begun within %v, want at most %.1f", n, span, allowed)
		}
		if n > 300 {
			return
		}
	}
}

// checkNetwork holds that a contact waited for its network to rest after each of so many connections, of which one is the first.
func (h *history) checkNetwork(first, contact begun, connections int) {
	if h.options.NetworkDialRate == 0 || contact.again {
		return
	}
	rest := time.Duration(connections) * (time.Second / time.Duration(h.options.NetworkDialRate))
	if span := contact.asked.Sub(first.asked); span < rest {
		h.Fatalf("a contact %v after %d connections with its network, want at least %v", span, connections, rest)
	}
}

func (h *history) end(e Ending) {
	if len(h.active) == 0 {
		return
	}
	h.endContact(h.anyActive(), e)
}

func (h *history) anyActive() events.ContactNumber {
	numbers := make([]events.ContactNumber, 0, len(h.active))
	for n := range h.active {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers[h.random.IntN(len(numbers))]
}

func (h *history) endContact(n events.ContactNumber, e Ending) {
	c := h.active[n]
	delete(h.active, n)
	delete(h.standing, n)
	delete(h.leaving, n)
	r := h.peers[Contact{Torrent: c.Torrent, Address: c.Address}]
	r.active, r.finished, r.touched = false, e == Finished, h.now
	h.schedule.Ended(n, e, h.now)
}

func (h *history) meet() {
	c := Contact{Torrent: events.TorrentNumber(1 + h.random.IntN(3)), Address: address(h.random.IntN(400))}
	r := h.peers[c]
	if met := h.schedule.Meet(c.Torrent, c.Address, h.now); met != (r != nil) {
		h.Fatalf("met %v: %v, but offered: %v", c.Address, met, r != nil)
	}
	if r != nil {
		r.met++
	}
}

func (h *history) part(e Ending) {
	if met := h.met(); len(met) > 0 {
		h.partWith(met[h.random.IntN(len(met))], e)
	}
}

func (h *history) partWith(c Contact, e Ending) {
	r := h.peers[c]
	r.met--
	r.doomed = r.doomed || r.met == 0 && e == Finished
	h.schedule.Part(c.Torrent, c.Address, e, h.now)
}

// met lists the peers that are met, in an order that does not change.
func (h *history) met() (list []Contact) {
	for c, r := range h.peers {
		if r.met > 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.Torrent, b.Torrent), a.Address.Compare(b.Address))
	})
	return list
}

// checkCounts compares the counts with those of the history, as far as they do not depend on whose turn came meanwhile.
func (h *history) checkCounts() {
	var want Counts
	settled, waiting, fresh := 0, 0, 0
	for c, r := range h.peers {
		want.Known++
		switch {
		case r.finished:
			settled++
		case r.active:
			want.Active++
		case r.met == 0 && !r.doomed && !h.barred(c):
			waiting++
		}
		if r.contacts == 0 {
			fresh++
		}
	}
	got := h.schedule.Total()
	if got.Known != want.Known || got.Active != want.Active || got.Waiting+got.Met+got.Finished != want.Known-want.Active ||
		got.Waiting < waiting || got.Finished < settled || got.Met > len(h.met()) || got.New > fresh {
		h.Fatalf("counts %+v, want at least %d waiting, %d finished, at most %d met and %d new of %+v", got, waiting, settled, len(h.met()), fresh, want)
	}
}

// checkNobodyStarves lets every contact end and goes on until each peer that is not finished had a contact more.
func (h *history) checkNobodyStarves() {
	for _, c := range h.met() {
		for h.peers[c].met > 0 {
			h.partWith(c, Left)
		}
	}
	before := make(map[Contact]int)
	for c, r := range h.peers {
		before[c] = r.contacts
	}
	end := h.now.Add(65*h.options.Revisit + 10*time.Minute)
	for h.now < end {
		h.checkNetworks()
		for len(h.active) > 0 {
			h.endContact(h.anyActive(), Failed)
		}
		h.next()
		if wake, ok := h.schedule.Wake(h.now); ok {
			h.now = max(h.now, wake)
		} else if len(h.active) == 0 {
			break
		}
	}
	for c, r := range h.peers {
		if !r.finished && !r.doomed && !h.barred(c) && r.contacts == before[c] {
			h.Fatalf("peer %v of torrent %d was not contacted any more: %+v", c.Address, c.Torrent, r)
		}
	}
}

func play(t *testing.T, seed uint64) []Contact {
	h := newHistory(t, seed)
	for range 3000 {
		h.step()
		h.checkNetworks()
	}
	h.checkCounts()
	h.checkNobodyStarves()
	h.checkCounts()
	return h.log
}

func TestRandomHistories(t *testing.T) {
	first := *seed
	if first == 0 {
		first = rand.Uint64()
	}
	for s := first; s < first+100; s++ {
		t.Logf("seed %d", s)
		if !slices.Equal(play(t, s), play(t, s)) {
			t.Fatal("two runs of one history differ")
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1}, uint16(6881), uint32(1))
	f.Add([]byte{0x20, 1, 13: 0, 15: 1}, uint16(1), uint32(2))
	f.Fuzz(func(t *testing.T, ip []byte, port uint16, number uint32) {
		a, ok := netip.AddrFromSlice(ip)
		if !ok {
			return
		}
		k := keyOf(events.TorrentNumber(number), netip.AddrPortFrom(a, port))
		if got, want := k.addrPort(), netip.AddrPortFrom(a.Unmap(), port); got != want {
			t.Errorf("%v came back as %v", want, got)
		}
	})
}
