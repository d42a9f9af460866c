package recorder_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events"
	"btda/input"
	"btda/recorder"
	"btda/recorder/swarm"
)

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestASwarmBecomesFacts(t *testing.T) {
	full, leecher, refusing := startPeer(t, seed), startPeer(t, leech), closedPort(t)
	tracker := startTracker(t, &testTracker{peers: append(addressesOf(full, leecher), refusing, netip.MustParseAddrPort("127.0.0.1:0"))})
	r := record(t, testSettings(), testTorrent(tracker.url(), tracker.url()))
	r.await(events.KindSessionClosed, 2)
	if took := r.stop(nil); r.err != nil || took > testSettings().Timeout {
		t.Errorf("ended after %v with %v, want no error and that nothing is waited for", took, r.err)
	}
	records := r.log.Records()
	checkEnds(t, records, events.ReasonInterrupted)
	for _, e := range of[*events.SessionClosed](records) {
		if e.Reason != events.ReasonComplete || e.By != events.Us {
			t.Errorf("a session was closed by %v because of %v, want by us because of complete", e.By, e.Reason)
		}
	}
	if got := len(of[*events.HaveReceived](records)); got != 15 && got != testPieces {
		t.Errorf("%d haves, want those of the leecher up to the threshold", got)
	}
	if got := of[*events.ConnectionFailed](records); len(got) == 0 || got[0].Reason != events.ReasonRefused || got[0].Address.AddrPort != refusing {
		t.Errorf("failed connections %+v, want one refused by %v", got, refusing)
	}
	if got := of[*events.AddressRejected](records); len(got) != 1 || got[0].Reason != events.ReasonPortZero {
		t.Errorf("rejected addresses %+v, want the one with port 0", got)
	}
	if got := tracker.events(); !slices.Equal(slices.DeleteFunc(got, func(e string) bool { return e == "" }), []string{"started", "stopped"}) {
		t.Errorf("the tracker was told %q, want started and stopped", got)
	}
	if _, err := r.log.Append(t.Context(), 0, &events.PortReceived{}); err != errClosed {
		t.Errorf("append after the end: %v, want the log closed", err)
	}
}

func TestARunSaysWhoRecordsWhat(t *testing.T) {
	settings := testSettings()
	settings.Bind, settings.Port = []netip.Addr{netip.MustParseAddr("127.0.0.9")}, 6999
	second := testTorrent()
	second.InfoHash[0]++
	r := record(t, settings, testTorrent(), second)
	r.await(events.KindTorrentAdded, 2)
	r.stop(recorder.Stop{Reason: events.ReasonTerminated})
	records := r.log.Records()
	checkEnds(t, records, events.ReasonTerminated)
	run := of[*events.RunStarted](records)[0]
	if v, _ := run.Setting("threshold"); v != "0.98" || len(run.Configuration) != len(settings.Fields()) {
		t.Errorf("threshold %q and %d settings, want 0.98 and all %d", v, len(run.Configuration), len(settings.Fields()))
	}
	if run.Run == (events.RunID{}) || !strings.HasPrefix(string(run.PeerID[:]), "-BT") || run.Host == "" || !strings.HasPrefix(run.Program, "btda ") {
		t.Errorf("run %v, peer id %q, host %q, program %q: want all set", run.Run, run.PeerID[:], run.Host, run.Program)
	}
	if len(run.Addresses) != 1 || run.Addresses[0].String() != "127.0.0.9:6999" {
		t.Errorf("own addresses %v, want 127.0.0.9:6999", run.Addresses)
	}
	added := of[*events.TorrentAdded](records)
	if added[0].Torrent != 1 || added[1].Torrent != 2 || added[1].InfoHash != second.InfoHash || added[0].Metadata.PieceCount != testPieces {
		t.Errorf("torrents %+v %+v", added[0], added[1])
	}
}

func TestAPeerThatHangsUpIsReconnectedAndAFailingOneComesBack(t *testing.T) {
	leaving, silent := startPeer(t, hangUp), startPeer(t, nil)
	tracker := startTracker(t, &testTracker{peers: addressesOf(leaving, silent)})
	settings := testSettings()
	settings.Timeout, settings.Revisit = 500*time.Millisecond, 200*time.Millisecond
	r := record(t, settings, testTorrent(tracker.url()))
	r.await(events.KindSessionClosed, 4)
	r.await(events.KindConnectionFailed, 3)
	r.stop(nil)
	checkEnds(t, r.log.Records(), events.ReasonInterrupted)
	if leaving.visits() < 4 || silent.visits() < 3 {
		t.Errorf("%d and %d visits, want at least 4 and 3", leaving.visits(), silent.visits())
	}
}

func TestVisitsComeBackAfterTheRevisitDelay(t *testing.T) {
	visited := startPeer(t, mute)
	tracker := startTracker(t, &testTracker{peers: addressesOf(visited)})
	settings := testSettings()
	settings.Observe, settings.Timeout, settings.Revisit = recorder.Visit, 500*time.Millisecond, 300*time.Millisecond
	r := record(t, settings, testTorrent(tracker.url()))
	r.await(events.KindSessionClosed, 3)
	r.stop(nil)
	records := r.log.Records()
	closed, opened := of[*events.SessionClosed](records), times[*events.SessionOpened](records)
	if closed[0].Reason != events.ReasonQuiet {
		t.Errorf("the first visit ended because of %v, want quiet", closed[0].Reason)
	}
	if delay := opened[1].Sub(opened[0]); delay < settings.Timeout+settings.Revisit {
		t.Errorf("%v from one visit to the next, want at least timeout and revisit delay", delay)
	}
}

// times gives the times of the events of a type.
func times[E events.Event](records []events.Record) []events.Time {
	var list []events.Time
	for _, r := range records {
		if _, ok := r.Event.(E); ok {
			list = append(list, r.Time)
		}
	}
	return list
}

func TestStatisticsAreSampled(t *testing.T) {
	tracker := startTracker(t, &testTracker{peers: addressesOf(startPeer(t, idle), startPeer(t, idle))})
	settings := testSettings()
	settings.StatisticInterval = 50 * time.Millisecond
	r := record(t, settings, testTorrent(tracker.url()))
	r.await(events.KindBitfieldReceived, 2)
	got := r.Snapshot()
	if want := (swarm.Counts{Known: 2, Active: 2}); got.Total != want || len(got.Torrents) != 1 || got.Torrents[0].Counts != want || got.Torrents[0].Name != "a" {
		t.Errorf("snapshot %+v, want %+v in all and for the torrent", got, want)
	}
	r.await(events.KindStatisticSampled, len(of[*events.StatisticSampled](r.log.Records()))+2)
	r.stop(nil)
	samples := of[*events.StatisticSampled](r.log.Records())
	s := samples[len(samples)-2]
	if s.ActiveOutgoing != 2 || s.KnownPeers != 2 || s.OutgoingLimit != 1024 || s.PeakMemory < 1<<20 || !s.OpenDescriptors.Known {
		t.Errorf("sample %+v, want 2 active of 1024, 2 known, and what the system says", s)
	}
	if s := samples[len(samples)-1]; s.ActiveOutgoing != 0 {
		t.Errorf("%d active at the end, want none", s.ActiveOutgoing)
	}
}

func TestTheDurationEndsARecording(t *testing.T) {
	settings := testSettings()
	settings.Duration = 50 * time.Millisecond
	r := record(t, settings, testTorrent())
	r.ended(time.Now())
	checkEnds(t, r.log.Records(), events.ReasonDurationOver)
}

func TestNewSaysWhatDoesNotFit(t *testing.T) {
	excluding := testSettings()
	excluding.Exclude = "/nowhere/exclude"
	elsewhere := testSettings()
	elsewhere.Bind = []netip.Addr{netip.MustParseAddr("198.51.100.7")}
	for _, c := range []struct {
		settings recorder.Settings
		torrents []input.Torrent
		want     string
	}{
		{excluding, []input.Torrent{testTorrent()}, "--exclude"},
		{elsewhere, []input.Torrent{testTorrent()}, "--bind 198.51.100.7"},
		{testSettings(), nil, "no torrent"},
	} {
		if _, err := recorder.New(c.settings, c.torrents, recorder.Deps{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one that says %q", err, c.want)
		}
	}
}
