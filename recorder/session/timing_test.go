package session_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/wire"
)

const offersMetadata = "d1:md11:ut_metadatai9eee"

func TestMetadataIsAskedForEveryFiveSeconds(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(modern)
		sc.send(frame(events.HaveNone))
		sc.at(3 * time.Second)
		sc.send(extended(0, offersMetadata))
		sc.at(20 * time.Second)
		sc.send(extended(0, "d1:md11:ut_metadatai0eee")) // takes the offer back
		sc.at(100 * time.Second)
	})
	wantSeconds(t, sc.sent(events.Extended), []int{8, 13, 18})
	wantSeconds(t, sc.sent(events.KeepAlive), []int{78})
}

func TestCompletePeersAreNotAsked(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(modern)
		sc.send(extended(0, offersMetadata), frame(events.HaveAll))
		sc.at(time.Minute)
	})
	wantSeconds(t, sc.sent(events.Extended), nil)
	sc.endsAfter(t, 2*time.Second, events.ReasonComplete)
}

func TestKeepAlives(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(plain)
		sc.send(frame(events.Bitfield, 0x80, 0))
		sc.at(4 * time.Minute)
	})
	wantSeconds(t, sc.sent(events.KeepAlive), []int{60, 120, 180, 240})
	if !sc.outcome.Dropped() || sc.outcome.Closed != events.ReasonClosedByPeer {
		t.Errorf("outcome %+v", sc.outcome)
	}
}

func TestStay(t *testing.T) {
	cases := []struct {
		name   string
		script func(*scene)
		lasts  time.Duration
		reason events.Reason
		start  session.Start
	}{
		{"a seed is left when its set is settled", func(sc *scene) {
			sc.at(time.Second)
			sc.send(frame(events.Bitfield, 0xff, 0xff))
		}, 3 * time.Second, events.ReasonComplete, session.StartKnown},
		{"a seed that withholds some bits is given the same time", func(sc *scene) {
			sc.send(frame(events.Bitfield, 0xff, 0xf0))
			sc.at(time.Second)
			sc.send(have(12), have(13), have(14), have(15))
		}, 2 * time.Second, events.ReasonComplete, session.StartKnown},
		{"a download that finishes is left at once", func(sc *scene) {
			sc.send(frame(events.Bitfield, 0xff, 0xfc))
			sc.at(time.Minute)
			sc.send(have(14))
		}, time.Minute, events.ReasonComplete, session.StartKnown},
		{"a peer that says nothing is asked again", func(*scene) {}, 5 * time.Minute, events.ReasonReopened, session.StartAssumed},
		{"so is one that began with haves", func(sc *scene) {
			sc.at(time.Minute)
			sc.send(have(1))
		}, 5 * time.Minute, events.ReasonReopened, session.StartAssumed},
		{"one that fell silent is not held for ever", func(sc *scene) {
			sc.at(time.Minute)
			sc.send(frame(events.HaveNone))
		}, 6 * time.Minute, events.ReasonTimeout, session.StartKnown},
		{"one that sends a byte a second is not either", func(sc *scene) {
			sc.at(time.Minute)
			for _, b := range frame(events.Bitfield, make([]byte, 100)...) {
				sc.send([]byte{b})
				time.Sleep(700 * time.Millisecond) // none comes in the moment in which the time is over
			}
		}, 90 * time.Second, events.ReasonTimeout, session.StartAssumed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sc := play(t, stay, func(sc *scene) { sc.open(plain); c.script(sc); sc.at(time.Hour) })
			sc.endsAfter(t, c.lasts, c.reason)
			if sc.outcome.Start != c.start {
				t.Errorf("start %v, want %v", sc.outcome.Start, c.start)
			}
		})
	}
}

// A peer that is slow to say anything is given the timeout, however short the revisit delay; one that talks of other things is not.
func TestNoSilentPeerIsLeftBeforeTheTimeout(t *testing.T) {
	hasty := func(s *served) { s.Revisit = 2 * time.Second }
	silent := play(t, hasty, func(sc *scene) { sc.open(plain); sc.at(time.Hour) })
	silent.endsAfter(t, 6*time.Second, events.ReasonReopened)
	slow := play(t, hasty, func(sc *scene) {
		sc.open(plain)
		sc.at(5 * time.Second)
		sc.send(frame(events.Bitfield, 0xff, 0xfc))
		sc.at(time.Minute)
		sc.send(have(14))
		sc.at(time.Hour)
	})
	slow.endsAfter(t, time.Minute, events.ReasonComplete)
	evasive := play(t, hasty, func(sc *scene) { sc.open(modern); sc.send(extended(0, "de")); sc.at(time.Hour) })
	evasive.endsAfter(t, 2*time.Second, events.ReasonReopened)
}

// A peer that gives metadata slowly is not left because it says nothing about its pieces, however short the revisit delay.
func TestNoGiverOfMetadataIsLeftInTheMiddle(t *testing.T) {
	taken := false
	magnet := func(s *served) {
		s.Revisit = 2 * time.Second
		s.contact.Torrent = session.Torrent{Number: 1, InfoHash: infoHash, Metadata: session.NewMetadata(session.MetadataOptions{
			InfoHash: sha1.Sum(truth), MaxSize: 1 << 20, Pool: session.NewMetadataPool(1 << 20),
			Take: func([]byte, events.SessionNumber) (session.Torrent, error) {
				taken = true
				return session.Torrent{Number: 1, InfoHash: infoHash, Pieces: 16, Complete: 15}, nil
			},
		})}
	}
	sc := play(t, magnet, func(sc *scene) {
		sc.open(modern)
		sc.send(extended(0, fmt.Sprintf("d1:md11:ut_metadatai7ee13:metadata_sizei%dee", len(truth))))
		for piece := range 4 {
			sc.at(time.Duration(1+2*piece) * time.Second)
			sc.send(extended(wire.MetadataID, string(give(truth, piece)[0].Append(nil))))
		}
		sc.at(time.Hour)
	})
	if !taken {
		t.Error("the metadata was not taken")
	}
	sc.endsAfter(t, 13*time.Second, events.ReasonReopened)
}

func TestVisit(t *testing.T) {
	cases := []struct {
		name   string
		script func(*scene)
		lasts  time.Duration
		reason events.Reason
	}{
		{"nothing comes", func(*scene) {}, 6 * time.Second, events.ReasonQuiet},
		{"a bitfield comes", func(sc *scene) {
			sc.at(5 * time.Second)
			sc.send(frame(events.Bitfield, 0x80, 0))
		}, 11 * time.Second, events.ReasonQuiet},
		{"haves come", func(sc *scene) {
			for i := range uint32(10) {
				sc.at(time.Duration(i) * 5 * time.Second)
				sc.send(have(i))
			}
		}, 51 * time.Second, events.ReasonQuiet},
		{"only what says nothing new comes", func(sc *scene) {
			sc.send(have(0))
			for i := range 100 {
				sc.at(time.Duration(i) * time.Second)
				sc.send(make([]byte, 4), frame(events.Unchoke), frame(events.Choke), have(0), have(99), frame(77), extended(0, "de"), extended(0, "de"))
			}
		}, 6 * time.Second, events.ReasonQuiet},
		{"a seed", func(sc *scene) { sc.send(frame(events.HaveAll)) }, 2 * time.Second, events.ReasonComplete},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sc := play(t, visit, func(sc *scene) { sc.open(plain); c.script(sc); sc.at(time.Hour) })
			sc.endsAfter(t, c.lasts, c.reason)
		})
	}
}

// A timeout below the time in which a set settles does not cut the visit short: else no visit could prove what a peer lacks.
func TestVisitLastsUntilTheSetIsSettled(t *testing.T) {
	impatient := func(s *served) { s.Visit, s.Timeout = true, time.Second }
	for name, c := range map[string]struct {
		script func(*scene)
		lasts  time.Duration
	}{
		"nothing comes": {func(*scene) {}, time.Second},
		"a bitfield comes": {func(sc *scene) {
			sc.at(time.Second / 2)
			sc.send(frame(events.Bitfield, 0x80, 0))
		}, 2500 * time.Millisecond},
		"a have comes after it": {func(sc *scene) {
			sc.send(frame(events.Bitfield, 0x80, 0))
			sc.at(1800 * time.Millisecond)
			sc.send(have(9))
		}, 2800 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			sc := play(t, impatient, func(sc *scene) { sc.open(plain); c.script(sc); sc.at(time.Minute) })
			sc.endsAfter(t, c.lasts, events.ReasonQuiet)
		})
	}
}

func TestDrippingHandshakeEndsAtTheTimeout(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.peer.readHandshake()
		for _, b := range answer(plain) {
			sc.send([]byte{b})
			time.Sleep(time.Second)
		}
	})
	if sc.outcome.Opened || sc.outcome.Failure != events.ReasonTimeout || sc.lasted != 6*time.Second {
		t.Errorf("after %v: %+v", sc.lasted, sc.outcome)
	}
}

func TestStopping(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(plain)
		sc.send(frame(events.Bitfield, 0x80, 0))
		sc.at(time.Minute + time.Second)
		sc.stop()
		sc.at(2 * time.Minute)
	})
	sc.endsAfter(t, 61*time.Second, events.ReasonStopping)
	if sc.count(events.KindSessionClosed) != 1 {
		t.Error("the end of the session is not recorded")
	}
}

func TestGivingWay(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.open(plain)
		synctest.Wait()
		if opened := sc.contact.Progress.Opened(); opened != events.TimeOf(sc.began) || sc.contact.Progress.Pieces().Known {
			t.Errorf("opened at %v, pieces %v, want opened at once and nothing known of the pieces", opened, sc.contact.Progress.Pieces())
		}
		sc.send(frame(events.Bitfield, 0x80, 0))
		sc.at(time.Minute + time.Second)
		sc.giveWay()
		sc.at(2 * time.Minute)
	})
	sc.endsAfter(t, 61*time.Second, events.ReasonSlotNeeded)
	if sc.count(events.KindSessionClosed) != 1 || sc.contact.Progress.Pieces() != events.Some(1) {
		t.Errorf("the end of the session is not recorded, or the progress is %v, want 1", sc.contact.Progress.Pieces())
	}
}

// What was read in the moment of the stop is recorded.
func TestStoppingLosesNothingThatWasRead(t *testing.T) {
	var stop func()
	stopAtHave := func(s *served) {
		s.Dialer = hookedDialer{s.Dialer, func(read []byte) {
			if bytes.Contains(read, have(3)) {
				stop()
			}
		}}
	}
	sc := play(t, stopAtHave, func(sc *scene) {
		stop = sc.stop
		sc.open(plain)
		sc.send(frame(events.Bitfield, 0x80, 0))
		sc.at(time.Second)
		sc.send(have(3))
		sc.at(time.Minute)
	})
	sc.endsAfter(t, time.Second, events.ReasonStopping)
	if sc.count(events.KindHaveReceived) != 1 || sc.outcome.Pieces != events.Some(2) {
		t.Errorf("%d haves recorded, outcome %+v; want the have that was read", sc.count(events.KindHaveReceived), sc.outcome)
	}
}

// hookedDialer shows all that its connections read.
type hookedDialer struct {
	session.Dialer
	hook func(read []byte)
}

func (d hookedDialer) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	conn, err := d.Dialer.Dial(ctx, to)
	return hookedConn{conn, d.hook}, err
}

type hookedConn struct {
	net.Conn
	hook func(read []byte)
}

func (c hookedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.hook(b[:n])
	return n, err
}

// A peer that reads nothing makes our messages fail; what it sends is taken in for a while yet.
func TestPeerThatReadsNothing(t *testing.T) {
	sc := play(t, stay, func(sc *scene) {
		sc.peer.shake(modern)
		sc.at(8 * time.Second)
		sc.send(frame(events.Bitfield, 0x80, 0))
		sc.at(time.Minute)
	})
	sc.endsAfter(t, 12*time.Second, events.ReasonTimeout)
	if sc.outcome.Pieces != events.Some(1) || sc.count(events.KindMessageSent) != 0 {
		t.Errorf("outcome %+v, %d messages sent", sc.outcome, sc.count(events.KindMessageSent))
	}
}

// Answers to our own questions, keep-alives and repetitions are no news: how long those let us wait says nothing about a visit's timeout.
func TestWaitsForContentAreMeasuredApart(t *testing.T) {
	sc := play(t, visit, func(sc *scene) {
		sc.open(plain)
		sc.at(time.Second)
		sc.send(frame(events.Bitfield, 0x80, 0))
		sc.at(4 * time.Second)
		sc.send(frame(events.Choke))
		sc.at(6 * time.Second)
		sc.send(have(3))
		sc.at(time.Minute)
	})
	records := sc.log.Records()
	closed := records[len(records)-1].Event.(*events.SessionClosed)
	if closed.LongestWait != 3*time.Second || closed.LongestContentWait != 5*time.Second {
		t.Errorf("longest wait %v, for content %v, want 3s and 5s", closed.LongestWait, closed.LongestContentWait)
	}
}
