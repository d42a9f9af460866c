package tracker

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"btda/events"
)

func TestAnnounceAnswer(t *testing.T) {
	asked := make(chan *http.Request, 1)
	base := served(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		io.WriteString(w, "d8:completei3e10:downloadedi9e11:external ip4:\x01\x02\x03\x0410:incompletei4e8:intervali1800e12:min intervali900e"+
			"5:peers13:\x7f\x00\x00\x01\x1a\xe1\x05\x06\x07\x08\x00\x50x6:peers618:"+strings.Repeat("\x20", 16)+"\x00\x35"+
			"10:tracker id3:a b15:warning message4:slowe\n")
	})
	tracker := base + "/announce?passkey=s%20cret"
	r := testRequest()
	r.TrackerID = "old id"
	got := testClient().Announce(t.Context(), tracker, r)
	if got.Failure != nil {
		t.Fatalf("failed: %+v", got.Failure)
	}
	request := <-asked
	query := request.URL.Query()
	if !strings.HasPrefix(request.URL.RawQuery, "passkey=s%20cret&info_hash=%00%12%20%25%26%2BaZ~-._%FF%80%2F%3F%23%3D%2A9&") {
		t.Errorf("query %s", request.URL.RawQuery)
	}
	for name, want := range map[string]string{"info_hash": string(testHash[:]), "peer_id": "-BT0001-abcdefghijkl", "port": "6884", "uploaded": "20",
		"downloaded": "50", "left": "51", "compact": "1", "numwant": "200", "event": "started", "trackerid": "old id", "passkey": "s cret"} {
		if query.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, query.Get(name), want)
		}
	}
	if query.Get("key") == "" {
		t.Error("no key")
	}
	a := got.Answer
	peers := slices.Collect(a.Peers.All())
	want := []events.Address{address("127.0.0.1:6881"), address("5.6.7.8:80"), address("[2020:2020:2020:2020:2020:2020:2020:2020]:53")}
	if !slices.Equal(peers, want) || a.InvalidPeers != 1 {
		t.Errorf("peers %v and %d invalid, want %v and 1", peers, a.InvalidPeers, want)
	}
	counts := []events.Optional{a.Seeders, a.Leechers, a.Completed, a.Interval, a.MinInterval}
	if !slices.Equal(counts, []events.Optional{events.Some(3), events.Some(4), events.Some(9), events.Some(1800), events.Some(900)}) {
		t.Errorf("counts %v", counts)
	}
	if a.Torrent != 7 || a.Tracker != tracker || a.Event != events.AnnounceStarted || a.Remote.String() != strings.TrimPrefix(base, "http://") ||
		a.Duration <= 0 || string(a.ExternalIP) != "\x01\x02\x03\x04" || a.Warning != "slow" || a.TrackerID != "a b" || got.Limit != nil || !got.Sent {
		t.Errorf("answer %+v", a)
	}
}

func address(text string) events.Address { return events.AddressOf(netip.MustParseAddrPort(text)) }

// What a tracker does not say, or says in a wrong way, is unknown and not 0.
func TestAnnounceUnknown(t *testing.T) {
	for _, body := range []string{
		"d5:peers0:e",
		"d8:completei-1e10:incomplete1:x8:intervali-5e12:min intervalle5:peers0:e",
		"d8:completele10:downloadedde11:external ip3:abc10:incompletei-3e8:interval4:18005:peerslee",
	} {
		got := testClient().Announce(t.Context(), served(t, saying(body))+"/announce", testRequest())
		if got.Failure != nil {
			t.Errorf("%s: failed: %+v", body, got.Failure)
			continue
		}
		a := got.Answer
		for _, o := range []events.Optional{a.Seeders, a.Leechers, a.Completed, a.Interval, a.MinInterval} {
			if o.Known {
				t.Errorf("%s: %+v", body, a)
			}
		}
		if len(a.ExternalIP) != 0 {
			t.Errorf("%s: external IP %v", body, a.ExternalIP)
		}
	}
}

func TestAnnouncePeerForms(t *testing.T) {
	cases := []struct {
		name, body string
		peers      []string
		invalid    uint32
	}{
		{"dictionaries", "d5:peersld2:ip7:1.2.3.44:porti5eed2:ip3:::14:porti6e7:peer id20:aaaaaaaaaaaaaaaaaaaaeee", []string{"1.2.3.4:5", "[::1]:6"}, 0},
		{"host names and nonsense", "d5:peersld2:ip11:example.com4:porti5eed2:ip7:1.2.3.44:porti65536eed2:ip7:1.2.3.44:porti-1eei5elee" + "e", nil, 5},
		{"port zero is a fact", "d5:peers6:\x01\x02\x03\x04\x00\x00e", []string{"1.2.3.4:0"}, 0},
		{"odd lengths", "d5:peers5:\x01\x02\x03\x04\x006:peers619:" + strings.Repeat("\x20", 19) + "e", []string{"[2020:2020:2020:2020:2020:2020:2020:2020]:8224"}, 2},
		{"only peers6", "d6:peers60:e", nil, 0},
		{"only an interval", "d8:intervali60ee", nil, 0},
		{"dictionaries in peers6", "d6:peers6ld2:ip3:::14:porti6eeee", []string{"[::1]:6"}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := testClient().Announce(t.Context(), served(t, saying(c.body))+"/announce", testRequest())
			if got.Failure != nil {
				t.Fatalf("failed: %+v", got.Failure)
			}
			var peers []string
			for p := range got.Answer.Peers.All() {
				peers = append(peers, p.String())
			}
			if !slices.Equal(peers, c.peers) || got.Answer.InvalidPeers != c.invalid {
				t.Errorf("peers %v and %d invalid, want %v and %d", peers, got.Answer.InvalidPeers, c.peers, c.invalid)
			}
		})
	}
}

func TestAnnounceTooManyPeers(t *testing.T) {
	const named = maxPeers + 10
	body := "d5:peers" + strconv.Itoa(named*events.CompactSize4) + ":" + strings.Repeat("\x01\x02\x03\x04\x00\x05", named) + "e"
	got := testClient().Announce(t.Context(), served(t, saying(body))+"/announce", testRequest())
	if got.Failure != nil || got.Answer.Peers.Len() != maxPeers {
		t.Fatalf("got %+v", got)
	}
	if want := (events.LimitReached{Torrent: 7, Limit: events.LimitAnswerPeers, Value: named, Bound: maxPeers}); got.Limit == nil || *got.Limit != want {
		t.Errorf("limit %+v, want %+v", got.Limit, want)
	}
}

func TestScrape(t *testing.T) {
	asked := make(chan *url.URL, 1)
	base := served(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL
		io.WriteString(w, "d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei1ee20:"+string(testHash[:])+
			"d8:completei5e10:downloadedi6e11:downloadersi2e10:incompletei7eee5:flagsd20:min_request_intervali90eee")
	})
	got := testClient().Scrape(t.Context(), base+"/announce.php?k=v", testRequest())
	if got.Failure != nil {
		t.Fatalf("failed: %+v", got.Failure)
	}
	if u := <-asked; u.Path != "/scrape.php" || u.Query().Get("k") != "v" || u.Query().Get("info_hash") != string(testHash[:]) {
		t.Errorf("asked %v", u)
	}
	a := got.Answer
	counts := []events.Optional{a.Seeders, a.Completed, a.Leechers, a.Downloaders}
	if !slices.Equal(counts, []events.Optional{events.Some(5), events.Some(6), events.Some(7), events.Some(2)}) || got.Wait.Seconds() != 90 || a.Torrent != 7 {
		t.Errorf("answer %+v, wait %v", a, got.Wait)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(saying("d5:peers0:e"))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if got := testClient(func(c *Config) { c.RootCAs = roots }).Announce(t.Context(), s.URL+"/announce", testRequest()); got.Failure != nil {
		t.Errorf("a certificate of a known authority: %+v", got.Failure)
	}
	got := testClient().Announce(t.Context(), s.URL+"/announce", testRequest())
	if got.Failure == nil || got.Failure.Reason != events.ReasonTLS || got.Failure.Phase != events.PhaseTLS || got.Sent {
		t.Errorf("a certificate of an unknown authority: %+v", got.Failure)
	}
}
