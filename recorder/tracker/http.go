package tracker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"

	"btda/events"
	"btda/recorder/netfail"
)

// Bounds of one HTTP answer.
const (
	maxHeader    = 64 << 10 // bytes
	maxBody      = 4 << 20  // bytes
	maxRedirects = 5
	maxKept      = 1 << 10 // bytes of an answer that could not be used
)

const userAgent = "btda"

// overHTTP asks HTTP and HTTPS trackers. It is safe for use by many goroutines.
type overHTTP struct {
	config Config
	key    uint32 // tells the tracker that we are the same when our address changes
	client *http.Client
	dialer func(ctx context.Context, network, address string) (net.Conn, error)
}

func newHTTP(c Config, key uint32) *overHTTP {
	h := &overHTTP{config: c, key: key}
	h.dialer = h.dialScoped
	h.client = &http.Client{CheckRedirect: checkRedirect, Transport: scoped{&http.Transport{
		DialContext:            h.dial,
		DisableKeepAlives:      true, // see the package comment
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		TLSHandshakeTimeout:    c.Timeout,
		ResponseHeaderTimeout:  c.Timeout,
		TLSClientConfig:        &tls.Config{RootCAs: c.RootCAs},
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1 only
	}}}
	return h
}

// exchange is one request and its answer, redirects followed.
type exchange struct {
	remote     events.Address
	phase      events.Phase
	requested  bool // a connection was there to send on
	status     uint16
	body       []byte
	retryAfter events.Optional // seconds, of the HTTP header
	told       string          // the tracker's failure reason
	strays     strays          // of UDP: what came beside the answer
	err        error
}

func (x exchange) sent() bool { return x.requested }

// kept is what the log keeps of an answer that could not be used.
func (x exchange) kept() []byte { return x.body[:min(len(x.body), maxKept)] }

func (h *overHTTP) announce(ctx context.Context, to *url.URL, r Request) (announceAnswer, exchange) {
	x := h.get(context.WithValue(ctx, familyKey{}, r.Family), withQuery(to, h.announceQuery(r)))
	if x.err != nil && x.status == 0 {
		return announceAnswer{}, x
	}
	answer, err := parseAnnounce(x.body)
	x.told = answer.failure
	if x.err == nil {
		x.err = err
	}
	return answer, x
}

func (h *overHTTP) scrape(ctx context.Context, to *url.URL, r Request) (scrapeAnswer, exchange) {
	to, ok := scrapeURL(to)
	if !ok {
		return scrapeAnswer{}, exchange{phase: events.PhaseRequest, err: netfail.New(events.ReasonScrapeUnsupported, "no announce after the last slash")}
	}
	x := h.get(context.WithValue(ctx, familyKey{}, r.Family), withQuery(to, scrapeQuery(r.InfoHash)))
	if x.err != nil && x.status == 0 {
		return scrapeAnswer{}, x
	}
	answer, err := parseScrape(x.body, r.InfoHash)
	x.told = answer.failure
	if x.err == nil {
		x.err = err
	}
	return answer, x
}

// close has nothing to do: no connection is kept.
func (h *overHTTP) close() {}

// get asks and reads the whole answer. Of an answer that is no good, the body is what could be read.
func (h *overHTTP) get(ctx context.Context, u *url.URL) exchange {
	w := &watch{phase: events.PhaseDial}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, w.trace()), watchKey{}, w)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err == nil && u.Hostname() == "" {
		err = errors.New("a URL without a host")
	}
	if err != nil {
		return exchange{phase: events.PhaseRequest, err: netfail.With(events.ReasonMalformed, err)}
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept-Encoding", "identity")
	response, err := h.client.Do(request)
	x := exchange{err: w.explain(err)}
	if response != nil {
		x.status = uint16(response.StatusCode)
		x.retryAfter = retryAfter(response.Header)
	}
	if err == nil {
		x.body, x.err = readBody(response)
	}
	x.phase, x.remote, x.requested = w.seen()
	return x
}

// readBody reads and closes the body of an answer.
func readBody(r *http.Response) ([]byte, error) {
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch encoding := r.Header.Get("Content-Encoding"); {
	case err != nil:
		return body, err
	case len(body) > maxBody:
		return body, netfail.New(events.ReasonTooLarge, fmt.Sprintf("an answer of more than %d bytes", maxBody))
	case r.StatusCode != http.StatusOK:
		return body, netfail.New(events.ReasonHTTPStatus, r.Status)
	case encoding != "" && encoding != "identity":
		return body, netfail.New(events.ReasonUnsupportedEncoding, "an answer in an encoding that was not asked for")
	}
	return body, nil
}

// retryAfter reads the header in its form of seconds; the form of a date is left alone, since clocks differ.
func retryAfter(h http.Header) events.Optional {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 32)
	if err != nil {
		return events.Optional{}
	}
	return events.Some(seconds)
}

// checkRedirect bounds redirects. The next hop does not hear where we come from, since that URL may hold a passkey.
func checkRedirect(next *http.Request, before []*http.Request) error {
	next.Header.Del("Referer")
	if len(before) > maxRedirects {
		return netfail.New(events.ReasonRedirect, fmt.Sprintf("more than %d redirects", maxRedirects))
	}
	if s := next.URL.Scheme; s != "http" && s != "https" {
		return netfail.New(events.ReasonRedirect, fmt.Sprintf("a redirect to the scheme %q", s))
	}
	return nil
}
