package recorder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/swarm"
	"btda/recorder/tracker"
)

// run is the live part of a recording.
type run struct {
	*Recorder
	log        Log
	gate       *gate
	dispatcher *dispatcher
	intake     *intake
	observer   *session.Observer
	doors      []listener // empty when not listening
	reception  *reception // nil likewise
	repeats    *repeats   // nil likewise
	client     *tracker.Client
	follower   *follower // nil where no tracker is followed
	standings  *standings
	privacy    *privacy // of the time from start on
	book       *book
	nodes      nodes // of the DHT; empty without it
	began      events.Time
	giveUp     context.CancelFunc // ends the gate's waiting for the log

	hurry       chan struct{} // closed when nothing is waited for any more
	sources     sync.WaitGroup
	sourcesLeft atomic.Int64
	sampler     sync.WaitGroup
}

func (r *Recorder) newRun(log Log) *run {
	hard, giveUp := context.WithCancel(context.Background())
	live := &run{Recorder: r, log: log, gate: newGate(hard, log), giveUp: giveUp, hurry: make(chan struct{}), began: log.Now(), standings: newStandings()}
	live.book = live.newBook()
	live.dispatcher = newDispatcher(swarm.Options{
		Sessions: r.settings.Sessions, DialRate: r.settings.DialRate, NetworkDialRate: r.settings.NetworkDialRate, Revisit: r.settings.Revisit,
		Brief: briefSession, Stay: r.settings.minimumStay(), KnownPeers: maxKnownPeers, AllPeers: maxAllPeers,
	})
	live.dispatcher.now, live.dispatcher.contacts, live.dispatcher.book = log.Now, live, live.book
	live.intake = &intake{log: live.gate, rules: r.rules, logger: r.deps.Logger}
	if r.settings.Active {
		live.intake.schedule = live.dispatcher
	}
	live.observer = r.newObserver(live.gate)
	live.observer.Pace = live.dispatcher
	live.follower = live.newFollower()
	live.observer.Hearsay = live.newHearsay()
	live.client = tracker.NewClient(tracker.Config{
		PeerID: r.peerID, Port: r.settings.Port, Timeout: r.settings.Timeout, Bind: r.settings.Bind,
		Excluded: r.rules.excluded.contain, RootCAs: r.deps.RootCAs, Now: log.Now,
	})
	return live
}

// record lives through the whole run.
func (r *run) record(ctx context.Context) error {
	defer r.giveUp()
	if err := r.introduce(); err != nil {
		return stoppedByLog(errors.Join(err, r.log.Close(), r.nodes.close()))
	}
	sources, stopSources := context.WithCancel(context.Background())
	defer stopSources()
	r.start(sources)
	stopped, cause := r.wait(ctx)
	r.deps.Logger.Info("stopping", "reason", stopped.Reason)
	_ = closeAll(r.doors) // nobody comes in while others are asked to leave
	stopSources()
	r.drain()
	r.repeats.sweep(0)
	r.client.Close()
	if err := r.finish(stopped); err != nil {
		return err
	}
	return cause
}

// introduce appends who records what.
func (r *run) introduce() error {
	first := []events.Event{&events.RunStarted{
		Run: newRunID(), Program: program(), Configuration: r.settings.Configuration(), Host: r.host, PeerID: r.peerID, Addresses: reachedAt(r.own, r.doors),
	}}
	for _, t := range r.torrents {
		first = append(first, t.added())
	}
	for _, e := range first {
		if _, err := r.gate.Append(context.Background(), r.log.Now(), e); err != nil {
			return err
		}
	}
	r.readMetadata()
	return nil
}

func (t torrent) added() *events.TorrentAdded {
	return &events.TorrentAdded{
		Torrent: t.TorrentNumber, InfoHash: t.InfoHash, InfoHashV2: t.InfoHashV2, Magnet: t.Magnet, Path: t.Path,
		DisplayName: t.DisplayName, Trackers: t.Tiers, MetadataKnown: t.MetadataKnown, Metadata: t.Metadata,
	}
}

// start begins all that observes. It ends when ctx is done.
func (r *run) start(ctx context.Context) {
	r.sampler.Go(func() { r.sampleEvery(ctx, r.settings.StatisticInterval) })
	r.privacy = newPrivacy(ctx, r.torrents)
	go r.dispatcher.run(ctx) // drain waits for its done
	r.live.Store(r)
	for _, t := range r.torrents {
		if r.book.private(t.TorrentNumber) {
			r.closeToOthers(t)
		}
	}
	r.offerKnown()
	for _, t := range r.torrents {
		for _, url := range r.trackersOf(t) {
			r.startAnnouncer(ctx, inquiry{torrent: t.TorrentNumber, url: url, own: true})
		}
	}
	r.follow(ctx)
	r.offerNamed()
	r.startDHT(ctx)
	r.startReception(ctx)
	r.deps.Logger.Info("recording", "events", r.settings.Events, "torrents", len(r.torrents), "trackers", r.sourcesLeft.Load())
}

// wait waits for the end and gives its reason; the error is nil where it is in order, and where the log failed, which says so itself.
func (r *run) wait(ctx context.Context) (events.RunStopped, error) {
	if r.settings.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.settings.Duration, Stop{events.ReasonDurationOver})
		defer cancel()
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	r.sampler.Go(func() { r.watchDisk(ctx, end) })
	select {
	case <-ctx.Done():
		return events.RunStopped{Reason: reasonOf(ctx)}, diskCause(ctx)
	case <-r.deps.Hurry:
		return events.RunStopped{Reason: events.ReasonInterrupted}, nil
	case <-r.log.Failed():
		return events.RunStopped{Reason: events.ReasonWriteFailed, Text: r.log.Err().Error()}, nil
	}
}

// lastWords is how long the last events may wait for the log.
const lastWords = time.Second

// finish appends the last events and seals the log.
func (r *run) finish(stopped events.RunStopped) error {
	r.giveUp()
	r.gate.close()
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	_, err := r.log.Append(ctx, r.log.Now(), r.sample())
	if err == nil {
		_, err = r.log.Append(ctx, r.log.Now(), &stopped)
	}
	if closing := r.log.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return stoppedByLog(err)
	}
	r.deps.Logger.Info("recorded", "events", r.settings.Events, "count", r.log.Appended(), "acknowledged", r.log.Durable())
	return nil
}

func stoppedByLog(err error) error {
	return fmt.Errorf("the recording was stopped by its event log: %w", err)
}

func (r *run) snapshot() Snapshot {
	s := Snapshot{
		Elapsed: r.log.Now().Sub(r.began), Appended: r.log.Appended(), Durable: r.log.Durable(), LogSize: r.logSize(),
		Incoming: r.reception.counts().admitted, Trackers: r.standings.snapshot(),
	}
	r.dispatcher.look(func(schedule *swarm.Schedule) {
		s.Total = schedule.Total()
		for _, t := range r.torrents {
			s.Torrents = append(s.Torrents, r.snapshotOf(t, schedule))
		}
	})
	return s
}

func (r *run) snapshotOf(t torrent, schedule *swarm.Schedule) TorrentSnapshot {
	known := r.book.of(t.TorrentNumber)
	return TorrentSnapshot{
		Number: t.TorrentNumber, Name: cmp.Or(known.name, t.InfoHash.String()), MetadataKnown: known.metadata.PieceCount > 0,
		Counts: schedule.Torrent(t.TorrentNumber),
	}
}
