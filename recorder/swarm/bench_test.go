package swarm

import (
	"runtime"
	"testing"
	"time"

	"btda/events"
)

// BenchmarkEndpoints offers 1.8 million endpoints, contacts each once and lets it fail: the size of the largest known run.
func BenchmarkEndpoints(b *testing.B) {
	const endpoints = 1_800_000
	for b.Loop() {
		before := heapInUse()
		s := New(Options{Sessions: 1024, DialRate: 50_000, Revisit: 5 * time.Minute, Brief: 10 * time.Second, KnownPeers: endpoints, AllPeers: endpoints, NetworkDialRate: 10})
		for n := range endpoints {
			s.Offer(events.TorrentNumber(1+n%19), address(n))
		}
		now := start
		for s.Total().New > 0 {
			if c, ok := s.Next(now); ok {
				s.Ended(c.Number, Failed, now)
			} else {
				now, _ = s.Wake(now)
			}
		}
		b.ReportMetric(float64(heapInUse()-before)/endpoints, "B/endpoint")
		runtime.KeepAlive(s)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/endpoints, "ns/endpoint")
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
