package recorder

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/swarm"
)

// dispatcher owns the schedule. One goroutine hands out contacts, takes in offers and endings and answers questions; it never
// appends and never waits for anything else. Each contact has a goroutine of its own.
type dispatcher struct {
	schedule *swarm.Schedule
	now      func() events.Time
	contacts contacts
	book     *book
	attempts map[events.ContactNumber]*attempt // that have not ended

	offers    chan offer
	endings   chan ending // with a place for every session, so that none waits to end
	questions chan question
	workers   sync.WaitGroup
	done      chan struct{} // closed when run is over; the schedule may then be read by all
}

// contacts makes contacts. It is an interface because a method value would add a frame to the stack of every session.
type contacts interface {
	// observe makes one contact. It ends when the contact is over or ctx is done.
	observe(ctx context.Context, a *attempt) swarm.Ending
}

// attempt is a contact at work.
type attempt struct {
	session.Contact
	progress session.Progress
	outcome  session.Outcome // not on the stack, where it would lie below the session
	recall   session.Recall
}

type offer struct {
	torrent events.TorrentNumber
	peers   []netip.AddrPort
	tracked bool // a tracker of the torrent named them
	result  chan<- swarm.Offered
}

type ending struct {
	contact events.ContactNumber
	ending  swarm.Ending
}

// question is put to the schedule by its own goroutine.
type question struct {
	ask      func(*swarm.Schedule)
	answered chan<- struct{}
}

func newDispatcher(o swarm.Options) *dispatcher {
	return &dispatcher{
		schedule: swarm.New(o), attempts: make(map[events.ContactNumber]*attempt),
		offers: make(chan offer), endings: make(chan ending, o.Sessions), questions: make(chan question), done: make(chan struct{}),
	}
}

// run makes contacts until ctx is done, and returns when all have ended.
func (d *dispatcher) run(ctx context.Context) {
	defer close(d.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	slots := time.NewTicker(slotInterval)
	defer slots.Stop()
	stop := ctx.Done()
	for stop != nil || d.schedule.Total().Active > 0 {
		select {
		case o := <-d.offers:
			d.take(ctx, o)
		case e := <-d.endings:
			d.end(e)
		case q := <-d.questions:
			d.answer(q)
		case <-timer.C:
		case <-slots.C:
			d.makeRoom()
		case <-stop:
			stop = nil
		}
		d.makeContacts(ctx, timer)
	}
	d.workers.Wait()
}

func (d *dispatcher) take(ctx context.Context, o offer) {
	var result swarm.Offered
	switch {
	case ctx.Err() != nil:
	case o.tracked:
		result = d.schedule.OfferTracked(o.torrent, o.peers...)
	default:
		result = d.schedule.Offer(o.torrent, o.peers...)
	}
	o.result <- result
}

func (d *dispatcher) end(e ending) {
	delete(d.attempts, e.contact)
	d.schedule.Ended(e.contact, e.ending, d.now())
}

func (d *dispatcher) answer(q question) {
	q.ask(d.schedule)
	close(q.answered)
}

// makeContacts begins all that may begin now and sets the timer to when more may.
func (d *dispatcher) makeContacts(ctx context.Context, timer *time.Timer) {
	for ctx.Err() == nil {
		now := d.now()
		c, ok := d.schedule.Next(now)
		if !ok {
			if at, ok := d.schedule.Wake(now); ok {
				timer.Reset(max(at.Sub(now), time.Millisecond))
			}
			return
		}
		d.begin(ctx, c)
	}
}

func (d *dispatcher) begin(ctx context.Context, c swarm.Contact) {
	a := &attempt{Contact: session.Contact{Number: c.Number, Torrent: d.book.of(c.Torrent).Torrent, Address: c.Address}}
	a.Progress, a.Recall = &a.progress, &a.recall
	d.attempts[c.Number] = a
	d.workers.Go(func() { d.endings <- ending{a.Number, d.contacts.observe(ctx, a)} })
}

var _ session.Pace = (*dispatcher)(nil)

// Wait waits until a contact may make one more connection, or until ctx is done.
func (d *dispatcher) Wait(ctx context.Context, number events.ContactNumber) {
	var wait time.Duration
	d.tell(func(s *swarm.Schedule) { wait = s.Again(number, d.now()) })
	if wait > 0 {
		pause(ctx, wait)
	}
}

// slotInterval is the time between two looks at whether sessions are to give way.
const slotInterval = time.Second

// makeRoom ends the sessions that give way to peers that wait.
func (d *dispatcher) makeRoom() {
	for _, number := range d.schedule.GiveWay(d.now(), d.standing) {
		d.attempts[number].recall.End(session.ErrSlotNeeded)
	}
}

func (d *dispatcher) standing(number events.ContactNumber) swarm.Standing {
	a := d.attempts[number]
	return swarm.Standing{Opened: a.progress.Opened(), Pieces: uint32(a.progress.Pieces().Value), Goal: max(a.Torrent.Complete, a.progress.Goal())}
}

// offer hands peers to the schedule. After the end of the dispatcher nobody takes them.
func (d *dispatcher) offer(o offer) swarm.Offered {
	result := make(chan swarm.Offered, 1)
	o.result = result
	select {
	case d.offers <- o:
		return <-result
	case <-d.done:
		return swarm.Offered{}
	}
}

// look shows the schedule to ask, which must be quick and keep nothing of it.
func (d *dispatcher) look(ask func(*swarm.Schedule)) {
	answered := make(chan struct{})
	select {
	case d.questions <- question{ask, answered}:
		<-answered
	case <-d.done:
		ask(d.schedule)
	}
}
