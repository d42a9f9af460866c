package recorder

import (
	"context"
	"time"

	"btda/events"
	"btda/recorder/swarm"
)

// resources is what the process uses of the system.
type resources struct {
	load15          float64 // NaN when not known
	peakMemory      uint64  // bytes; 0 when not known
	openDescriptors events.Optional
	descriptorLimit events.Optional
}

// sampleEvery appends a sample after each interval until ctx is done.
func (r *run) sampleEvery(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			sample := r.sample()
			_, _ = r.gate.Append(ctx, r.log.Now(), sample)
			r.noteCrowding()
		case <-ctx.Done():
			return
		}
	}
}

// noteCrowding appends that peers had to wait for sessions since it last did: once for each sample.
func (r *run) noteCrowding() {
	crowded := false
	r.dispatcher.look(func(s *swarm.Schedule) { crowded = s.Crowded() })
	if !crowded {
		return
	}
	bound := uint64(r.settings.Sessions)
	r.deps.Logger.Warn("peers wait for sessions: raise --sessions to hold more at one time", "sessions", bound)
	r.intake.append(&events.LimitReached{Limit: events.LimitOutgoingSessions, Value: bound + 1, Bound: bound})
}

// sample is the state of the recorder now.
func (r *run) sample() *events.StatisticSampled {
	var peers swarm.Counts
	r.dispatcher.look(func(s *swarm.Schedule) { peers = s.Total() })
	used := readResources()
	waits, waited := r.log.Waits()
	appended, durable := r.log.Appended(), r.log.Durable()
	return &events.StatisticSampled{
		PeerQueue: uint64(peers.Waiting), KnownPeers: uint64(peers.Known),
		ActiveOutgoing: uint64(peers.Active), OutgoingLimit: uint64(r.settings.Sessions),
		ActiveIncoming: uint64(r.reception.counts().admitted), IncomingLimit: r.incomingLimit(),
		AwaitingCommit: uint64(appended - min(durable, appended)), LogWaits: waits, LogWaitTime: waited,
		Load15: used.load15, PeakMemory: used.peakMemory, OpenDescriptors: used.openDescriptors, DescriptorLimit: used.descriptorLimit,
		WallClockOffset: events.TimeOf(time.Now()).Sub(r.log.Now()),
	}
}
