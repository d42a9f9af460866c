package swarmtest_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/swarmtest"
)

func TestDHTKeepsWhatIsAnnounced(t *testing.T) {
	for name, first := range map[string]netip.Addr{"IPv4": {}, "IPv6": netip.IPv6Loopback()} {
		t.Run(name, func(t *testing.T) {
			d, err := swarmtest.StartDHT(swarmtest.DHTOptions{Nodes: 12, First: first})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			hash := events.InfoHash([]byte("what the DHT tells.."))
			peer, err := d.Announce(ctx, 3, hash, 6881)
			if err != nil {
				t.Fatal(err)
			}
			if stored := d.Stored(hash); len(stored) != 1 || !stored[peer] {
				t.Errorf("the nodes keep %v, want %v", stored, peer)
			}
		})
	}
}
