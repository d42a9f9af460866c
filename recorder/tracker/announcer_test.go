package tracker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

// pipeTracker is an HTTP tracker over in-memory connections, since a testing/synctest bubble has no sockets.
type pipeTracker struct {
	conns  chan net.Conn
	server *http.Server

	mu       sync.Mutex
	start    time.Time
	requests []string // time since the start, and what was asked
	announce func(w http.ResponseWriter, r *http.Request)
	scrape   string

	retryAfter string // of scrapes, which fail then; empty lets them be answered
}

func newPipeTracker(announce http.HandlerFunc) *pipeTracker {
	p := &pipeTracker{conns: make(chan net.Conn), start: time.Now(), announce: announce, scrape: "d5:filesdee"}
	p.server = &http.Server{Handler: p}
	go p.server.Serve(p)
	return p
}

// Accept is that of net.Listener.
func (p *pipeTracker) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close is that of net.Listener.
func (p *pipeTracker) Close() error { close(p.conns); return nil }

// Addr is that of net.Listener.
func (p *pipeTracker) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipeTracker) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipeTracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	asked := fmt.Sprintf("%v %s %s", time.Since(p.start).Round(time.Millisecond), strings.Trim(r.URL.Path, "/"), r.URL.Query().Get("event"))
	p.requests = append(p.requests, strings.TrimSpace(asked))
	p.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/scrape") {
		if p.retryAfter != "" {
			w.Header().Set("Retry-After", p.retryAfter)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, p.scrape)
		return
	}
	p.announce(w, r)
}

func (p *pipeTracker) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// announcerOf gives an announcer of a pipe tracker with a wished interval of 5 min and a timeout of 6 s.
func announcerOf(p *pipeTracker, log events.Appender) *Announcer {
	h := newHTTP(Config{PeerID: events.PeerID([]byte("-BT0001-abcdefghijkl")), Port: 6884, Timeout: 6 * time.Second}, 1)
	h.dialer = p.dial
	client := &Client{config: Config{Timeout: 6 * time.Second, Now: log.Now}, protocols: map[string]protocol{"http": h}}
	return &Announcer{Client: client, Log: log, Tracker: "http://127.0.0.1/announce", Request: testRequest(), Interval: 5 * time.Minute}
}

// observe runs an announcer for a time and gives what the tracker was asked.
func observe(t *testing.T, announce http.HandlerFunc, length time.Duration, change ...func(*pipeTracker)) (asked []string, log *eventstest.Log) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPipeTracker(announce)
		defer p.server.Close()
		for _, f := range change {
			f(p)
		}
		log = eventstest.NewLog()
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		if err := announcerOf(p, log).Run(ctx); err != nil {
			t.Error(err)
		}
		asked = p.asked()
	})
	return asked, log
}

func TestAnnouncerTiming(t *testing.T) {
	cases := []struct {
		name   string
		answer string
		length time.Duration
		want   []string
	}{
		{"min interval below the wish", "d8:intervali1800e12:min intervali60e5:peers0:e", 11 * time.Minute,
			[]string{"0s announce started", "0s scrape", "5m0s announce", "5m0s scrape", "10m0s announce", "10m0s scrape", "11m0s announce stopped"}},
		{"min interval is law", "d8:intervali1800e12:min intervali900e5:peers0:e", 20 * time.Minute,
			[]string{"0s announce started", "0s scrape", "15m0s announce", "15m0s scrape", "20m0s announce stopped"}},
		{"an interval alone is law", "d8:intervali1800e5:peers0:e", 31 * time.Minute,
			[]string{"0s announce started", "0s scrape", "30m0s announce", "30m0s scrape", "31m0s announce stopped"}},
		{"no interval", "d5:peers0:e", 6 * time.Minute,
			[]string{"0s announce started", "0s scrape", "5m0s announce", "5m0s scrape", "6m0s announce stopped"}},
		{"an absurd interval", "d12:min intervali9223372036854775807e5:peers0:e", 25 * time.Hour,
			[]string{"0s announce started", "0s scrape", "24h0m0s announce", "24h0m0s scrape", "25h0m0s announce stopped"}},
		{"failures back off, and started is repeated", "le", 4 * time.Minute,
			[]string{"0s announce started", "0s scrape", "30s announce started", "30s scrape", "1m30s announce started", "1m30s scrape",
				"3m30s announce started", "3m30s scrape", "4m0s announce stopped"}},
		{"retry in", "d14:failure reason4:busy8:retry ini20ee", 21 * time.Minute,
			[]string{"0s announce started", "0s scrape", "20m0s announce started", "20m0s scrape", "21m0s announce stopped"}},
		{"never", "d14:failure reason4:away8:retry in5:nevere", 50 * time.Hour, []string{"0s announce started"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			asked, _ := observe(t, saying(c.answer), c.length)
			if !slices.Equal(asked, c.want) {
				t.Errorf("asked %q\nwant %q", asked, c.want)
			}
		})
	}
}

// A tracker that recovers is told started once more, and after that no more; its id comes back to it.
func TestAnnouncerRecovers(t *testing.T) {
	var ids []string
	asked, log := observe(t, func(w http.ResponseWriter, r *http.Request) {
		ids = append(ids, r.URL.Query().Get("trackerid"))
		if len(ids) == 1 {
			w.WriteHeader(500)
			return
		}
		io.WriteString(w, "d12:min intervali1e5:peers0:10:tracker id2:ide")
	}, 6*time.Minute)
	want := []string{"0s announce started", "0s scrape", "30s announce started", "30s scrape", "5m30s announce", "5m30s scrape", "6m0s announce stopped"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q\nwant %q", asked, want)
	}
	if want := []string{"", "", "id", "id"}; !slices.Equal(ids, want) {
		t.Errorf("tracker ids %q, want %q", ids, want)
	}
	var kinds []string
	for _, r := range log.Records() {
		kinds = append(kinds, r.Event.Kind().String())
	}
	failed, announced, scraped := events.KindTrackerAnnounceFailed.String(), events.KindTrackerAnnounced.String(), events.KindTrackerScrapeFailed.String()
	if want := []string{failed, scraped, announced, scraped, announced, scraped, announced}; !slices.Equal(kinds, want) {
		t.Errorf("events %q, want %q", kinds, want)
	}
}

// A tracker that never answers costs the timeout at the end, and no more; its outcome is recorded.
func TestAnnouncerStopsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeTracker(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		defer p.server.Close()
		log := eventstest.NewLog()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := announcerOf(p, log).Run(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("took %v, want 1s until the end and 6s for stopped", took)
		}
		records := log.Records()
		if len(records) != 2 {
			t.Fatalf("events:\n%s", eventstest.Format(records))
		}
		first, last := records[0].Event.(*events.TrackerAnnounceFailed), records[1].Event.(*events.TrackerAnnounceFailed)
		if first.Reason != events.ReasonCanceled || last.Reason != events.ReasonTimeout || last.Event != events.AnnounceStopped {
			t.Errorf("events:\n%s", eventstest.Format(records))
		}
	})
}

func TestAnnouncerHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hurry := make(chan struct{})
		p := newPipeTracker(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("event") == "stopped" {
				close(hurry)
			}
			<-r.Context().Done()
		})
		defer p.server.Close()
		a := announcerOf(p, eventstest.NewLog())
		a.Hurry = hurry
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := a.Run(ctx); err != nil || time.Since(start) != time.Second {
			t.Errorf("took %v, %v", time.Since(start), err)
		}
	})
}

// Peers are offered after their answer has its place in the log, with the scope of the tracker.
func TestAnnouncerOffers(t *testing.T) {
	base := served(t, saying("d5:peers6:\x7f\x00\x00\x01\x1a\xe1e"))
	log := eventstest.NewLog()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	offers := 0
	a := &Announcer{Client: testClient(), Log: log, Tracker: base + "/announce", Request: testRequest(), Interval: time.Hour}
	a.Offer = func(torrent events.TorrentNumber, source events.Source, from events.Scope, peers events.PeerList) {
		if torrent != 7 || source != events.SourceTracker || from != events.ScopeLoopback || peers.At(0) != address("127.0.0.1:6881") {
			t.Errorf("offered %v %v %v %v", torrent, source, from, peers)
		}
		if records := log.Records(); !eventstest.Has(events.KindTrackerAnnounced, 1)(records) {
			t.Errorf("offered before the event")
		}
		offers++
		cancel()
	}
	if err := a.Run(ctx); err != nil || offers != 2 { // started and stopped
		t.Errorf("%d offers, %v", offers, err)
	}
}

// A scheme that is not known is a fact once in every interval, and nobody is told stopped.
func TestAnnouncerUnsupportedScheme(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := eventstest.NewLog()
		a := &Announcer{Client: &Client{config: Config{Timeout: time.Second, Now: log.Now}}, Log: log, Tracker: "udp://127.0.0.1:1", Request: testRequest(), Interval: time.Minute}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
		failures := 0
		for _, r := range log.Records() {
			if f, ok := r.Event.(*events.TrackerAnnounceFailed); ok && f.Reason == events.ReasonUnsupportedScheme && f.Event == events.AnnounceStarted {
				failures++
			}
		}
		if failures != 3 {
			t.Errorf("%d failures, want 3 in 2.5 intervals:\n%s", failures, eventstest.Format(log.Records()))
		}
	})
}

// A log that fails ends the announcer with its error.
func TestAnnouncerLogFails(t *testing.T) {
	log := eventstest.NewLog()
	broken := errors.New("disk full")
	log.Fail(broken)
	a := &Announcer{Client: testClient(), Log: log, Tracker: served(t, saying("d5:peers0:e")) + "/announce", Request: testRequest(), Interval: time.Hour}
	if err := a.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// Who runs the recorder hears of a tracker that fails once, not at every try, and without its passkey.
func TestFirstFailureIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeTracker(saying("d14:failure reason4:busye"))
		defer p.server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		var said bytes.Buffer
		a := announcerOf(p, eventstest.NewLog())
		a.Tracker += "?passkey=secret"
		a.Text = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
		if text := said.String(); strings.Count(text, "announce failed") != 1 || !strings.Contains(text, "busy") || strings.Contains(text, "secret") {
			t.Errorf("said %q, want one failure with its text", text)
		}
	})
}
