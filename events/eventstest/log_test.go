package eventstest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
)

func TestLogKeepsCopies(t *testing.T) {
	clock := NewClock()
	log := NewLogAt(clock.Now)
	clock.Advance(time.Second)
	started := &events.RunStarted{Run: events.RunID{1}}
	bitfield := &events.BitfieldReceived{Session: 1, Bitfield: []byte{0xf0}}
	for i, e := range []events.Event{started, bitfield} {
		seq, err := log.Append(t.Context(), log.Now(), e)
		if err != nil || int(seq) != i+1 {
			t.Fatalf("seq %d, error %v", seq, err)
		}
	}
	bitfield.Bitfield[0] = 0
	const want = "1 RunStarted run=01000000000000000000000000000000\n1 BitfieldReceived session=1 bitfield=11110000\n"
	if got := Format(log.Records()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if run := log.Records()[1].Run; run != started.Run {
		t.Errorf("run %v", run)
	}
}

func TestLogRefuses(t *testing.T) {
	log := NewLog()
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(done, 0, &events.RunStopped{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after cancel", err)
	}
	if _, err := log.Append(t.Context(), 0, &events.Unknown{}); !errors.Is(err, events.ErrPayload) {
		t.Errorf("error %v for an unknown event", err)
	}
	full := errors.New("disk full")
	log.Fail(full)
	if _, err := log.Append(t.Context(), 0, &events.RunStopped{}); !errors.Is(err, full) {
		t.Errorf("error %v after Fail", err)
	}
	if n := len(log.Records()); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestLogWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog()
		begin := log.Now()
		time.AfterFunc(time.Minute, func() {
			if _, err := log.Append(t.Context(), log.Now(), &events.RunStopped{}); err != nil {
				t.Error(err)
			}
		})
		if err := log.Wait(t.Context(), Has(events.KindRunStopped, 1)); err != nil {
			t.Fatal(err)
		}
		if waited := log.Now().Sub(begin); waited != time.Minute {
			t.Errorf("waited %v", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := log.Wait(ctx, Has(events.KindRunStopped, 2))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "RunStopped") {
			t.Errorf("error %v", err)
		}
	})
}
