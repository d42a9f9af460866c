package tracker

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"btda/events"
	"btda/recorder/netfail"
)

// transaction is a request over UDP that waits for its answer (BEP 15).
type transaction struct {
	id       transactionID
	action   action
	take     func(body []byte) error // takes an answer of that action, or says why it cannot; it may not keep the body
	answered chan struct{}           // closed when err is settled

	err      error       // nil when the answer was taken
	unusable *unanswered // why the last answer was not taken
}

// unanswered is why a transaction got no answer of use.
type unanswered struct {
	error
	told   string // the tracker's own text, beside events.ReasonTrackerFailure
	answer []byte // the first KiB of what cannot be used
}

// Unwrap gives the error.
func (u *unanswered) Unwrap() error { return u.error }

func newTransactionID() transactionID {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return transactionID(binary.BigEndian.Uint32(b[:]))
}

// offer takes an answer, or says why it is of no use.
func (t *transaction) offer(packet []byte, a udpAnswer) error {
	var err error
	switch a.action {
	case t.action:
		err = t.take(a.body)
	case actionError:
		t.err = &unanswered{error: netfail.New(events.ReasonTrackerFailure, "the tracker refused"), told: parseUDPError(a.body)}
	default:
		err = netfail.New(events.ReasonMalformed, fmt.Sprintf("an answer of action %d to a request of action %d", a.action, t.action))
	}
	if err != nil {
		t.unusable = &unanswered{error: err, answer: bytes.Clone(packet[:min(len(packet), maxKept)])}
	}
	return err
}

// pastTransactions remembers the transactions that were answered last.
type pastTransactions struct {
	ids  []transactionID
	next int // index of the oldest, once all places are taken
}

const keptTransactions = 64

func (p *pastTransactions) add(id transactionID) {
	if len(p.ids) < keptTransactions {
		p.ids = append(p.ids, id)
		return
	}
	p.ids[p.next] = id
	p.next = (p.next + 1) % keptTransactions
}

func (p *pastTransactions) has(id transactionID) bool { return slices.Contains(p.ids, id) }

// minResend is the least time until a request is sent again.
const minResend = 100 * time.Millisecond

// resends are the times to wait for an answer after each sending: an eighth, a quarter and a half of what is left until the deadline
// of ctx, and then all the rest.
func resends(ctx context.Context) []time.Duration {
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	return []time.Duration{max(left/8, minResend), max(left/4, minResend), max(left/2, minResend), max(left, minResend)}
}
