package session_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/recorder/session"
)

// slowDialer connects after a time.
type slowDialer struct {
	conn net.Conn
	time time.Duration
}

func (d slowDialer) Dial(context.Context, netip.AddrPort) (net.Conn, error) {
	time.Sleep(d.time)
	return d.conn, nil
}

// A contact that is recalled ends with its reason, whatever it waits for.
func TestRecall(t *testing.T) {
	for name, c := range map[string]struct {
		at      time.Duration // of the recall
		failure events.Reason
		closed  events.Reason
		lasts   time.Duration
	}{
		"before it begins":    {0, events.ReasonSlotNeeded, 0, 2 * time.Second},
		"while it is dialled": {time.Second, events.ReasonSlotNeeded, 0, 2 * time.Second},
		"in the handshake":    {3 * time.Second, events.ReasonSlotNeeded, 0, 3 * time.Second},
		"in the session":      {9 * time.Second, 0, events.ReasonSlotNeeded, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				s := newServed(slowDialer{ours, 2 * time.Second}, netip.MustParseAddrPort("192.0.2.7:6881"))
				s.contact.Recall = new(session.Recall)
				began := time.Now()
				played := make(chan struct{})
				go func() {
					defer close(played)
					p := peer{t, theirs}
					b := make([]byte, 68)
					if _, err := theirs.Read(b); err != nil {
						return // it was recalled before
					}
					time.Sleep(2 * time.Second)
					if _, err := theirs.Write(answer(plain)); err == nil {
						p.untilLeft()
					}
				}()
				time.AfterFunc(c.at, func() {
					s.contact.Recall.End(session.ErrSlotNeeded)
					s.contact.Recall.End(errors.New("only the first counts"))
				})
				if c.at == 0 {
					s.contact.Recall.End(session.ErrSlotNeeded)
				}
				outcome := s.Contact(t.Context(), &s.contact)
				if took := time.Since(began); outcome.Failure != c.failure || outcome.Closed != c.closed || took != c.lasts {
					t.Errorf("after %v: %+v, want after %v failure %v or close %v", took, outcome, c.lasts, c.failure, c.closed)
				}
				<-played
			})
		})
	}
}

// All sessions of a context end with it, and those of another go on.
func TestContextsOfManySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, stopFirst := context.WithCancel(t.Context())
		second, stopSecond := context.WithCancel(t.Context())
		defer stopSecond()
		o := newServed(nil, netip.AddrPort{})
		arrive := func(ctx context.Context) (ended chan session.Outcome) {
			ours, theirs := net.Pipe()
			ended = make(chan session.Outcome, 1)
			go func() {
				theirs.Write(answer(plain))
				peer{t, theirs}.untilLeft()
			}()
			go func() {
				ended <- o.Serve(ctx, &session.Arrival{Conn: ours, Address: netip.MustParseAddrPort("192.0.2.7:6881"), Transport: events.TCP,
					Admit: func(events.InfoHash) (session.Torrent, error) { return torrent(), nil }})
			}()
			return ended
		}
		ends := []chan session.Outcome{arrive(first), arrive(second), arrive(first), arrive(first)}
		synctest.Wait()
		stopFirst()
		synctest.Wait()
		for i, ended := range ends {
			if i == 1 {
				if len(ended) != 0 {
					t.Error("a session ended with the context of others")
				}
				continue
			}
			if outcome := <-ended; outcome.Closed != events.ReasonStopping {
				t.Errorf("session %d: %+v, want its end", i, outcome)
			}
		}
		stopSecond()
		<-ends[1]
	})
}
