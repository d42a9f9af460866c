package session_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// scene is an observer and a scripted peer on the two ends of a pipe, in a bubble with its own time. The observer starts at 0 s.
type scene struct {
	*served
	peer    peer
	began   time.Time
	stop    context.CancelFunc
	giveWay func()
	outcome session.Outcome
	lasted  time.Duration
}

// play runs a script in the peer's place until it returns, then hangs up and waits for the observer.
func play(t *testing.T, set func(*served), script func(*scene)) *scene {
	t.Helper()
	var sc *scene
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		sc = &scene{served: newServed(pipeDialer{ours}, netip.MustParseAddrPort("192.0.2.7:6881")), peer: peer{t, theirs}, began: time.Now()}
		sc.Timeout, sc.Revisit = 6*time.Second, 5*time.Minute
		set(sc.served)
		ctx, cancel := context.WithCancel(t.Context())
		sc.contact.Recall = new(session.Recall)
		sc.stop, sc.giveWay = cancel, func() { sc.contact.Recall.End(session.ErrSlotNeeded) }
		defer sc.stop()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			sc.outcome = sc.run(ctx)
			sc.lasted = time.Since(sc.began)
		}()
		script(sc)
		theirs.Close()
		<-ended
	})
	return sc
}

type pipeDialer struct{ conn net.Conn }

func (d pipeDialer) Dial(context.Context, netip.AddrPort) (net.Conn, error) { return d.conn, nil }

func stay(*served)    {}
func visit(s *served) { s.Visit = true }

// open shakes hands and reads all that the observer says from then on.
func (sc *scene) open(reserved wire.Reserved) {
	sc.peer.shake(reserved)
	go sc.peer.untilLeft()
}

// at waits until a time since the start.
func (sc *scene) at(d time.Duration) {
	time.Sleep(d - time.Since(sc.began))
	synctest.Wait()
}

// send writes what the observer may hang up on.
func (sc *scene) send(messages ...[]byte) {
	for _, b := range messages {
		sc.peer.Write(b)
	}
	synctest.Wait()
}

// endsAfter checks when, and why, the observer left.
func (sc *scene) endsAfter(t *testing.T, want time.Duration, reason events.Reason) {
	t.Helper()
	if sc.outcome.By != events.Us || sc.outcome.Closed != reason || sc.lasted.Round(time.Millisecond) != want {
		t.Errorf("left after %v: %+v, want %v after %v", sc.lasted, sc.outcome, reason, want)
	}
}

// sent is when, in seconds, a kind of message was sent.
func (sc *scene) sent(kind events.MessageKind) (seconds []int) {
	for _, r := range sc.log.Records() {
		if e, ok := r.Event.(*events.MessageSent); ok && e.Message == kind && (kind != events.Extended || e.Extension != 0) {
			seconds = append(seconds, int(r.Time.Sub(events.TimeOf(sc.began)).Seconds()))
		}
	}
	return seconds
}

// count counts the events of a kind.
func (sc *scene) count(kind events.Kind) int {
	n := 0
	for _, r := range sc.log.Records() {
		if r.Event.Kind() == kind {
			n++
		}
	}
	return n
}

func wantSeconds(t *testing.T, got, want []int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("sent at %v s, want %v s", got, want)
	}
}
