package recorder_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/recorder"
	"btda/recorder/session"
	"btda/recorder/wire"
)

// gossip is the script of a peer that names peers and trackers.
func gossip(peers []netip.AddrPort, trackers ...string) func(net.Conn) {
	return func(conn net.Conn) {
		var list events.PeerList
		for _, a := range peers {
			list.Append(a)
		}
		conn.Write(frame(events.Bitfield, 0xf0, 0))
		conn.Write(wire.AppendExtended(nil, wire.PeerExchangeID, fmt.Appendf(nil, "d5:added%d:%se", len(list.V4), list.V4)))
		var urls strings.Builder
		for _, u := range trackers {
			fmt.Fprintf(&urls, "%d:%s", len(u), u)
		}
		conn.Write(wire.AppendExtended(nil, wire.TrackersID, fmt.Appendf(nil, "d5:addedl%see", &urls)))
		io.Copy(io.Discard, conn)
	}
}

// A peer that only another peer names is contacted.
func TestPeerThatAPeerNames(t *testing.T) {
	hidden := startPeer(t, idle)
	known := startPeer(t, gossip(addressesOf(hidden)))
	tracker := startTracker(t, &testTracker{peers: addressesOf(known)})
	r := record(t, testSettings(), testTorrent(tracker.url()))
	r.awaitThat(func(records []events.Record) bool {
		return slices.ContainsFunc(of[*events.SessionOpened](records), func(e *events.SessionOpened) bool { return e.Address.AddrPort == hidden.addr() })
	})
}

// elsewhere connects to one address, whichever is asked for.
type elsewhere struct{ to netip.AddrPort }

func (e elsewhere) Dial(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
	return session.TCP{}.Dial(ctx, e.to)
}

// A peer at a public address cannot make us contact one on loopback.
func TestPublicPeerThatNamesLoopback(t *testing.T) {
	hidden := startPeer(t, idle)
	known := startPeer(t, gossip(addressesOf(hidden)))
	tracker := startTracker(t, &testTracker{peers: []netip.AddrPort{netip.MustParseAddrPort("1.2.3.4:6881")}})
	log := newMemoryLog()
	r := recordWith(t, recorder.Deps{CreateLog: func(string) (recorder.Log, error) { return log, nil }, Dialer: elsewhere{known.addr()}},
		log.Log, testSettings(), testTorrent(tracker.url()))
	r.await(events.KindAddressRejected, 1)
	r.stop(nil)
	want := events.AddressRejected{Torrent: 1, Source: events.SourcePeerExchange, Address: events.AddressOf(hidden.addr()), Reason: events.ReasonForeignScope}
	if got := of[*events.AddressRejected](r.log.Records()); len(got) != 1 || *got[0] != want {
		t.Errorf("rejected %+v, want %+v", got, want)
	}
	if n := hidden.visits(); n > 0 {
		t.Errorf("it was visited %d times", n)
	}
}

// Whoever is in a private torrent (BEP 27) is not asked about others, and not heard.
func TestPeerThatAPeerNamesInAPrivateTorrent(t *testing.T) {
	hidden := startPeer(t, idle)
	stranger := startTracker(t, &testTracker{})
	known := startPeer(t, gossip(addressesOf(hidden), stranger.url()))
	tracker := startTracker(t, &testTracker{peers: addressesOf(known)})
	private := testTorrent(tracker.url())
	private.Metadata.Private = true
	settings := testSettings()
	settings.FollowExchangedTrackers = true
	r := record(t, settings, private)
	r.await(events.KindMessageReceived, 2)
	r.stop(nil)
	records := r.log.Records()
	if n := len(of[*events.PeersExchanged](records)) + len(of[*events.TrackersExchanged](records)); n > 0 || hidden.visits() > 0 || len(stranger.events()) > 0 {
		t.Errorf("%d exchanges were taken; the peer was visited %d times, the tracker told %q", n, hidden.visits(), stranger.events())
	}
}

// A tracker that a peer names is recorded, and asked like any other when that is wanted.
func TestTrackerThatAPeerNames(t *testing.T) {
	for _, follow := range []bool{false, true} {
		t.Run(fmt.Sprint(follow), func(t *testing.T) {
			hidden := startPeer(t, idle)
			second := startTracker(t, &testTracker{peers: addressesOf(hidden)})
			var first *testTracker
			known := startPeer(t, func(conn net.Conn) {
				gossip(nil, "nonsense", "ftp://192.0.2.1/announce", first.url(), second.url(), second.url())(conn)
			})
			first = startTracker(t, &testTracker{peers: addressesOf(known)})
			settings := testSettings()
			settings.FollowExchangedTrackers = follow
			r := record(t, settings, testTorrent(first.url()))
			if follow {
				r.awaitThat(func(records []events.Record) bool {
					return slices.ContainsFunc(of[*events.SessionOpened](records), func(e *events.SessionOpened) bool { return e.Address.AddrPort == hidden.addr() })
				})
			} else {
				r.await(events.KindTrackersExchanged, 1)
			}
			r.stop(nil)
			if got := told(second); got[0] != follow || got[1] != follow {
				t.Errorf("the tracker was told %q", second.events())
			}
			if got := told(first); !got[0] || !got[1] {
				t.Errorf("the torrent's own tracker was told %q", first.events())
			}
			checkEnds(t, r.log.Records(), events.ReasonInterrupted)
		})
	}
}

// told says whether a tracker was told once of a start, and once of a stop.
func told(tracker *testTracker) (of [2]bool) {
	for i, event := range []string{"started", "stopped"} {
		first := slices.Index(tracker.events(), event)
		of[i] = first >= 0 && !slices.Contains(tracker.events()[first+1:], event)
	}
	return of
}

// Of the trackers that peers name as many are asked as a torrent may have.
func TestTooManyTrackersThatPeersName(t *testing.T) {
	tracker := startTracker(t, &testTracker{})
	urls := make([]string, 120)
	for i := range urls {
		urls[i] = fmt.Sprintf("%s?number=%d", tracker.url(), i)
	}
	first := startPeer(t, gossip(nil, urls[:60]...))
	second := startPeer(t, gossip(nil, urls[60:]...))
	own := startTracker(t, &testTracker{peers: addressesOf(first, second)})
	settings := testSettings()
	settings.FollowExchangedTrackers = true
	r := record(t, settings, testTorrent(own.url()))
	r.await(events.KindLimitReached, 1)
	r.stop(nil)
	limits := of[*events.LimitReached](r.log.Records())
	if len(limits) != 1 || limits[0].Limit != events.LimitTrackers || limits[0].Bound != 100 {
		t.Errorf("limits %+v", limits)
	}
	asked := make(map[string]bool)
	for _, e := range of[*events.TrackerAnnounced](r.log.Records()) {
		asked[e.Tracker] = true
	}
	if len(asked) > 100 {
		t.Errorf("%d trackers were asked, want 100 at the most", len(asked))
	}
}
