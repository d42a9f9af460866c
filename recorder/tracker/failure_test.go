package tracker

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"btda/events"
)

// What a hostile or broken tracker answers, and the fact that becomes of it.
func TestHostileAnswers(t *testing.T) {
	raw := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, answer)
			conn.Close()
		}
	}
	cases := []struct {
		name    string
		handler http.HandlerFunc
		want    events.TrackerAnnounceFailed // reason, text, status, retry in
	}{
		{"a list", saying("l5:peerse"), failed(events.ReasonMalformed, 200)},
		{"an integer", saying("i5e"), failed(events.ReasonMalformed, 200)},
		{"nothing", saying(""), failed(events.ReasonMalformed, 200)},
		{"a web page", saying("<html><body>d5:peers0:e</body></html>"), failed(events.ReasonMalformed, 200)},
		{"an empty dictionary", saying("de"), failed(events.ReasonMalformed, 200)},
		{"peers that are a number", saying("d8:intervali60e5:peersi5ee"), failed(events.ReasonMalformed, 200)},
		{"peers that are a dictionary", saying("d8:intervali60e5:peersdee"), failed(events.ReasonMalformed, 200)},
		{"cut", saying("d5:peers6:abc"), failed(events.ReasonMalformed, 200)},
		{"a deep nest", saying(strings.Repeat("l", 1<<20)), failed(events.ReasonMalformed, 200)},
		{"a long string prefix", saying("d5:peers2147483647:e"), failed(events.ReasonMalformed, 200)},
		{"an endless body", endless, failed(events.ReasonTooLarge, 200)},
		{"endless headers", raw("HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Padding: "+strings.Repeat("x", 1000)+"\r\n", 200)), failed(events.ReasonTooLarge, 0)},
		{"no HTTP", raw("\x13BitTorrent protocol and more\r\n\r\n"), failed(events.ReasonMalformed, 0)},
		{"a body shorter than said", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd5:peers0:e"), failed(events.ReasonTruncated, 200)},
		{"hanging up", raw(""), failed(events.ReasonClosedByPeer, 0)},
		{"gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "\x1f\x8bbomb")
		}, failed(events.ReasonUnsupportedEncoding, 200)},
		{"not found", http.NotFound, failed(events.ReasonHTTPStatus, 404)},
		{"not found, with a failure reason", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			io.WriteString(w, "d14:failure reason4:gonee")
		}, events.TrackerAnnounceFailed{Reason: events.ReasonHTTPStatus, HTTPStatus: 404, Text: "gone"}},
		{"retry after", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(503)
		}, events.TrackerAnnounceFailed{Reason: events.ReasonHTTPStatus, HTTPStatus: 503, RetryIn: events.Some(120)}},
		{"failure reason", saying("d14:failure reason12:unregistered8:retry ini3ee"),
			events.TrackerAnnounceFailed{Reason: events.ReasonTrackerFailure, HTTPStatus: 200, Text: "unregistered", RetryIn: events.Some(180)}},
		{"failure reason with a text as retry in", saying("d14:failure reason0:8:retry in1:2e"),
			events.TrackerAnnounceFailed{Reason: events.ReasonTrackerFailure, HTTPStatus: 200, RetryIn: events.Some(120)}},
		{"failure reason of a wrong type, negative retry in", saying("d14:failure reasoni5e8:retry ini-3ee"), failed(events.ReasonTrackerFailure, 200)},
		{"a long failure reason", saying("d14:failure reason5000:" + strings.Repeat("x", 5000) + "e"),
			events.TrackerAnnounceFailed{Reason: events.ReasonTrackerFailure, HTTPStatus: 200, Text: strings.Repeat("x", maxText)}},
		{"redirects without end", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/announce", http.StatusFound) }, failed(events.ReasonRedirect, 302)},
		{"a redirect to another scheme", redirectTo("file:///etc/passwd"), failed(events.ReasonRedirect, 302)},
		{"a redirect to a place that is not a tracker's", redirectTo("/admin"), failed(events.ReasonRedirect, 0)},
		{"a redirect that climbs", redirectTo("/announce/../admin"), failed(events.ReasonRedirect, 0)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			base := served(t, c.handler)
			got := testClient().Announce(t.Context(), base+"/announce", testRequest())
			f := got.Failure
			if f == nil {
				t.Fatalf("an answer: %+v", got.Answer)
			}
			if f.Reason != c.want.Reason || f.Text != c.want.Text || f.HTTPStatus != c.want.HTTPStatus || f.RetryIn != c.want.RetryIn {
				t.Errorf("reason %v, text %.200q, status %d, retry in %v", f.Reason, f.Text, f.HTTPStatus, f.RetryIn)
				t.Errorf("want %v, text %.200q, status %d, retry in %v", c.want.Reason, c.want.Text, c.want.HTTPStatus, c.want.RetryIn)
			}
			if f.Remote.String() != strings.TrimPrefix(base, "http://") || len(f.Answer) > maxKept || f.Torrent != 7 || f.Event != events.AnnounceStarted {
				t.Errorf("remote %v, %d bytes kept, torrent %d, event %v", f.Remote, len(f.Answer), f.Torrent, f.Event)
			}
		})
	}
}

func failed(reason events.Reason, status uint16) events.TrackerAnnounceFailed {
	return events.TrackerAnnounceFailed{Reason: reason, HTTPStatus: status}
}

func redirectTo(place string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", place)
		w.WriteHeader(302)
	}
}

// endless answers until the client hangs up.
func endless(w http.ResponseWriter, _ *http.Request) {
	for block := []byte(strings.Repeat("d", 64<<10)); ; {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// The first KiB of an answer that could not be used is kept.
func TestAnswerKept(t *testing.T) {
	body := "<" + strings.Repeat("x", 5000)
	got := testClient().Announce(t.Context(), served(t, saying(body))+"/announce", testRequest())
	if got.Failure == nil || string(got.Failure.Answer) != body[:maxKept] {
		t.Errorf("kept %q", got.Failure.Answer)
	}
	if scraping := testClient().Scrape(t.Context(), served(t, saying(body))+"/announce", testRequest()); string(scraping.Failure.Answer) != body[:maxKept] {
		t.Errorf("kept %q of a scrape", scraping.Failure.Answer)
	}
}

func TestScrapeFailures(t *testing.T) {
	cases := []struct {
		name, body string
		want       events.Reason
	}{
		{"without the info hash", "d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei1eeee", events.ReasonScrapeMissing},
		{"without any", "d5:filesdee", events.ReasonScrapeMissing},
		{"no files", "de", events.ReasonMalformed},
		{"files of a wrong type", "d5:filesle" + "e", events.ReasonMalformed},
		{"entry of a wrong type", "d5:filesd20:" + string(testHash[:]) + "i5eee", events.ReasonMalformed},
		{"entry without counts", "d5:filesd20:" + string(testHash[:]) + "deee", events.ReasonMalformed},
		{"negative counts", "d5:filesd20:" + string(testHash[:]) + "d8:completei-1eeee", events.ReasonMalformed},
		{"refused", "d14:failure reason2:noe", events.ReasonTrackerFailure},
		{"a list", "le", events.ReasonMalformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := testClient().Scrape(t.Context(), served(t, saying(c.body))+"/announce", testRequest())
			if got.Failure == nil || got.Failure.Reason != c.want {
				t.Errorf("answer %+v, failure %+v, want %v", got.Answer, got.Failure, c.want)
			}
		})
	}
	if got := testClient().Scrape(t.Context(), "http://127.0.0.1:1/announce/a", testRequest()); got.Failure == nil || got.Failure.Reason != events.ReasonScrapeUnsupported {
		t.Errorf("a URL without scrape: %+v", got.Failure)
	}
}

// Trackers that are not asked at all, or cannot be reached.
func TestNotAsked(t *testing.T) {
	excluded := func(c *Config) { c.Excluded = func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.9") } }
	cases := []struct {
		tracker string
		want    events.Reason
		phase   events.Phase
	}{
		{"ftp://127.0.0.1:1/announce", events.ReasonUnsupportedScheme, events.PhaseRequest},
		{"wss://example.invalid/announce", events.ReasonUnsupportedScheme, events.PhaseRequest},
		{"", events.ReasonUnsupportedScheme, events.PhaseRequest},
		{"http://[::1/announce", events.ReasonMalformed, events.PhaseRequest},
		{"http:///announce", events.ReasonMalformed, events.PhaseRequest},
		{"http://127.0.0.1:1/announce", events.ReasonRefused, events.PhaseDial},
		{"udp://127.0.0.1/announce", events.ReasonMalformed, events.PhaseRequest},
		{"udp://127.0.0.1:65536/announce", events.ReasonMalformed, events.PhaseRequest},
		{"udp://:1/announce", events.ReasonMalformed, events.PhaseRequest},
		{"udp://127.0.0.1:1/announce?" + strings.Repeat("x", maxURLData), events.ReasonTooLarge, events.PhaseRequest},
		{"udp://127.0.0.1:0/announce", events.ReasonPortZero, events.PhaseDial},
		{"udp://[::]:1/announce", events.ReasonUnspecified, events.PhaseDial},
		{"udp://224.0.0.1:1/announce", events.ReasonMulticast, events.PhaseDial},
		{"udp://255.255.255.255:1/announce", events.ReasonMulticast, events.PhaseDial},
		{"udp://127.0.0.9:1/announce", events.ReasonExcluded, events.PhaseDial},
		{"udp://127.0.0.1:1", events.ReasonForeignScope, events.PhaseDial},
		{"udp://[::1]:1/other", events.ReasonForeignScope, events.PhaseDial},
		{"http://127.0.0.1:0/announce", events.ReasonPortZero, events.PhaseDial},
		{"http://0.0.0.0:1/announce", events.ReasonUnspecified, events.PhaseDial},
		{"http://224.0.0.1:1/announce", events.ReasonMulticast, events.PhaseDial},
		{"http://127.0.0.9:1/announce", events.ReasonExcluded, events.PhaseDial},
		{"http://127.0.0.1:1/", events.ReasonForeignScope, events.PhaseDial},
		{"http://10.1.2.3:1/x/announce", events.ReasonForeignScope, events.PhaseDial},
		{"http://[fe80::1%25lo]:1/x", events.ReasonForeignScope, events.PhaseDial},
		{"http://[::ffff:127.0.0.1]:1/x", events.ReasonForeignScope, events.PhaseDial},
		{"http://localhost:1/admin", events.ReasonForeignScope, events.PhaseDial}, // a name is judged by what it stands for
	}
	for _, c := range cases {
		got := udpClient(t, excluded).Announce(t.Context(), c.tracker, testRequest())
		if got.Failure == nil || got.Failure.Reason != c.want || got.Failure.Phase != c.phase || got.Sent {
			t.Errorf("%s: %+v, want %v, %v", c.tracker, got.Failure, c.want, c.phase)
		}
	}
}

// A tracker that takes the request and says nothing, or whose headers or body never end, is given up in time.
func TestSlow(t *testing.T) {
	for name, answer := range map[string]string{"silent": "", "within headers": "HTTP/1.1 200 OK\r\nX: ", "within the body": "HTTP/1.1 200 OK\r\n\r\nd5:peers"} {
		t.Run(name, func(t *testing.T) {
			listener := listen(t)
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					t.Error(err)
				}
				io.WriteString(conn, answer)
				io.Copy(io.Discard, conn) // until the client hangs up
			}()
			patience := time.Second
			got := testClient(func(c *Config) { c.Timeout = patience }).Announce(t.Context(), "http://"+listener.Addr().String()+"/announce", testRequest())
			if f := got.Failure; f == nil || f.Reason != events.ReasonTimeout || f.Phase != events.PhaseAnswer || f.Duration < patience || !got.Sent {
				t.Errorf("%+v", f)
			}
		})
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// The recording stops while a tracker is asked.
func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	base := served(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	got := testClient().Announce(ctx, base+"/announce", testRequest())
	if got.Failure == nil || got.Failure.Reason != events.ReasonCanceled {
		t.Errorf("%+v", got.Failure)
	}
}

// Redirects are followed to other trackers, which do not hear of the passkey of the first.
func TestRedirect(t *testing.T) {
	referer := make(chan string, 1)
	second := served(t, func(w http.ResponseWriter, r *http.Request) {
		referer <- r.Header.Get("Referer")
		io.WriteString(w, "d5:peers0:e")
	})
	first := served(t, redirectTo(second+"/announce"))
	got := testClient().Announce(t.Context(), first+"/announce?passkey=secret", testRequest())
	if got.Failure != nil || got.Answer.Remote.String() != strings.TrimPrefix(second, "http://") {
		t.Fatalf("%+v", got)
	}
	if r := <-referer; r != "" {
		t.Errorf("referer %q", r)
	}
}

// Connections come from the address that was asked for.
func TestBind(t *testing.T) {
	from := make(chan string, 1)
	base := served(t, func(w http.ResponseWriter, r *http.Request) {
		from <- r.RemoteAddr
		io.WriteString(w, "d5:peers0:e")
	})
	local := netip.MustParseAddr("127.0.0.77")
	bound := testClient(func(c *Config) { c.Bind = []netip.Addr{netip.IPv6Loopback(), local} })
	if got := bound.Announce(t.Context(), base+"/announce", testRequest()); got.Failure != nil {
		t.Fatalf("%+v", got.Failure)
	}
	if a := netip.MustParseAddrPort(<-from); a.Addr() != local {
		t.Errorf("from %v, want %v", a, local)
	}
}
