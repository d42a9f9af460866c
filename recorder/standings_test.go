package recorder

import (
	"fmt"
	"reflect"
	"testing"

	"btda/events"
	"btda/recorder/tracker"
)

func TestStandingsOfTrackers(t *testing.T) {
	const private, other = "http://tracker.example/0123456789abcdef0123456789abcdef/announce", "udp://other.example:80"
	refused := &events.TrackerAnnounceFailed{Reason: events.ReasonRefused}
	status := &events.TrackerAnnounceFailed{Reason: events.ReasonHTTPStatus, HTTPStatus: 500, Text: "sorry"}
	s := newStandings()
	if got := s.snapshot(); !reflect.DeepEqual(got, TrackersSnapshot{}) {
		t.Errorf("of no tracker: %+v", got)
	}
	for _, torrent := range []events.TorrentNumber{1, 2} {
		s.note(inquiry{torrent: torrent, url: other}, tracker.IPv4, refused)
	}
	s.note(inquiry{torrent: 1, url: private}, tracker.AnyFamily, status)
	want := TrackersSnapshot{Asked: 2, Failing: 2, Failures: []FailingTracker{
		{Tracker: other, Torrents: 2, Reason: events.ReasonRefused},
		{Tracker: events.MaskTracker(private), Torrents: 1, Reason: events.ReasonHTTPStatus, HTTPStatus: 500, Text: "sorry"},
	}}
	if got := s.snapshot(); !reflect.DeepEqual(got, want) || got.Failures[1].Tracker == private {
		t.Errorf("got %+v, want %+v", got, want)
	}

	s.note(inquiry{torrent: 1, url: other}, tracker.IPv6, nil) // over one family is enough
	s.note(inquiry{torrent: 1, url: private}, tracker.AnyFamily, nil)
	want = TrackersSnapshot{Asked: 2, Failing: 1, Failures: []FailingTracker{{Tracker: other, Torrents: 1, Reason: events.ReasonRefused}}}
	if got := s.snapshot(); !reflect.DeepEqual(got, want) {
		t.Errorf("when some answer: got %+v, want %+v", got, want)
	}
}

func TestStandingsShowAFewFailures(t *testing.T) {
	s := newStandings()
	for n := range 100 {
		s.note(inquiry{torrent: 1, url: fmt.Sprintf("http://%d.example/announce", n)}, tracker.IPv4, &events.TrackerAnnounceFailed{Reason: events.ReasonTimeout})
	}
	if got := s.snapshot(); got.Asked != 100 || got.Failing != 100 || len(got.Failures) != maxShownFailures {
		t.Errorf("got %+v", got)
	}
}
