package tracker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"btda/events"
)

// Offer takes the peers of an answer from a tracker whose address has the scope from. It is called after the answer was appended
// and must not block for long; it may keep the list.
type Offer func(torrent events.TorrentNumber, source events.Source, from events.Scope, peers events.PeerList)

// Announcer asks one tracker of one torrent for the length of a run, over each address family on its own. Each has goroutines of its
// own, so that the failure, nonsense or slowness of one tracker never touches another.
type Announcer struct {
	Client   *Client
	Log      events.Appender
	Tracker  string        // announce URL
	Request  Request       // what to tell; Event, TrackerID and Family are set by the announcer
	Sizes    func() Sizes  // to tell instead of those of the Request, at each announce anew; may be nil
	Interval time.Duration // wished time between two announces; see the package comment
	Offer    Offer         // may be nil
	// Jitter gives a time up to a longest one, by chance: rounds wait so much longer, so that the torrents of one tracker do not keep
	// asking it at the same moment. It may be nil.
	Jitter func(longest time.Duration) time.Duration
	Text   *slog.Logger // for people; may be nil
	// Outcome is told how each announce over a family went, before that is appended: failure is nil where the tracker answered. Of the last
	// announce, and of one that was given up, it is not told. It may be nil.
	Outcome func(over Family, failure *events.TrackerAnnounceFailed)
	// Hurry gives up the stopped announce when it is closed. It may be nil.
	Hurry <-chan struct{}
}

// progress is what an announcer remembers between its rounds over one family.
type progress struct {
	*Announcer
	family    Family
	started   bool // an announce with started was answered
	known     bool // the tracker may know of us
	never     bool // the tracker does not want to be asked again
	failures  int  // in a row
	trackerID string
	noScrape  bool
	scrapeAt  events.Time // not before
}

// Run announces until ctx is done: started until an answer came, then regularly, with a scrape after each. At the end it sends
// stopped if the tracker may know of us, within the timeout of the Client. The error is that of the log, nil otherwise.
func (a *Announcer) Run(ctx context.Context) error {
	lanes, ctx := errgroup.WithContext(ctx)
	for _, f := range a.Client.Families(a.Tracker) {
		p := &progress{Announcer: a, family: f}
		lanes.Go(func() error { return p.run(ctx) })
	}
	return lanes.Wait()
}

// run announces over one family.
func (p *progress) run(ctx context.Context) error {
	for ctx.Err() == nil {
		wait, err := p.round(ctx)
		if err != nil {
			return err
		}
		if p.never {
			<-ctx.Done()
		}
		pause(ctx, wait)
	}
	return p.stop(ctx)
}

// round announces and scrapes, and gives the time until the next round.
func (p *progress) round(ctx context.Context) (time.Duration, error) {
	done, err := p.announce(ctx, p.event())
	if err != nil {
		return 0, err
	}
	wait := p.jittered(max(minWait, p.next(done)))
	if ctx.Err() == nil && !p.never && !done.Elsewhere {
		err = p.scrape(ctx)
	}
	return max(0, wait-p.Client.config.Now().Sub(done.At)), err
}

// jittered adds a tenth at most, and maxJitter.
func (p *progress) jittered(wait time.Duration) time.Duration {
	if p.Jitter == nil {
		return wait
	}
	return wait + p.Jitter(min(wait/10, maxJitter))
}

func (p *progress) event() events.AnnounceEvent {
	if p.started {
		return events.AnnounceRegular
	}
	return events.AnnounceStarted
}

// announce asks once, and appends and offers what came of it.
func (p *progress) announce(ctx context.Context, event events.AnnounceEvent) (Announcement, error) {
	r := p.Request
	r.Event, r.TrackerID, r.Family = event, p.trackerID, p.family
	if p.Sizes != nil {
		r.Sizes = p.Sizes()
	}
	done := p.Client.Announce(ctx, p.Tracker, r)
	p.known = p.known || done.Sent
	if err := p.ignored(ctx, done.At, done.Ignored); err != nil {
		return done, err
	}
	if done.Elsewhere {
		p.failures++
		return done, nil
	}
	p.tell(event, done.Failure)
	if done.Failure != nil {
		p.failures++
		p.never = p.never || done.Never
		p.say(p.gravity(), "announce failed", "event", event, "reason", done.Failure.Reason, "text", done.Failure.Text)
		return done, p.append(ctx, done.At, done.Failure)
	}
	p.failures, p.started = 0, true
	if id := done.Answer.TrackerID; id != "" {
		p.trackerID = id
	}
	p.say(slog.LevelDebug, "announced", "event", event, "peers", done.Answer.Peers.Len(), "interval", done.Answer.Interval)
	return done, p.take(ctx, done)
}

// tell tells who wants to know how an announce went.
func (p *progress) tell(event events.AnnounceEvent, failure *events.TrackerAnnounceFailed) {
	if p.Outcome != nil && event != events.AnnounceStopped && (failure == nil || failure.Reason != events.ReasonCanceled) {
		p.Outcome(p.family, failure)
	}
}

// take appends an answer and then offers its peers.
func (p *progress) take(ctx context.Context, done Announcement) error {
	if err := p.append(ctx, done.At, done.Answer); err != nil {
		return err
	}
	if done.Limit != nil {
		if err := p.append(ctx, done.At, done.Limit); err != nil {
			return err
		}
	}
	if p.Offer != nil && done.Answer.Peers.Len() > 0 {
		p.Offer(p.Request.Torrent, events.SourceTracker, done.Answer.Remote.Scope, done.Answer.Peers)
	}
	return nil
}

// scrape asks for counts, unless the tracker has none or wants to be left alone for now. That it has none is said once.
func (p *progress) scrape(ctx context.Context) error {
	if p.noScrape || p.Client.config.Now() < p.scrapeAt {
		return nil
	}
	r := p.Request
	r.Family = p.family
	done := p.Client.Scrape(ctx, p.Tracker, r)
	p.scrapeAt = done.At.Add(min(done.Wait, maxWait))
	if err := p.ignored(ctx, done.At, done.Ignored); err != nil {
		return err
	}
	if done.Failure == nil {
		return p.append(ctx, done.At, done.Answer)
	}
	reason := done.Failure.Reason
	p.noScrape = reason == events.ReasonScrapeUnsupported || reason == events.ReasonUnsupportedScheme
	p.say(slog.LevelDebug, "scrape failed", "reason", reason, "text", done.Failure.Text)
	return p.append(ctx, done.At, done.Failure)
}

// stop tells the tracker that we leave.
func (p *progress) stop(ctx context.Context) error {
	if !p.known || p.never {
		return nil
	}
	ctx, cancel := hurried(ctx, p.Hurry)
	defer cancel()
	_, err := p.announce(ctx, events.AnnounceStopped)
	return err
}

// hurried is a context of its own, since that of the run is done by then. It ends when hurry is closed or cancel is called.
func hurried(ctx context.Context, hurry <-chan struct{}) (_ context.Context, cancel func()) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-hurry:
			end()
		case <-ctx.Done():
		}
	})
	return ctx, func() { end(); waiting.Wait() }
}

// ignored appends what came beside an answer.
func (p *progress) ignored(ctx context.Context, at events.Time, facts []*events.TrackerAnswersIgnored) error {
	for _, f := range facts {
		if err := p.append(ctx, at, f); err != nil {
			return err
		}
	}
	return nil
}

// append keeps a fact also when the run is being stopped: a log that fails releases those who wait for it.
func (p *progress) append(ctx context.Context, at events.Time, e events.Event) error {
	_, err := p.Log.Append(context.WithoutCancel(ctx), at, e)
	return err
}

// gravity is the level of a failure: the first in a row is worth a look.
func (p *progress) gravity() slog.Level {
	if p.failures == 1 {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

func (p *progress) say(level slog.Level, message string, about ...any) {
	if p.Text != nil {
		p.Text.Log(context.Background(), level, message, append([]any{"tracker", events.MaskTracker(p.Tracker), "torrent", p.Request.Torrent, "over", p.family}, about...)...)
	}
}

// pause waits for a time, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
