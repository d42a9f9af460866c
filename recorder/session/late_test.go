package session_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/session"
)

// slowLog makes events of a kind wait.
type slowLog struct {
	events.Appender
	kind events.Kind
	wait time.Duration
}

func (l slowLog) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	if e.Kind() == l.kind {
		time.Sleep(l.wait)
	}
	return l.Appender.Append(ctx, at, e)
}

// slowed lets events of a kind wait for the log.
func slowed(set func(*served), kind events.Kind, wait time.Duration) func(*served) {
	return func(s *served) {
		set(s)
		s.Log = slowLog{s.log, kind, wait}
	}
}

// What came while a session waited for the log is read before the session is ended for want of it.
func TestWaitingForTheLogDoesNotCountAgainstThePeer(t *testing.T) {
	nothingNew := bytes.Repeat(make([]byte, 4), 1000) // keep-alives: much more than is read at once
	cases := []struct {
		name   string
		set    func(*served)
		script func(*scene)
		lasts  time.Duration
		reason events.Reason
		start  session.Start
	}{
		{"a visit", slowed(visit, events.KindBitfieldReceived, 10*time.Second), func(sc *scene) {
			sc.peer.Write(frame(events.Bitfield, 0x80, 0))
			sc.peer.Write(have(3))
		}, 16 * time.Second, events.ReasonQuiet, session.StartKnown},
		{"a visit in which the news comes last", slowed(visit, events.KindBitfieldReceived, 10*time.Second), func(sc *scene) {
			sc.peer.Write(frame(events.Bitfield, 0x80, 0))
			sc.peer.Write(append(nothingNew, have(3)...))
		}, 16 * time.Second, events.ReasonQuiet, session.StartKnown},
		{"a session that would be reopened", slowed(stay, events.KindHaveReceived, 6*time.Minute), func(sc *scene) {
			sc.peer.Write(have(3))
			sc.peer.Write(frame(events.Bitfield, 0x10, 0))
		}, 11 * time.Minute, events.ReasonTimeout, session.StartKnown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sc := play(t, c.set, func(sc *scene) { sc.open(plain); c.script(sc); sc.at(time.Hour) })
			sc.endsAfter(t, c.lasts, c.reason)
			if haves, bitfields := sc.count(events.KindHaveReceived), sc.count(events.KindBitfieldReceived); haves != 1 || bitfields != 1 || sc.outcome.Start != c.start {
				t.Errorf("%d haves and %d bitfields recorded, start %v; want one of both and start %v", haves, bitfields, sc.outcome.Start, c.start)
			}
		})
	}
}

// Nobody is held by a peer that says nothing new without a pause.
func TestAFloodDoesNotProlongAVisit(t *testing.T) {
	sc := play(t, slowed(visit, events.KindBitfieldReceived, 10*time.Second), func(sc *scene) {
		sc.open(plain)
		sc.peer.Write(frame(events.Bitfield, 0x80, 0))
		for {
			if _, err := sc.peer.Write(make([]byte, 400)); err != nil {
				return
			}
		}
	})
	sc.endsAfter(t, 10*time.Second, events.ReasonQuiet)
}
