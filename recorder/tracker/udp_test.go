package tracker

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"btda/events"
)

// The announce is that of BEP 15 byte by byte, with the URL data of BEP 41 behind it.
func TestUDPAnnounce(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			s := serveUDP(t, address, nil)
			c := udpClient(t)
			long := strings.Repeat("x", 300)
			checkGood(t, s, c.Announce(t.Context(), s.url+"?passkey=s%20cret&"+long, testRequest()))
			connects := s.questions(0)
			if len(connects) != 1 || connects[0].connection != 0x41727101980 || len(connects[0].packet) != 16 {
				t.Fatalf("%d connects, the first %+v", len(connects), connects[0])
			}
			q := s.questions(1)[0]
			data := "/announce?passkey=s%20cret&" + long
			want := slices.Concat(raw64(testConnection), raw32(1, q.transaction), testHash[:], []byte("-BT0001-abcdefghijkl"),
				raw64(50), raw64(51), raw64(20), raw32(2, 0), q.packet[88:92], raw32(200), []byte{6884 >> 8, 6884 & 255},
				[]byte("\x02\xff"+data[:255]), []byte{2, byte(len(data) - 255)}, []byte(data[255:]))
			if !bytes.Equal(q.packet, want) {
				t.Errorf("asked %x\nwant  %x", q.packet, want)
			}
			if q.transaction == connects[0].transaction {
				t.Error("one transaction id for two requests")
			}
		})
	}
}

func TestUDPEvents(t *testing.T) {
	s := serveUDP(t, "127.0.0.1", nil)
	c := udpClient(t)
	for _, e := range []events.AnnounceEvent{events.AnnounceRegular, events.AnnounceCompleted, events.AnnounceStarted, events.AnnounceStopped} {
		r := testRequest()
		r.Event = e
		checkGood(t, s, c.Announce(t.Context(), strings.TrimSuffix(s.url, "announce")+"announce", r))
	}
	for i, q := range s.questions(1) {
		wanted := uint32(200)
		if i == 3 {
			wanted = 0
		}
		if !bytes.Equal(q.packet[80:84], raw32(uint32(i))) || !bytes.Equal(q.packet[92:96], raw32(wanted)) {
			t.Errorf("event %x and %x peers wanted in announce %d", q.packet[80:84], q.packet[92:96], i)
		}
	}
}

func TestUDPScrape(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		s := serveUDP(t, address, nil)
		got := udpClient(t).Scrape(t.Context(), s.url, testRequest())
		if got.Failure != nil {
			t.Fatalf("failed: %+v", got.Failure)
		}
		a := got.Answer
		if a.Seeders != events.Some(5) || a.Completed != events.Some(6) || a.Leechers != events.Some(7) || a.Downloaders.Known || a.Torrent != 7 ||
			a.Remote.String() != s.LocalAddr().String() {
			t.Errorf("answer %+v", a)
		}
		q := s.questions(2)[0]
		if want := slices.Concat(raw64(testConnection), raw32(2, q.transaction), testHash[:]); !bytes.Equal(q.packet, want) {
			t.Errorf("asked %x\nwant  %x", q.packet, want)
		}
	}
}

// The largest datagram is read whole.
func TestUDPLargestAnswer(t *testing.T) {
	const named = 10_914 // with the 20 bytes before, 65,504 of the 65,507 bytes that fit
	s := serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
		if q.action == 1 {
			s.send(q.from, q.head(1), raw32(1800, 4, 3), bytes.Repeat([]byte("\x01\x02\x03\x04\x00\x05"), named), []byte("cut"))
			return
		}
		s.good(q)
	})
	got := udpClient(t).Announce(t.Context(), s.url, testRequest())
	if got.Failure != nil || got.Answer.Peers.Len() != maxPeers || got.Answer.InvalidPeers != 1 {
		t.Fatalf("%+v, failure %+v", got.Answer, got.Failure)
	}
	if want := (events.LimitReached{Torrent: 7, Limit: events.LimitAnswerPeers, Value: named, Bound: maxPeers}); got.Limit == nil || *got.Limit != want {
		t.Errorf("limit %+v, want %+v", got.Limit, want)
	}
}

// Numbers that are negative are unknown, never 0.
func TestUDPNegativeNumbers(t *testing.T) {
	s := serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
		switch q.action {
		case 0:
			s.good(q)
		case 1:
			s.send(q.from, q.head(1), raw32(1<<31, 1<<32-1, 1<<31-1))
		case 2:
			s.send(q.from, q.head(2), raw32(1<<31, 0, 1<<32-1))
		}
	})
	c := udpClient(t)
	if a := c.Announce(t.Context(), s.url, testRequest()).Answer; a == nil || a.Interval.Known || a.Leechers.Known || a.Seeders != events.Some(1<<31-1) {
		t.Errorf("answer %+v", a)
	}
	if a := c.Scrape(t.Context(), s.url, testRequest()).Answer; a == nil || a.Seeders.Known || a.Completed != events.Some(0) || a.Leechers.Known {
		t.Errorf("scrape %+v", a)
	}
}

// What is lost is sent again, with the same transaction id.
func TestUDPResends(t *testing.T) {
	t.Parallel()
	var asking sync.WaitGroup
	for _, action := range []uint32{0, 1, 2} {
		lost := 0
		s := serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
			if q.action == action && lost < 2 {
				lost++
				return
			}
			s.good(q)
		})
		asking.Go(func() { checkResent(t, s, action) })
	}
	asking.Wait()
}

func checkResent(t *testing.T, s *udpServer, action uint32) {
	c := udpClient(t, func(c *Config) { c.Timeout = 3 * time.Second })
	answered := false
	if action == 2 {
		answered = c.Scrape(t.Context(), s.url, testRequest()).Answer != nil
	} else {
		answered = c.Announce(t.Context(), s.url, testRequest()).Answer != nil
	}
	questions := s.questions(action)
	if len(questions) < 3 || !answered {
		t.Errorf("%d datagrams of action %d, want at least 3; answered: %v", len(questions), action, answered)
		return
	}
	for _, q := range questions[1:] {
		if !bytes.Equal(q.packet, questions[0].packet) {
			t.Errorf("sent again %x\nafter      %x", q.packet, questions[0].packet)
		}
	}
}

// A connection id is used for a minute, by all requests, and then asked for anew.
func TestUDPConnectionReuse(t *testing.T) {
	var mu sync.Mutex
	now := events.Time(1)
	clock := func() events.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	s := serveUDP(t, "127.0.0.1", nil)
	c := udpClient(t, func(c *Config) { c.Now = clock })
	var requests sync.WaitGroup
	for range 20 {
		requests.Go(func() {
			if got := c.Announce(t.Context(), s.url, testRequest()); got.Failure != nil {
				t.Errorf("%+v", got.Failure)
			}
		})
	}
	requests.Wait()
	if n := len(s.questions(0)); n != 1 {
		t.Errorf("%d connects for 20 requests at one time, want 1", n)
	}
	for i, step := range []struct {
		wait     time.Duration
		connects int
	}{{59 * time.Second, 1}, {time.Second, 2}, {59 * time.Second, 2}} {
		mu.Lock()
		now = now.Add(step.wait)
		mu.Unlock()
		checkGood(t, s, c.Announce(t.Context(), s.url, testRequest()))
		if n := len(s.questions(0)); n != step.connects {
			t.Errorf("step %d: %d connects, want %d", i, n, step.connects)
		}
	}
	for _, q := range s.questions(1) {
		if q.from != s.questions(0)[0].from {
			t.Errorf("asked from %v and %v: some trackers tie a connection id to a port", q.from, s.questions(0)[0].from)
		}
	}
}

// A tracker that was started again knows no connection id from before: it says nothing, or refuses.
func TestUDPConnectionForgotten(t *testing.T) {
	t.Parallel()
	for _, refusing := range []bool{false, true} {
		forgotten := false
		s := serveUDP(t, "127.0.0.1", func(s *udpServer, q udpQuestion) {
			switch {
			case q.action == 0 && forgotten:
				s.send(q.from, q.head(0), raw64(99))
			case q.action == 1 && forgotten && q.connection != 99:
				if refusing {
					s.send(q.from, q.head(3), []byte("bad connection id"))
				}
			default:
				s.good(q)
			}
			forgotten = forgotten || q.action == 1
		})
		c := udpClient(t, func(c *Config) { c.Timeout = 8 * time.Second })
		checkGood(t, s, c.Announce(t.Context(), s.url, testRequest()))
		if refusing {
			if got := c.Announce(t.Context(), s.url, testRequest()); got.Failure == nil || got.Failure.Text != "bad connection id" {
				t.Errorf("%+v", got)
			}
		}
		checkGood(t, s, c.Announce(t.Context(), s.url, testRequest()))
		if n := len(s.questions(0)); n != 2 {
			t.Errorf("%d connects, want 2", n)
		}
	}
}

// Datagrams come from the address that was asked for, of either family.
func TestUDPBind(t *testing.T) {
	local := []netip.Addr{netip.IPv6Loopback(), netip.MustParseAddr("127.0.0.77")}
	c := udpClient(t, func(c *Config) { c.Bind = local })
	for i, address := range []string{"::1", "127.0.0.1"} {
		s := serveUDP(t, address, nil)
		checkGood(t, s, c.Announce(t.Context(), s.url, testRequest()))
		if from := s.questions(1)[0].from.Addr().Unmap(); from != local[i] {
			t.Errorf("from %v, want %v", from, local[i])
		}
	}
	s := serveUDP(t, "::1", nil)
	only4 := udpClient(t, func(c *Config) { c.Bind = local[1:] })
	if got := only4.Announce(t.Context(), s.url, testRequest()); got.Failure == nil || got.Failure.Reason != events.ReasonNoLocalAddress || got.Failure.Phase != events.PhaseDial {
		t.Errorf("without an address of the family: %+v", got.Failure)
	}
}

// A line that nobody uses is closed, one that is in use is not; the next request opens a new one.
func TestUDPIdleLine(t *testing.T) {
	s := serveUDP(t, "127.0.0.1", nil)
	c := udpClient(t)
	lines := c.protocols["udp"].(*overUDP).lines
	checkGood(t, s, c.Announce(t.Context(), s.url, testRequest()))
	used, err := lines.get(t.Context(), address(s.LocalAddr().String()).AddrPort)
	if err != nil {
		t.Fatal(err)
	}
	lines.closeIdle(used)
	if used.failed() {
		t.Error("closed while in use")
	}
	lines.release(used)
	lines.closeIdle(used)
	if !used.failed() || len(lines.byPeer) != 0 {
		t.Errorf("not closed; %d lines are left", len(lines.byPeer))
	}
	checkGood(t, s, c.Announce(t.Context(), s.url, testRequest()))
	if from := s.questions(0); len(from) != 2 || from[0].from == from[1].from {
		t.Errorf("connects %v, want two from two ports", from)
	}
}

// After Close a request fails, and one that is under way ends.
func TestUDPClose(t *testing.T) {
	asked := make(chan struct{}, 8)
	s := serveUDP(t, "127.0.0.1", func(*udpServer, udpQuestion) { asked <- struct{}{} })
	c := testClient()
	done := make(chan Announcement)
	go func() { done <- c.Announce(t.Context(), s.url, testRequest()) }()
	<-asked
	c.Close()
	for _, got := range []Announcement{<-done, c.Announce(t.Context(), s.url, testRequest())} {
		if got.Failure == nil || got.Failure.Reason != events.ReasonCanceled {
			t.Errorf("%+v", got.Failure)
		}
	}
}
