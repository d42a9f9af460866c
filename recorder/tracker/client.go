package tracker

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"btda/events"
	"btda/recorder/netfail"
)

// Config is what a Client says of itself and keeps to.
type Config struct {
	PeerID   events.PeerID
	Port     uint16                // that is announced
	Timeout  time.Duration         // of one request, from the look-up of the name to the last byte; must be positive
	Bind     []netip.Addr          // local addresses to connect from, at most one of each family; none leaves it to the system
	Excluded func(netip.Addr) bool // addresses never to connect to; may be nil
	RootCAs  *x509.CertPool        // nil is those of the system
	Names    Names                 // nil is the resolver of the system
	Now      func() events.Time    // the run's clock
}

// Client asks trackers. It is safe for use by many goroutines.
type Client struct {
	config    Config
	protocols map[string]protocol // by the scheme of the URL
	turns     turns
}

// protocol is how to ask a tracker, by the scheme of its URL. The context carries the deadline.
type protocol interface {
	announce(ctx context.Context, to *url.URL, r Request) (announceAnswer, exchange)
	scrape(ctx context.Context, to *url.URL, r Request) (scrapeAnswer, exchange)
	close()
}

// Request is what to tell a tracker in an announce (BEP 3).
type Request struct {
	Torrent  events.TorrentNumber
	InfoHash events.InfoHash
	Event    events.AnnounceEvent
	Sizes
	TrackerID string // as the tracker's last answer gave it, or empty
	Family    Family // over which to ask
}

// Sizes is what an announce tells about us, in bytes.
type Sizes struct{ Downloaded, Left, Uploaded uint64 }

// Announcement is the outcome of one announce: Answer, Failure or Elsewhere is set.
type Announcement struct {
	At      events.Time // when the outcome was known
	Answer  *events.TrackerAnnounced
	Failure *events.TrackerAnnounceFailed
	Limit   *events.LimitReached // nil unless the tracker named more peers than are taken

	// Ignored are the datagrams that came beside the answer, if any.
	Ignored []*events.TrackerAnswersIgnored

	// Elsewhere tells that nothing was sent and there is nothing to tell of this family: the tracker is asked over the other one, or
	// it is the other one that tells what is wrong.
	Elsewhere bool
	// Sent tells that the tracker may know of us: the request was on its way.
	Sent bool
	// Never tells that the tracker does not want to be asked again (BEP 31).
	Never bool
}

// Scraping is the outcome of one scrape: either Answer or Failure is set.
type Scraping struct {
	At      events.Time
	Answer  *events.TrackerScraped
	Failure *events.TrackerScrapeFailed
	Ignored []*events.TrackerAnswersIgnored // as in Announcement
	Wait    time.Duration                   // that the tracker wants until the next scrape, or 0
}

// NewClient returns a client for http, https and udp. It must be closed.
func NewClient(c Config) *Client {
	if c.Names == nil {
		c.Names = systemNames
	}
	c.Names = &rememberedNames{from: c.Names, now: c.Now, known: make(map[string]knownName)}
	var key [4]byte
	rand.Read(key[:]) // never fails
	h := newHTTP(c, binary.BigEndian.Uint32(key[:]))
	u := newUDP(c, h.key)
	return &Client{config: c, protocols: map[string]protocol{"http": h, "https": h, "udp": u}}
}

// Close closes the sockets to UDP trackers, which are otherwise kept for a minute. Requests over UDP that are under way fail.
func (c *Client) Close() {
	for _, p := range c.protocols {
		p.close()
	}
}

// Announce tells a tracker about us and takes its peers. The URL is that of the torrent file, its query included. It waits for its turn, where
// much is asked of one server.
func (c *Client) Announce(ctx context.Context, tracker string, r Request) Announcement {
	start := c.config.Now()
	to, p, err := c.protocolOf(tracker)
	if err != nil {
		return announceFailed(c.ended(start), announced{tracker, r}, exchange{err: err, phase: events.PhaseRequest})
	}
	turn, err := c.turn(ctx, to, r.Event)
	if err != nil {
		return announceFailed(c.ended(start), announced{tracker, r}, exchange{err: givenUp(ctx, err), phase: events.PhaseRequest})
	}
	defer turn.done()
	if c.elsewhere(turn.patience, to, r.Family) {
		return Announcement{At: c.config.Now(), Elsewhere: true}
	}
	answer, x := p.announce(turn.patience, to, r)
	ended := c.ended(turn.began)
	if x.err != nil {
		x.err = givenUp(ctx, x.err)
		failed := announceFailed(ended, announced{tracker, r}, x)
		failed.Failure.RetryIn, failed.Never = answer.retryIn(x), answer.never
		return failed
	}
	return announceAnswered(ended, announced{tracker, r}, answer, x)
}

// Scrape asks a tracker for its counts of a torrent. The URL is the announce URL, from which that of the scrape is derived. It waits for its
// turn, as Announce does.
func (c *Client) Scrape(ctx context.Context, tracker string, r Request) Scraping {
	start := c.config.Now()
	to, p, err := c.protocolOf(tracker)
	if err != nil {
		return scrapeFailed(c.ended(start), announced{tracker, r}, exchange{err: err, phase: events.PhaseRequest})
	}
	turn, err := c.turn(ctx, to, events.AnnounceRegular)
	if err != nil {
		return scrapeFailed(c.ended(start), announced{tracker, r}, exchange{err: givenUp(ctx, err), phase: events.PhaseRequest})
	}
	defer turn.done()
	answer, x := p.scrape(turn.patience, to, r)
	ended := c.ended(turn.began)
	if x.err != nil {
		x.err = givenUp(ctx, x.err)
		failed := scrapeFailed(ended, announced{tracker, r}, x)
		failed.Wait = max(answer.wait, seconds(x.retryAfter))
		return failed
	}
	return Scraping{At: ended.at, Wait: answer.wait, Ignored: x.facts(announced{tracker, r}), Answer: &events.TrackerScraped{
		Torrent: r.Torrent, Tracker: tracker, Remote: x.remote, Duration: ended.took,
		Seeders: answer.seeders, Completed: answer.completed, Leechers: answer.leechers, Downloaders: answer.downloaders,
	}}
}

// announced is who was asked for what.
type announced struct {
	tracker string
	Request
}

// end is when something was over, and how long it took.
type end struct {
	at   events.Time
	took time.Duration
}

func (c *Client) ended(start events.Time) end {
	now := c.config.Now()
	return end{at: now, took: now.Sub(start)}
}

// givenUp names the reason of an error of a request that we broke off, be it by a deadline of ctx.
func givenUp(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return netfail.With(events.ReasonCanceled, err)
	}
	return err
}

func (c *Client) protocolOf(tracker string) (*url.URL, protocol, error) {
	to, err := url.Parse(tracker)
	if err != nil {
		return nil, nil, netfail.With(events.ReasonMalformed, err)
	}
	p := c.protocols[strings.ToLower(to.Scheme)]
	if p == nil {
		return nil, nil, netfail.New(events.ReasonUnsupportedScheme, fmt.Sprintf("trackers of scheme %q are not asked", to.Scheme))
	}
	return to, p, nil
}

func announceAnswered(ended end, to announced, a announceAnswer, x exchange) Announcement {
	done := Announcement{At: ended.at, Sent: true, Ignored: x.facts(to), Answer: &events.TrackerAnnounced{
		Torrent: to.Torrent, Tracker: to.tracker, Event: to.Event, Remote: x.remote, Duration: ended.took,
		Interval: a.interval, MinInterval: a.minInterval, Seeders: a.seeders, Leechers: a.leechers, Completed: a.completed,
		Peers: a.peers.list, InvalidPeers: a.peers.invalid, ExternalIP: a.externalIP, Warning: a.warning, TrackerID: a.trackerID,
	}}
	if a.peers.named > maxPeers {
		done.Limit = &events.LimitReached{Torrent: to.Torrent, Limit: events.LimitAnswerPeers, Value: a.peers.named, Bound: maxPeers}
	}
	return done
}

func announceFailed(ended end, to announced, x exchange) Announcement {
	reason, text := netfail.Classify(x.err)
	if reason == events.ReasonTrackerFailure || reason == events.ReasonHTTPStatus {
		text = x.told
	}
	return Announcement{At: ended.at, Sent: x.sent(), Ignored: x.facts(to), Failure: &events.TrackerAnnounceFailed{
		Torrent: to.Torrent, Tracker: to.tracker, Event: to.Event, Remote: x.remote, Duration: ended.took,
		Phase: x.phase, Reason: reason, Text: text, HTTPStatus: x.status, Answer: x.kept(),
	}}
}

func scrapeFailed(ended end, to announced, x exchange) Scraping {
	reason, text := netfail.Classify(x.err)
	if reason == events.ReasonTrackerFailure || reason == events.ReasonHTTPStatus {
		text = x.told
	}
	return Scraping{At: ended.at, Ignored: x.facts(to), Failure: &events.TrackerScrapeFailed{
		Torrent: to.Torrent, Tracker: to.tracker, Remote: x.remote, Duration: ended.took,
		Phase: x.phase, Reason: reason, Text: text, HTTPStatus: x.status, Answer: x.kept(),
	}}
}
