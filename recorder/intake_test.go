package recorder

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

func newTestIntake() (*intake, *eventstest.Log) {
	log := eventstest.NewLog()
	return &intake{log: log, logger: slog.New(slog.DiscardHandler)}, log
}

func namedByTracker(t events.TorrentNumber, addresses ...string) named {
	n := named{torrent: t, source: events.SourceTracker, from: events.ScopePublic}
	for _, a := range addresses {
		n.peers.Append(netip.MustParseAddrPort(a))
	}
	return n
}

func TestARejectedAddressIsAFactOnceForATorrent(t *testing.T) {
	i, log := newTestIntake()
	i.offer(namedByTracker(1, "127.0.0.1:5", "127.0.0.1:5", "1.2.3.4:0"))
	i.offer(namedByTracker(1, "127.0.0.1:5"))
	i.offer(namedByTracker(2, "127.0.0.1:5"))
	var got []events.AddressRejected
	for _, r := range log.Records() {
		got = append(got, *r.Event.(*events.AddressRejected))
	}
	loopback, zero := events.AddressOf(netip.MustParseAddrPort("127.0.0.1:5")), events.AddressOf(netip.MustParseAddrPort("1.2.3.4:0"))
	want := []events.AddressRejected{
		{Torrent: 1, Source: events.SourceTracker, Address: loopback, Reason: events.ReasonForeignScope},
		{Torrent: 1, Source: events.SourceTracker, Address: zero, Reason: events.ReasonPortZero},
		{Torrent: 2, Source: events.SourceTracker, Address: loopback, Reason: events.ReasonForeignScope},
	}
	if len(got) != len(want) {
		t.Fatalf("%d addresses rejected, want %d: %v", len(got), len(want), got)
	}
	for n := range want {
		if got[n] != want[n] {
			t.Errorf("rejected %+v, want %+v", got[n], want[n])
		}
	}
}

func TestRejectedAddressesAreBounded(t *testing.T) {
	i, log := newTestIntake()
	n := named{torrent: 1, source: events.SourceTracker, from: events.ScopePublic}
	for a := range uint32(maxRejectedAddresses + 100) {
		n.peers.V4 = append(binary.BigEndian.AppendUint32(n.peers.V4, 10<<24|a), 1, 1)
	}
	i.offer(n)
	records := log.Records()
	if len(records) != maxRejectedAddresses+1 {
		t.Fatalf("%d events, want %d", len(records), maxRejectedAddresses+1)
	}
	want := events.LimitReached{Torrent: 1, Limit: events.LimitRejectedAddresses, Value: maxRejectedAddresses + 1, Bound: maxRejectedAddresses}
	if got, ok := records[maxRejectedAddresses].Event.(*events.LimitReached); !ok || *got != want {
		t.Errorf("the last event is %+v, want %+v", records[maxRejectedAddresses].Event, want)
	}
}
