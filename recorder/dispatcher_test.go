package recorder

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/swarm"
)

// testPeers stands for the sessions: every contact lasts for a time, or until its context is done.
type testPeers struct {
	lasts  time.Duration
	ending swarm.Ending

	mu           sync.Mutex
	active, most int
	begun        int
}

func (p *testPeers) observe(ctx context.Context, _ *attempt) swarm.Ending {
	p.count(1)
	defer p.count(-1)
	select {
	case <-time.After(p.lasts):
		return p.ending
	case <-ctx.Done():
		return swarm.Left
	}
}

// releasedPeers are contacts that last until the channel is closed.
type releasedPeers chan struct{}

func (p releasedPeers) observe(context.Context, *attempt) swarm.Ending { <-p; return swarm.Left }

func (p *testPeers) count(change int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active += change
	p.most = max(p.most, p.active)
	if change > 0 {
		p.begun++
	}
}

func (p *testPeers) seen() (begun, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun, p.most
}

func newTestDispatcher(p *testPeers) *dispatcher {
	d := newDispatcher(swarm.Options{Sessions: 5, DialRate: 100, Revisit: time.Minute, Brief: time.Second, KnownPeers: 100, AllPeers: 100})
	d.contacts, d.now = p, func() events.Time { return events.TimeOf(time.Now()) }
	return d
}

func testAddresses(n int) []netip.AddrPort {
	var list []netip.AddrPort
	for i := range n {
		list = append(list, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 6881))
	}
	return list
}

func TestTheDispatcherMakesContactsWhenDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peers := &testPeers{lasts: 10 * time.Second, ending: swarm.Left}
		d := newTestDispatcher(peers)
		ctx, stop := context.WithCancel(t.Context())
		go d.run(ctx)
		if got := d.offer(offer{torrent: 1, peers: testAddresses(20)}); got.New != 20 {
			t.Errorf("offered %+v, want 20 new", got)
		}
		time.Sleep(39 * time.Second)
		synctest.Wait()
		if begun, most := peers.seen(); begun != 20 || most != 5 {
			t.Errorf("%d contacts, at most %d at once; want 20 and 5", begun, most)
		}
		time.Sleep(40 * time.Second) // the first five were left after 10 s, and are due after a minute
		stop()
		<-d.done
		if begun, _ := peers.seen(); begun != 25 || active(d) != 0 {
			t.Errorf("%d contacts, %d still active; want 25 and none", begun, active(d))
		}
	})
}

func TestTheDispatcherEndsWhenItsContactsHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDispatcher(&testPeers{})
		release := make(chan struct{})
		d.contacts = releasedPeers(release)
		ctx, stop := context.WithCancel(t.Context())
		go d.run(ctx)
		d.offer(offer{torrent: 1, peers: testAddresses(3)})
		synctest.Wait()
		stop()
		synctest.Wait()
		if got := d.offer(offer{torrent: 1, peers: testAddresses(9)}); got != (swarm.Offered{}) {
			t.Errorf("offered %+v while stopping, want nothing taken", got)
		}
		if got := active(d); got != 3 {
			t.Errorf("%d active while stopping, want 3", got)
		}
		close(release)
		<-d.done
		if got := active(d); got != 0 {
			t.Errorf("%d active at the end, want none", got)
		}
		if got := d.offer(offer{torrent: 1, peers: testAddresses(9)}); got != (swarm.Offered{}) {
			t.Errorf("offered %+v after the end, want nothing taken", got)
		}
	})
}

// deadPeers are contacts that fail in one way, and then in another one, each of which takes its time.
type deadPeers struct {
	testPeers
	first, second time.Duration
	pace          session.Pace
}

func (p *deadPeers) observe(ctx context.Context, a *attempt) swarm.Ending {
	p.count(1)
	defer p.count(-1)
	pause(ctx, p.first)
	p.pace.Wait(ctx, a.Number)
	pause(ctx, p.second)
	return swarm.Failed
}

// Peers that are tried in two ways in vain cost two connections of the rate each. They never take all sessions with the default settings, and so
// hold up nobody but by that rate.
func TestDeadPeersLeaveSessionsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dead = 5000
		settings := DefaultSettings()
		d := newDispatcher(swarm.Options{Sessions: settings.Sessions, DialRate: settings.DialRate, Revisit: time.Hour, KnownPeers: dead, AllPeers: dead})
		peers := &deadPeers{first: settings.Timeout, second: 4 * time.Second, pace: d}
		d.contacts, d.now, d.book = peers, func() events.Time { return events.TimeOf(time.Now()) }, &book{}
		ctx, stop := context.WithCancel(t.Context())
		go d.run(ctx)
		d.offer(offer{torrent: 1, peers: testAddresses(dead)})
		time.Sleep(2*dead/time.Duration(settings.DialRate)*time.Second + time.Minute)
		synctest.Wait()
		if begun, most := peers.seen(); begun != dead || most > settings.Sessions*3/4 {
			t.Errorf("%d peers were tried, %d at one time; want %d, and a quarter of the %d sessions free", begun, most, dead, settings.Sessions)
		}
		stop()
		<-d.done
	})
}

func active(d *dispatcher) (n int) {
	d.look(func(s *swarm.Schedule) { n = s.Total().Active })
	return n
}
