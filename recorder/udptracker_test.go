package recorder_test

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/swarmtest"
)

// introduce tells a tracker of a peer.
func introduce(t *testing.T, to *swarmtest.Tracker, p *testPeer) {
	t.Helper()
	said := url.Values{"info_hash": {string(testHash[:])}, "peer_id": {string(p.id[:])}, "port": {fmt.Sprint(p.addr().Port())}, "left": {"1"}}
	response, err := http.Get(to.URL + "?" + said.Encode())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

// Peers that a UDP tracker names are observed, beside a UDP tracker that says nothing, and the end is told to the one and is not held
// up by the other.
func TestUDPTrackersAreRecorded(t *testing.T) {
	tracker, err := swarmtest.StartTracker(swarmtest.TrackerOptions{Interval: 30 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	introduce(t, tracker, startPeer(t, idle))
	silent, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	settings := testSettings()
	settings.Timeout = 2 * time.Second
	r := record(t, settings, testTorrent(tracker.URLUDP, "udp://"+silent.LocalAddr().String()+"/announce"))
	r.await(events.KindBitfieldReceived, 1)
	r.await(events.KindTrackerScraped, 1)
	r.await(events.KindTrackerAnnounceFailed, 1)
	if took := r.stop(nil); r.err != nil || took > settings.Timeout+2*time.Second {
		t.Errorf("ended after %v with %v, want no error within the timeout plus 2 s", took, r.err)
	}
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	if told := of[*events.TrackerAnnounced](records); len(told) != 2 || told[0].Event != events.AnnounceStarted || told[1].Event != events.AnnounceStopped {
		t.Errorf("announced %+v, want started and stopped", told)
	}
	if me := of[*events.RunStarted](records)[0].PeerID; !tracker.Told(me, events.AnnounceStopped) {
		t.Errorf("the tracker was told %+v", tracker.Announces())
	}
	if failed := of[*events.TrackerAnnounceFailed](records)[0]; failed.Reason != events.ReasonTimeout || failed.Phase != events.PhaseTransaction {
		t.Errorf("failed %+v", failed)
	}
}
