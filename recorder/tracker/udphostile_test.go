package tracker

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"btda/events"
)

// stranger is a socket that nobody asked.
func stranger(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// noise is what comes before the good answer to an announce, and the fact that becomes of it.
type noise struct {
	name   string
	make   func(s *udpServer, q udpQuestion)
	reason events.Reason
	count  uint64
	bytes  uint64
}

func noises(other *net.UDPConn) []noise {
	good := func(q udpQuestion) []byte { return slices.Concat(q.head(1), raw32(1, 1, 1)) }
	return []noise{
		{"nothing at all", func(s *udpServer, q udpQuestion) { s.send(q.from) }, events.ReasonTruncated, 1, 0},
		{"half a head", func(s *udpServer, q udpQuestion) { s.send(q.from, q.head(1)[:7]) }, events.ReasonTruncated, 1, 7},
		{"only a head", func(s *udpServer, q udpQuestion) { s.send(q.from, q.head(1)) }, events.ReasonTruncated, 1, 8},
		{"cut before the peers", func(s *udpServer, q udpQuestion) { s.send(q.from, good(q)[:19]) }, events.ReasonTruncated, 1, 19},
		{"another action", func(s *udpServer, q udpQuestion) { s.send(q.from, q.head(2), raw32(1, 2, 3)) }, events.ReasonMalformed, 1, 20},
		{"an unknown action", func(s *udpServer, q udpQuestion) { s.send(q.from, q.head(77), raw32(1, 2, 3)) }, events.ReasonMalformed, 1, 20},
		{"another transaction", func(s *udpServer, q udpQuestion) {
			q.transaction++
			s.send(q.from, good(q))
		}, events.ReasonWrongTransaction, 1, 20},
		{"the connect answered again", func(s *udpServer, q udpQuestion) {
			s.send(q.from, s.questions(0)[0].head(0), raw64(1))
		}, events.ReasonDuplicate, 1, 16},
		{"another sender", func(_ *udpServer, q udpQuestion) { other.WriteToUDPAddrPort(good(q), q.from) }, events.ReasonWrongSender, 1, 20},
		{"an error from another sender", func(_ *udpServer, q udpQuestion) { other.WriteToUDPAddrPort(q.head(3), q.from) }, events.ReasonWrongSender, 1, 8},
		{"many", func(s *udpServer, q udpQuestion) {
			for range 20 { // few enough for the buffer of a socket
				s.send(q.from, q.head(9), bytes.Repeat([]byte("x"), 1100))
			}
		}, events.ReasonMalformed, 20, 20 * 1108},
	}
}

// What is no answer is recorded and not used: the good answer that follows is.
func TestUDPNoiseBeforeAnswer(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		other := stranger(t, address)
		for _, n := range noises(other) {
			t.Run(address+" "+n.name, func(t *testing.T) {
				s := serveUDP(t, address, func(s *udpServer, q udpQuestion) {
					if q.action == 1 {
						n.make(s, q)
					}
					s.good(q)
				})
				got := udpClient(t).Announce(t.Context(), s.url, testRequest())
				if n.reason == events.ReasonWrongSender {
					// The two sockets are not in order: the noise may come after the answer.
					if got.Failure != nil {
						t.Fatalf("failed: %+v", got.Failure)
					}
				} else {
					checkGood(t, s, got)
					checkIgnored(t, s, got.Ignored, n)
				}
			})
		}
	}
}

func checkIgnored(t *testing.T, s *udpServer, facts []*events.TrackerAnswersIgnored, n noise) {
	t.Helper()
	if len(facts) != 1 {
		t.Fatalf("%d facts: %+v", len(facts), facts)
	}
	f := facts[0]
	if f.Reason != n.reason || f.Count != n.count || f.Bytes != n.bytes || f.Torrent != 7 || f.Tracker != s.url || f.Since == 0 ||
		f.Remote.String() != s.LocalAddr().String() || f.From != f.Remote || uint64(len(f.Answer)) != min(n.bytes/n.count, maxKept) {
		t.Errorf("fact %+v, want %s: %v, %d datagrams, %d bytes", f, n.name, n.reason, n.count, n.bytes)
	}
}

// Answers of another sender only: they are recorded, and the tracker has not answered.
func TestUDPWrongSenderOnly(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1", "::1"} {
		other := stranger(t, address)
		s := serveUDP(t, address, func(s *udpServer, q udpQuestion) {
			if q.action == 0 {
				other.WriteToUDPAddrPort(slices.Concat(q.head(0), raw64(5)), q.from)
			}
		})
		got := udpClient(t, func(c *Config) { c.Timeout = 800 * time.Millisecond }).Announce(t.Context(), s.url, testRequest())
		if f := got.Failure; f == nil || f.Reason != events.ReasonTimeout || f.Phase != events.PhaseTransaction || got.Sent {
			t.Errorf("failure %+v", f)
		}
		if len(got.Ignored) != 1 || got.Ignored[0].Reason != events.ReasonWrongSender || got.Ignored[0].From.String() != other.LocalAddr().String() ||
			got.Ignored[0].Count < 2 || got.Ignored[0].Remote.String() != s.LocalAddr().String() {
			t.Errorf("ignored %+v", got.Ignored)
		}
	}
}

// A tracker that answers nothing of use, to the connect, the announce or the scrape.
func TestUDPFailures(t *testing.T) {
	cases := []struct {
		name   string
		action uint32 // that is answered badly
		answer func(q udpQuestion) []byte
		reason events.Reason
		phase  events.Phase
		text   string
	}{
		{"silence to connect", 0, nil, events.ReasonTimeout, events.PhaseTransaction, ""},
		{"silence to announce", 1, nil, events.ReasonTimeout, events.PhaseAnswer, ""},
		{"a cut connection id", 0, func(q udpQuestion) []byte { return append(q.head(0), 1, 2, 3) }, events.ReasonTruncated, events.PhaseTransaction, ""},
		{"a cut announce", 1, func(q udpQuestion) []byte { return append(q.head(1), 1, 2, 3) }, events.ReasonTruncated, events.PhaseAnswer, ""},
		{"another action", 1, func(q udpQuestion) []byte { return append(q.head(0), raw64(7)...) }, events.ReasonMalformed, events.PhaseAnswer, ""},
		{"other transactions", 1, func(q udpQuestion) []byte { return raw32(1, q.transaction+1, 1, 2, 3) }, events.ReasonTimeout, events.PhaseAnswer, ""},
		{"an error to connect", 0, func(q udpQuestion) []byte { return append(q.head(3), "overload\x00"...) }, events.ReasonTrackerFailure, events.PhaseTransaction, "overload"},
		{"an error to announce", 1, func(q udpQuestion) []byte { return append(q.head(3), "unregistered"...) }, events.ReasonTrackerFailure, events.PhaseAnswer, "unregistered"},
		{"an error without a text", 1, func(q udpQuestion) []byte { return q.head(3) }, events.ReasonTrackerFailure, events.PhaseAnswer, ""},
		{"a long error", 1, func(q udpQuestion) []byte { return append(q.head(3), strings.Repeat("x", 60_000)...) }, events.ReasonTrackerFailure,
			events.PhaseAnswer, strings.Repeat("x", maxText)},
	}
	client := udpClient(t, func(c *Config) { c.Timeout = 1500 * time.Millisecond })
	servers, outcomes := make([]*udpServer, len(cases)), make([]Announcement, len(cases))
	var asking sync.WaitGroup
	for i, c := range cases {
		servers[i] = serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
			switch {
			case q.action != c.action:
				s.good(q)
			case c.answer != nil:
				s.send(q.from, c.answer(q))
			}
		})
		asking.Go(func() { outcomes[i] = client.Announce(t.Context(), servers[i].url, testRequest()) })
	}
	asking.Wait()
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, got := servers[i], outcomes[i]
			f := got.Failure
			if f == nil || f.Reason != c.reason || f.Phase != c.phase || f.Text != c.text || f.Remote.String() != s.LocalAddr().String() || f.RetryIn.Known {
				t.Fatalf("failure %+v", f)
			}
			if got.Sent != (c.action == 1) || got.Never {
				t.Errorf("sent %v, never %v", got.Sent, got.Never)
			}
			if badly := c.answer != nil && f.Reason != events.ReasonTrackerFailure; badly != (len(got.Ignored) > 0) {
				t.Errorf("ignored %+v", got.Ignored)
			}
			if kept := f.Reason == events.ReasonTruncated || f.Reason == events.ReasonMalformed; kept != (len(f.Answer) > 0) {
				t.Errorf("kept %q", f.Answer)
			}
		})
	}
}

func TestUDPScrapeFailures(t *testing.T) {
	t.Parallel()
	for reason, answer := range map[events.Reason]string{
		events.ReasonScrapeMissing: "", events.ReasonTruncated: "\x00\x00\x00\x05\x00\x00\x00\x06\x00\x00\x00",
	} {
		s := serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
			if q.action == 2 {
				s.send(q.from, q.head(2), []byte(answer))
				return
			}
			s.good(q)
		})
		got := udpClient(t, func(c *Config) { c.Timeout = time.Second }).Scrape(t.Context(), s.url, testRequest())
		if got.Failure == nil || got.Failure.Reason != reason || got.Failure.Phase != events.PhaseAnswer {
			t.Errorf("%+v, want %v", got.Failure, reason)
		}
	}
}

// Answers that come three times are recorded and taken once: those to the connect by the announce, those to the announce by itself or
// by the scrape that follows.
func TestUDPDuplicateAnswers(t *testing.T) {
	s := serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
		s.good(q)
		s.good(q)
		s.good(q)
	})
	c := udpClient(t)
	announced := c.Announce(t.Context(), s.url, testRequest())
	checkGood(t, s, announced)
	got := c.Scrape(t.Context(), s.url, testRequest())
	if got.Failure != nil || got.Answer.Completed != events.Some(6) {
		t.Fatalf("%+v, %+v", got.Answer, got.Failure)
	}
	var count uint64
	for _, f := range append(announced.Ignored, got.Ignored...) {
		if count += f.Count; f.Reason != events.ReasonDuplicate {
			t.Errorf("ignored %+v", f)
		}
	}
	if count < 4 {
		t.Errorf("%d duplicates, want at least 4", count)
	}
}

// One tracker that floods, and one that is silent, do not touch a third.
func TestUDPTrackersAreApart(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	flooding := serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
		for junk := bytes.Repeat([]byte("x"), 1400); ; {
			select {
			case <-stop:
				return
			default:
				s.send(q.from, junk)
			}
		}
	})
	silent := serveUDP(t, "127.0.0.1", func(*udpServer, udpQuestion) {})
	good := serveUDP(t, "127.0.0.1", nil)
	c := udpClient(t, func(c *Config) { c.Timeout = 2 * time.Second })
	outcomes := make(chan Announcement, 2)
	for _, bad := range []*udpServer{flooding, silent} {
		go func() { outcomes <- c.Announce(t.Context(), bad.url, testRequest()) }()
	}
	for range 50 {
		checkGood(t, good, c.Announce(t.Context(), good.url, testRequest()))
	}
	var facts int
	for range 2 {
		got := <-outcomes
		facts += len(got.Ignored)
		if got.Failure == nil || got.Failure.Reason != events.ReasonTimeout {
			t.Errorf("%+v", got.Failure)
		}
	}
	close(stop)
	if facts != 1 {
		t.Errorf("%d facts of a flood, want 1", facts)
	}
}
