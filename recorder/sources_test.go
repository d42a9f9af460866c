package recorder

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/input"
)

func TestTorrentsWithoutAnySourceAreNamed(t *testing.T) {
	bare, private := torrent{Torrent: input.Torrent{DisplayName: "bare"}}, torrent{Torrent: input.Torrent{DisplayName: "private"}}
	private.Metadata.Private = true
	tracked := torrent{Torrent: input.Torrent{DisplayName: "tracked", Tiers: []events.TrackerTier{{"http://tracker.example/announce"}}}}
	linked := torrent{Torrent: input.Torrent{DisplayName: "linked", Peers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:1")}}}
	for name, c := range map[string]struct {
		torrents []torrent
		settings Settings
		want     string // in the advice; empty for no advice
	}{
		"each has one":   {[]torrent{tracked, linked}, Settings{}, ""},
		"no name":        {[]torrent{{Torrent: input.Torrent{InfoHash: events.InfoHash{0xab}}}}, Settings{}, "peers of ab00"},
		"one has none":   {[]torrent{tracked, bare}, Settings{}, "peers of bare:"},
		"the DHT":        {[]torrent{bare}, Settings{DHT: true}, ""},
		"local trackers": {[]torrent{bare}, Settings{LocalTrackers: true}, ""},
		"an earlier run": {[]torrent{bare}, Settings{Continue: "run.events"}, ""},
		"never private":  {[]torrent{bare, private}, Settings{DHT: true, LocalTrackers: true}, "peers of private:"},
		"many":           {slices.Repeat([]torrent{bare}, 5), Settings{}, "peers of bare, bare, bare, and 2 more:"},
	} {
		var advice []string
		r := &Recorder{settings: c.settings, torrents: c.torrents, deps: Deps{Logger: discard, Advise: func(a string) { advice = append(advice, a) }}}
		r.adviseSources()
		if said := strings.Join(advice, "\n"); (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: advice %q, want one with %q", name, said, c.want)
		}
	}
}
