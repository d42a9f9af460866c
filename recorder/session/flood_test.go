package session_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"btda/events"
)

// suppressed sums up what was only counted of a kind.
func (sc *scene) suppressed(kind events.MessageKind) (count, bytes uint64) {
	for _, r := range sc.log.Records() {
		if e, ok := r.Event.(*events.MessagesSuppressed); ok && e.Message == kind {
			count += e.Count
			bytes += e.Bytes
			if e.Since > r.Time || e.Since < events.TimeOf(sc.began) {
				panic("a suppression that began at no time of the session")
			}
		}
	}
	return count, bytes
}

// limits lists the limits that were reached.
func (sc *scene) limits() (reached []events.Limit) {
	for _, r := range sc.log.Records() {
		if e, ok := r.Event.(*events.LimitReached); ok {
			reached = append(reached, e.Limit)
		}
	}
	return reached
}

// Every message is either recorded or counted, and what is recorded is bounded, whatever it is that a peer sends over and over.
func TestFloodsOfNothingNew(t *testing.T) {
	const messages, most = 20_000, 700
	cases := []struct {
		name    string
		message []byte
		kind    events.MessageKind
		event   events.Kind
		most    int
	}{
		{"keep-alives", make([]byte, 4), events.KeepAlive, events.KindMessageReceived, most},
		{"unknown messages", frame(200, 1, 2, 3), 200, events.KindMessageReceived, most},
		{"repeated haves", have(0), events.Have, events.KindHaveReceived, most},
		{"haves out of range", have(16), events.Have, events.KindHaveReceived, most},
		{"repeated have-all", frame(events.HaveNone), events.HaveNone, events.KindHaveNoneReceived, most},
		{"requests for metadata", extended(2, "d8:msg_typei0e5:piecei0ee"), events.Extended, events.KindMessageReceived, most},
		{"bitfields of a wrong length", frame(events.Bitfield, make([]byte, 4000)...), events.Bitfield, events.KindBitfieldReceived, 20},
		{"extension handshakes", extended(0, "d1:v4000:"+string(make([]byte, 4000))+"e"), events.Extended, events.KindExtensionHandshakeReceived, 20},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sc := play(t, stay, func(sc *scene) {
				sc.open(modern)
				for range messages / 100 {
					sc.send(bytes.Repeat(c.message, 100))
					time.Sleep(200 * time.Millisecond)
				}
			})
			recorded := sc.count(c.event)
			count, _ := sc.suppressed(c.kind)
			if recorded > c.most || uint64(recorded)+count != messages {
				t.Errorf("%d recorded and %d counted, want at most %d, and %d together", recorded, count, c.most, messages)
			}
			if got := sc.limits(); len(got) != 1 || got[0] != events.LimitMessageRate {
				t.Errorf("limits %v, want one of the message rate", got)
			}
			if sent := sc.count(events.KindMessageSent); sent > most {
				t.Errorf("%d messages were sent", sent)
			}
		})
	}
}

// What was only counted is recorded every minute, and at the end.
func TestCountsAreFlushed(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(plain)
		for range 130 {
			sc.send(bytes.Repeat(make([]byte, 4), 100))
			time.Sleep(time.Second)
		}
	})
	if got := sc.count(events.KindMessagesSuppressed); got != 3 {
		t.Errorf("%d records of what was counted, want 3", got)
	}
	records := sc.log.Records()
	if last := records[len(records)-2].Event.Kind(); last != events.KindMessagesSuppressed {
		t.Errorf("before the close came %v", last)
	}
}

// Availability that is new is recorded whole, and read no faster than a rate.
func TestFloodOfAvailability(t *testing.T) {
	const rounds = 2000
	sc := play(t, stay, func(sc *scene) {
		sc.open(modern)
		sc.send(frame(events.HaveNone))
		for range rounds {
			sc.peer.write(have(1), extended(3, "\x00\x00\x00\x01"))
		}
	})
	if haves, lost := sc.count(events.KindHaveReceived), sc.count(events.KindDontHaveReceived); haves != rounds || lost != rounds {
		t.Errorf("%d haves and %d dont-haves recorded, want %d", haves, lost, rounds)
	}
	if sc.lasted < 80*time.Second || sc.lasted > 2*time.Minute {
		t.Errorf("%d messages were taken in within %v", 2*rounds, sc.lasted)
	}
	if got := sc.limits(); len(got) != 1 || got[0] != events.LimitAvailabilityRate {
		t.Errorf("limits %v", got)
	}
}

// A whole download is recorded as fast as it comes.
func TestFastDownloadIsNotSlowed(t *testing.T) {
	const pieces = 20_000
	fast := func(s *served) { s.contact.Torrent.Pieces, s.contact.Torrent.Complete = pieces, pieces }
	sc := play(t, fast, func(sc *scene) {
		sc.open(plain)
		sc.send(frame(events.Bitfield, make([]byte, pieces/8)...))
		for i := range uint32(pieces) {
			sc.peer.Write(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 5, 4}, i))
		}
		sc.at(time.Second)
	})
	if got := sc.count(events.KindHaveReceived); got != pieces || !sc.outcome.Complete || len(sc.limits()) != 0 {
		t.Errorf("%d haves recorded, %+v, limits %v", got, sc.outcome, sc.limits())
	}
}

// While a peer is slowed, time is still kept.
func TestSlowedPeerAndTheRest(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(modern)
		time.AfterFunc(70*time.Second+time.Millisecond, sc.stop)
		for {
			if _, err := sc.peer.Write(append(have(1), extended(3, "\x00\x00\x00\x01")...)); err != nil {
				return
			}
		}
	})
	sc.endsAfter(t, 70*time.Second+time.Millisecond, events.ReasonStopping)
	wantSeconds(t, sc.sent(events.KeepAlive), []int{60})
}
