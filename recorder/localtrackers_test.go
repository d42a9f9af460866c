package recorder_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"btda/events"
	"btda/recorder"
)

// dns is the part of the DNS that knows of one tracker of our network. The real one is asked in the tests of package tracker.
type dns struct{ tracker netip.AddrPort }

func (d dns) LookupAddr(_ context.Context, address string) ([]string, error) {
	if address != "127.0.0.1" {
		return nil, errors.New("no such address")
	}
	return []string{"host.example.net."}, nil
}

func (d dns) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	if name != "example.net." {
		return "", nil, errors.New("no such name")
	}
	return "", []*net.SRV{{Target: d.tracker.Addr().String() + ".", Port: d.tracker.Port()}}, nil
}

// A tracker of our network is recorded for each torrent and asked about it, but for private ones (BEP 22, 27).
func TestLocalTrackers(t *testing.T) {
	local := startTracker(t, &testTracker{})
	public, private := testTorrent(), testTorrent()
	private.InfoHash[0]++
	private.Metadata.Private = true
	settings := testSettings()
	settings.LocalTrackers, settings.Bind = true, []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	log := newMemoryLog()
	deps := recorder.Deps{
		CreateLog: func(string) (recorder.Log, error) { return log, nil },
		Resolver:  dns{local.Listener.Addr().(*net.TCPAddr).AddrPort()},
	}
	r := recordWith(t, deps, log.Log, settings, public, private)
	r.await(events.KindTrackerAnnounced, 1)
	r.stop(nil)
	records := r.log.Records()
	want := []*events.TrackersExchanged{{Torrent: 1, Trackers: []string{local.url()}}}
	if got := of[*events.TrackersExchanged](records); !reflect.DeepEqual(got, want) {
		t.Errorf("recorded %+v, want %+v", got, want)
	}
	for _, e := range of[*events.TrackerAnnounced](records) {
		if e.Torrent != 1 {
			t.Errorf("announced torrent %d", e.Torrent)
		}
	}
	if !slices.Contains(local.events(), "started") {
		t.Errorf("the tracker was told %q", local.events())
	}
}
