package main_test

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/swarmtest/realclient"
)

// magnetCast is who takes part. The download takes about 20 s, of which the recorders miss the beginning.
var magnetCast = []realclient.Options{
	{Name: "transmission", Kind: realclient.Transmission, Full: true},
	{Name: "libtorrent", Kind: realclient.Libtorrent, Rate: 400_000},
	{Name: "seed", Kind: realclient.Libtorrent, Full: true},
}

// magnetSource is how a recorder comes to the peers of a magnet link, and who must have given the metadata.
type magnetSource struct {
	realMode
	link  func(*realSwarm) []string // the parts of the link behind the info hash
	giver string                    // its name; empty for any
	from  events.Direction
}

func peerOf(name string) func(*realSwarm) []string {
	return func(s *realSwarm) []string { return []string{"x.pe=" + s.client(name).AddrPorts()[0].String()} }
}

func trackerOf(s *realSwarm) []string {
	return []string{"tr=" + url.QueryEscape(s.tracker.URL("http"))}
}

func only(name string) func(*realclient.Client) bool {
	return func(c *realclient.Client) bool { return c.Name == name }
}

var magnetSources = []magnetSource{
	{realMode{name: "incoming", args: []string{"-p"}, address: "127.0.13.1", early: true, meets: only("libtorrent"), assumes: noClient}, trackerOf, "", events.Incoming},
	{realMode{name: "tracker", args: []string{"-a"}, address: "127.0.13.2", meets: everyClient, assumes: noClient}, trackerOf, "", events.Outgoing},
	{realMode{name: "x.pe of transmission", args: []string{"-a"}, address: "127.0.13.3", meets: only("transmission"), assumes: noClient},
		peerOf("transmission"), "transmission", events.Outgoing},
	{realMode{name: "x.pe of libtorrent", args: []string{"-a"}, address: "127.0.13.4", meets: only("libtorrent"), assumes: noClient},
		peerOf("libtorrent"), "libtorrent", events.Outgoing},
}

// TestRealClientsMagnet demands that magnet links are resolved by real clients, whether these are named by a tracker or the link, or come
// by themselves, and that downloads are confirmed as exactly as those of .torrent files.
func TestRealClientsMagnet(t *testing.T) {
	needRealClients(t)
	ctx, cancel := context.WithTimeout(t.Context(), realPatience)
	defer cancel()
	s := newRealSwarm(ctx, t)
	recordings := make([]*realRecording, len(magnetSources))
	begin := func(early bool) {
		for i, m := range magnetSources {
			if m.early == early {
				recordings[i] = s.recordMagnet(ctx, t, m)
			}
		}
	}
	begin(true)
	if err := s.tracker.WaitPeers(ctx, s.payload.InfoHash, 1); err != nil {
		t.Fatal(err)
	}
	for _, o := range magnetCast {
		s.startClient(ctx, t, o)
	}
	if err := s.tracker.WaitPeers(ctx, s.payload.InfoHash, 1+len(magnetCast)); err != nil {
		t.Fatal(err)
	}
	begin(false)
	s.wait(ctx, t)
	for _, r := range recordings {
		r.signal(syscall.SIGINT)
	}
	for i, r := range recordings {
		r.end(t)
		t.Run(r.mode.name, func(t *testing.T) {
			s.judge(t, r)
			s.judgeGiver(t, magnetSources[i], readLog(t, r.events))
		})
	}
}

// recordMagnet starts a recording of a magnet link.
func (s *realSwarm) recordMagnet(ctx context.Context, t *testing.T, m magnetSource) *realRecording {
	t.Helper()
	folder := filepath.Join(s.folder, strings.ReplaceAll(m.name, " ", "-")) // of its own, since metadata is kept beside the log
	link := strings.Join(append([]string{fmt.Sprintf("magnet:?xt=urn:btih:%v", s.payload.InfoHash)}, m.link(s)...), "&")
	return recordReal(ctx, t, m.realMode, observed{what: link, events: filepath.Join(folder, "magnet.events")})
}

// client gives a client by its name.
func (s *realSwarm) client(name string) *realclient.Client {
	return s.clients[slices.IndexFunc(s.clients, func(c *realclient.Client) bool { return c.Name == name })]
}

// judgeGiver demands that the metadata came, once and soon, from a session of the right kind.
func (s *realSwarm) judgeGiver(t *testing.T, m magnetSource, records []events.Record) {
	t.Helper()
	sessions := make(map[events.SessionNumber]events.Record)
	received := 0
	for _, r := range records {
		switch e := r.Event.(type) {
		case *events.SessionOpened:
			sessions[e.Session] = r
		case *events.MetadataFailed:
			t.Errorf("%+v", *e)
		case *events.MetadataReceived:
			received++
			opened := sessions[e.Session].Event.(*events.SessionOpened)
			giver := s.ownerOf(opened.Address.AddrPort)
			if giver == nil || m.giver != "" && giver.Name != m.giver || opened.Direction != m.from {
				t.Errorf("the metadata came from %+v, which is %+v, want %s %v", opened, giver, m.giver, m.from)
			}
			t.Logf("metadata after %v of the session with %s", r.Time.Sub(sessions[e.Session].Time).Round(time.Millisecond), giver.Name)
		}
	}
	if received != 1 {
		t.Errorf("metadata was received %d times", received)
	}
}
