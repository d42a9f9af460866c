package tracker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"

	"btda/events"
	"btda/recorder/netfail"
)

// overUDP asks UDP trackers (BEP 15, 41). It is safe for use by many goroutines.
type overUDP struct {
	config Config
	key    uint32 // tells the tracker that we are the same over both families
	lines  *lines
}

func newUDP(c Config, key uint32) *overUDP {
	u := &overUDP{config: c, key: key}
	u.lines = newLines(u.open)
	return u
}

func (u *overUDP) open(ctx context.Context, to netip.AddrPort) (*line, error) {
	socket, err := u.config.listenUDP(ctx, to.Addr())
	if err != nil {
		return nil, err
	}
	return &line{remote: to, socket: socket, now: u.config.Now, waiting: make(map[transactionID]*transaction)}, nil
}

func (u *overUDP) close() { u.lines.close() }

// question is what to ask, and who takes the answer.
type question struct {
	action action
	append func(packet []byte) []byte                   // adds what follows the heading
	take   func(body []byte, family Family) (err error) // see transaction
}

func (u *overUDP) announce(ctx context.Context, to *url.URL, r Request) (announceAnswer, exchange) {
	data, err := urlData(to)
	if err != nil {
		return announceAnswer{}, exchange{phase: events.PhaseRequest, err: err}
	}
	said := announceRequest{Request: r, peerID: u.config.PeerID, key: u.key, port: u.config.Port, urlData: data}
	var answer announceAnswer
	x := u.ask(ctx, target{to, r.Family}, question{action: actionAnnounce, append: said.append, take: func(body []byte, f Family) (err error) {
		answer, err = parseUDPAnnounce(body, f.entrySize())
		return err
	}})
	if x.err != nil {
		return announceAnswer{}, x
	}
	return answer, x
}

func (u *overUDP) scrape(ctx context.Context, to *url.URL, r Request) (scrapeAnswer, exchange) {
	var answer scrapeAnswer
	var named bool
	hash := func(packet []byte) []byte { return append(packet, r.InfoHash[:]...) }
	x := u.ask(ctx, target{to, r.Family}, question{action: actionScrape, append: hash, take: func(body []byte, _ Family) (err error) {
		answer, named, err = parseUDPScrape(body)
		return err
	}})
	if x.err == nil && !named {
		x.err = netfail.New(events.ReasonScrapeMissing, "the scrape names no torrent")
	}
	if x.err != nil {
		return scrapeAnswer{}, x
	}
	return answer, x
}

// urlData is path and query of the URL of a tracker (BEP 41).
func urlData(to *url.URL) (string, error) {
	data := to.EscapedPath()
	if to.RawQuery != "" {
		data += "?" + to.RawQuery
	}
	if len(data) > maxURLData {
		return "", netfail.New(events.ReasonTooLarge, fmt.Sprintf("path and query of %d bytes, at most %d fit into a request", len(data), maxURLData))
	}
	return data, nil
}

// target is the tracker to ask, and over which family.
type target struct {
	url    *url.URL
	family Family
}

// ask asks the addresses of a tracker, one after the other until one answers. Each gets its share of the time that is left.
func (u *overUDP) ask(ctx context.Context, to target, q question) exchange {
	port, err := udpPort(to.url)
	if err != nil {
		return exchange{phase: events.PhaseRequest, err: err}
	}
	addresses, err := u.config.lookUp(ctx, to.url.Hostname(), to.family)
	if err != nil {
		return exchange{phase: events.PhaseResolve, err: err}
	}
	var x exchange
	for i, a := range addresses {
		share, cancel := withShare(ctx, len(addresses)-i)
		next := u.askAddress(share, netip.AddrPortFrom(a, port), to.url, q)
		cancel()
		next.requested = next.requested || x.requested
		next.strays = append(x.strays, next.strays...)
		x = next
		if reason, _ := netfail.Classify(x.err); x.err == nil || reason == events.ReasonTrackerFailure || ctx.Err() != nil {
			break
		}
	}
	return x
}

func udpPort(to *url.URL) (uint16, error) {
	if to.Hostname() == "" {
		return 0, netfail.New(events.ReasonMalformed, "a URL without a host")
	}
	port, err := strconv.ParseUint(to.Port(), 10, 16)
	if err != nil {
		return 0, netfail.New(events.ReasonMalformed, fmt.Sprintf("the URL of a UDP tracker needs a port up to 65535, not %q", to.Port()))
	}
	return uint16(port), nil
}

// askAddress asks one address of a tracker, after a connection id if there is none.
func (u *overUDP) askAddress(ctx context.Context, to netip.AddrPort, asked *url.URL, q question) exchange {
	x := exchange{remote: events.AddressOf(to), phase: events.PhaseDial}
	if x.err = u.config.judge(to, asked); x.err != nil {
		return x
	}
	line, err := u.lines.get(ctx, to)
	if err != nil {
		x.err = err
		return x
	}
	defer u.lines.release(line)
	x.err = u.converse(ctx, line.line, q, &x)
	x.strays = line.takeStrays()
	if u := (*unanswered)(nil); errors.As(x.err, &u) {
		x.told, x.body = u.told, u.answer
	}
	return x
}

// converse asks on a line. A connection id from before that gets no answer or is refused is not used again.
func (u *overUDP) converse(ctx context.Context, l *line, q question, x *exchange) error {
	began := u.config.Now()
	t := &transaction{action: q.action, take: func(body []byte) error { return q.take(body, familyOf(l.remote.Addr())) }}
	err := l.ask(ctx, t, func() error {
		if x.requested {
			l.forget(began)
		}
		x.phase = events.PhaseTransaction
		id, err := l.connect(ctx)
		if err != nil {
			return err
		}
		x.phase = events.PhaseRequest
		if err := l.send(ctx, q.append(heading{id, q.action, t.id}.append(nil))); err != nil {
			return err
		}
		x.phase, x.requested = events.PhaseAnswer, true
		return nil
	})
	if err != nil {
		l.forget(u.config.Now())
	}
	return err
}
