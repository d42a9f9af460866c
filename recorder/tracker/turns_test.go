package tracker

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

// Of many torrents on one tracker, a few ask at one time, and all get their answers. Another tracker has turns of its own meanwhile.
func TestManyTorrentsOnOneTracker(t *testing.T) {
	const torrents = 40
	var mu sync.Mutex
	var now, most int
	waiting := make(chan struct{}, torrents)
	answer := make(chan struct{})
	crowded := served(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		waiting <- struct{}{}
		<-answer
		mu.Lock()
		now--
		mu.Unlock()
		io.WriteString(w, "d5:peers0:e")
	})
	other := served(t, saying("d5:peers0:e"))
	client := testClient()
	var asking sync.WaitGroup
	for range torrents {
		asking.Go(func() {
			if got := client.Announce(t.Context(), crowded+"/announce", testRequest()); got.Failure != nil {
				t.Errorf("failed: %+v", got.Failure)
			}
		})
	}
	for range maxAtOnce {
		<-waiting
	}
	if got := client.Announce(t.Context(), other+"/announce", testRequest()); got.Failure != nil {
		t.Errorf("another tracker: %+v", got.Failure)
	}
	close(answer)
	asking.Wait()
	if most != maxAtOnce {
		t.Errorf("%d requests at one time, want %d", most, maxAtOnce)
	}
	if len(client.turns.servers) != 0 {
		t.Errorf("%d servers are remembered, of which nothing is wanted", len(client.turns.servers))
	}
}

// Who waits for a turn is not slow; who is told to stop, or brings the last word, does not wait for ever.
func TestWaitingForATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeTracker(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		defer p.server.Close()
		a := announcerOf(p, eventstest.NewLog())
		stopping, stop := context.WithCancel(t.Context())
		type result struct {
			took    time.Duration
			failure *events.TrackerAnnounceFailed
		}
		began := time.Now()
		ask := func(ctx context.Context, event events.AnnounceEvent) chan result {
			done := make(chan result, 1)
			go func() {
				r := a.Request
				r.Event = event
				got := a.Client.Announce(ctx, a.Tracker, r)
				done <- result{time.Since(began), got.Failure}
			}()
			synctest.Wait()
			return done
		}
		for range maxAtOnce {
			ask(t.Context(), events.AnnounceRegular)
		}
		time.Sleep(time.Second)
		patient, told, last := ask(t.Context(), events.AnnounceRegular), ask(stopping, events.AnnounceRegular), ask(t.Context(), events.AnnounceStopped)
		time.Sleep(time.Second)
		stop()
		for name, c := range map[string]struct {
			done   chan result
			took   time.Duration
			lasted time.Duration
			reason events.Reason
		}{
			"one that waits":  {patient, 12 * time.Second, 6 * time.Second, events.ReasonTimeout},
			"one that stops":  {told, 2 * time.Second, time.Second, events.ReasonCanceled},
			"one that leaves": {last, 7 * time.Second, time.Second, events.ReasonTimeout},
		} {
			got := <-c.done
			if got.failure == nil || got.took != c.took || got.failure.Reason != c.reason || got.failure.Duration != c.lasted {
				t.Errorf("%s: after %v %+v, want %v after %v, of which %v are its request", name, got.took, got.failure, c.reason, c.took, c.lasted)
			}
		}
		synctest.Wait()
	})
}

// A server is one host and port, in whatever letters.
func TestServers(t *testing.T) {
	for text, want := range map[string]string{
		"http://T.example:80/a/announce": "http://t.example:80",
		"udp://t.example:80":             "udp://t.example:80",
	} {
		to, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := serverOf(to); got != want {
			t.Errorf("%s is of %s, want %s", text, got, want)
		}
	}
}

// Rounds wait longer by chance, a tenth at most.
func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeTracker(saying("d5:peers0:e"))
		defer p.server.Close()
		a := announcerOf(p, eventstest.NewLog())
		var longest []time.Duration
		a.Jitter = func(most time.Duration) time.Duration { longest = append(longest, most); return most / 2 }
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
		defer cancel()
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
		want := []string{"0s announce started", "0s scrape", "5m15s announce", "5m15s scrape", "10m30s announce", "10m30s scrape", "11m0s announce stopped"}
		if got := p.asked(); !slices.Equal(got, want) || slices.Max(longest) != 30*time.Second {
			t.Errorf("asked %q with jitters up to %v\nwant %q", got, longest, want)
		}
	})
}

// A tracker that is overloaded, and says for how long, is not asked for counts before.
func TestScrapesAreHeldBackByRetryAfter(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		base := served(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "900")
			w.WriteHeader(status)
		})
		got := testClient().Scrape(t.Context(), base+"/announce", testRequest())
		if got.Failure == nil || got.Failure.Reason != events.ReasonHTTPStatus || got.Wait != 15*time.Minute {
			t.Errorf("status %d: wait %v, %+v", status, got.Wait, got.Failure)
		}
	}
	var scrapes []string
	asked, _ := observe(t, saying("d5:peers0:e"), 21*time.Minute, func(p *pipeTracker) { p.retryAfter = "900" })
	for _, a := range asked {
		if strings.HasSuffix(a, "scrape") {
			scrapes = append(scrapes, a)
		}
	}
	if want := fmt.Sprint([]string{"0s scrape", "15m0s scrape"}); fmt.Sprint(scrapes) != want {
		t.Errorf("scrapes %v, want %v", scrapes, want)
	}
}
