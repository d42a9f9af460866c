package tracker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"btda/events"
	"btda/recorder/netfail"
)

// maxDatagram is larger than any datagram can be, so that each is read whole.
const maxDatagram = 1 << 16

// line is our way to one address of a tracker: a socket, the connection id that the tracker gave to it, and the transactions that
// wait for an answer. All requests to that address share it, since some trackers tie a connection id to our port. It reads also what
// comes from elsewhere, which a connected socket would not show.
type line struct {
	remote netip.AddrPort
	socket *net.UDPConn
	now    func() events.Time

	mu         sync.Mutex
	waiting    map[transactionID]*transaction
	past       pastTransactions
	strays     strays
	connection connection
	asking     chan struct{} // not nil while a request asks for a connection id; closed when that is over
	broken     error         // why the socket was closed
}

// read takes what comes until the socket is closed or fails.
func (l *line) read() {
	packet := make([]byte, maxDatagram)
	for {
		n, from, err := l.socket.ReadFromUDPAddrPort(packet)
		if err != nil {
			l.fail(err)
			return
		}
		l.receive(letter{from: from, at: l.now(), packet: packet[:n]})
	}
}

// fail closes the socket. All that wait get the error.
func (l *line) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return
	}
	l.broken = err
	l.socket.Close()
	for id, t := range l.waiting {
		t.err = err
		close(t.answered)
		delete(l.waiting, id)
	}
}

func (l *line) failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken != nil
}

// receive gives a datagram to the transaction that it answers, or counts it among the strays.
func (l *line) receive(d letter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.deliver(d); err != nil {
		l.strays.add(d, err)
	}
}

func (l *line) deliver(d letter) error {
	if !sameAddress(d.from, l.remote) {
		return netfail.New(events.ReasonWrongSender, fmt.Sprintf("a datagram from %v, where %v was asked", d.from, l.remote))
	}
	a, err := parseUDPAnswer(d.packet)
	if err != nil {
		return err
	}
	t := l.waiting[a.transaction]
	switch {
	case t == nil && l.past.has(a.transaction):
		return netfail.New(events.ReasonDuplicate, "a second answer to a transaction")
	case t == nil:
		return netfail.New(events.ReasonWrongTransaction, "an answer to a transaction that nobody waits for")
	}
	if err := t.offer(d.packet, a); err != nil {
		return err
	}
	delete(l.waiting, t.id)
	l.past.add(t.id)
	close(t.answered)
	return nil
}

// sameAddress compares as the log does: an IPv4 address written as IPv6 is IPv4, and a zone does not count.
func sameAddress(a, b netip.AddrPort) bool { return events.AddressOf(a) == events.AddressOf(b) }

// begin gives a transaction its id, and waits for its answer from now on.
func (l *line) begin(t *transaction) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	t.id = newTransactionID()
	for l.waiting[t.id] != nil || l.past.has(t.id) {
		t.id = newTransactionID()
	}
	t.answered = make(chan struct{})
	l.waiting[t.id] = t
	return nil
}

// giveUp ends the wait of a transaction. If an answer came after all, that counts; else what was wrong with the last one, if any; else
// why it was given up.
func (l *line) giveUp(t *transaction, why error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.waiting[t.id] != t:
		return t.err
	case t.unusable != nil:
		why = t.unusable
	}
	delete(l.waiting, t.id)
	return why
}

// ask sends a request, again and again, until its answer comes or ctx is done. The context must have a deadline.
func (l *line) ask(ctx context.Context, t *transaction, send func() error) error {
	if err := l.begin(t); err != nil {
		return err
	}
	for _, pause := range resends(ctx) {
		if err := send(); err != nil {
			return l.giveUp(t, err)
		}
		select {
		case <-t.answered:
			return t.err
		case <-ctx.Done():
			return l.giveUp(t, ctx.Err())
		case <-time.After(pause):
		}
	}
	return l.giveUp(t, context.DeadlineExceeded)
}

// send writes one datagram to the tracker.
func (l *line) send(ctx context.Context, packet []byte) error {
	if deadline, ok := ctx.Deadline(); ok {
		l.socket.SetWriteDeadline(deadline) // an error says that the socket is closed, as does the write then
	}
	_, err := l.socket.WriteToUDPAddrPort(packet, l.remote)
	return err
}

// takeStrays gives what came and was not used since the last call.
func (l *line) takeStrays() strays {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.strays
	l.strays = nil
	return taken
}
