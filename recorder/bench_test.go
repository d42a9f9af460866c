//go:build unix

package recorder_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventlog"
	"btda/input"
	"btda/recorder"
)

// countingLog is a real log that counts the sessions that have ended.
type countingLog struct {
	*eventlog.Log
	sessions atomic.Int64
	expected int64
	reached  chan struct{} // closed with the last session that is expected
}

func (l *countingLog) Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error) {
	seq, err := l.Log.Append(ctx, at, e)
	if e.Kind() == events.KindSessionClosed && l.sessions.Add(1) == l.expected {
		close(l.reached)
	}
	return seq, err
}

// BenchmarkContacts contacts 12,000 peers twice, each at an address of its own, that shake hands, tell about their pieces and hang up:
// connect, handshake and bitfield, recorded to disk. The CPU time is that of the whole process, peers and trackers included.
func BenchmarkContacts(b *testing.B) {
	const trackers, peersOfEach = 3, 4000
	for b.Loop() {
		host := startPeerAt(b, "0.0.0.0:0", hangUp)
		var urls []string
		for n := range trackers {
			named := loopbackAddresses(n*peersOfEach, (n+1)*peersOfEach, host.addr().Port())
			urls = append(urls, startTracker(b, &testTracker{peers: named}).url())
		}
		log := &countingLog{expected: 2 * trackers * peersOfEach, reached: make(chan struct{})}
		r := startBenchmark(b, log, urls)
		before, began := cpuTime(), time.Now()
		ctx, cancel := context.WithCancel(b.Context())
		go func() { <-log.reached; cancel() }()
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
		sessions := float64(log.sessions.Load())
		b.ReportMetric(sessions/(cpuTime()-before).Seconds(), "contacts/CPU-s")
		b.ReportMetric(sessions/time.Since(began).Seconds(), "contacts/s")
		host.close()
	}
}

func startBenchmark(b *testing.B, log *countingLog, trackers []string) *recorder.Recorder {
	settings := testSettings()
	settings.DialRate, settings.Timeout, settings.Revisit = 100_000, 10*time.Second, time.Hour
	settings.Events = filepath.Join(b.TempDir(), "run.events")
	r, err := recorder.New(settings, []input.Torrent{testTorrent(trackers...)}, recorder.Deps{
		CreateLog: func(dir string) (_ recorder.Log, err error) {
			log.Log, err = eventlog.Create(dir, eventlog.Options{})
			return log, err
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// loopbackAddresses gives the addresses with numbers from one to below another.
func loopbackAddresses(from, to int, port uint16) []netip.AddrPort {
	var list []netip.AddrPort
	for n := from; n < to; n++ {
		list = append(list, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}), port))
	}
	return list
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
