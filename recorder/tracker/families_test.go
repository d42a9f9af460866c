package tracker

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

// fakeNames are host names with their addresses.
type fakeNames map[string][]string

// LookupNetIP gives the addresses of a name.
func (f fakeNames) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	var addresses []netip.Addr
	for _, text := range f[host] {
		addresses = append(addresses, netip.MustParseAddr(text))
	}
	if len(addresses) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addresses, nil
}

func TestFamiliesOfURL(t *testing.T) {
	c := udpClient(t)
	for url, want := range map[string][]Family{
		"udp://tracker.example:1/announce": {IPv4, IPv6}, "http://tracker.example/announce": {IPv4, IPv6}, "https://localhost/announce": {IPv4, IPv6},
		"udp://127.0.0.1:1/announce": {AnyFamily}, "http://[::1]/announce": {AnyFamily}, "wss://tracker.example/announce": {AnyFamily}, "http:///a": {AnyFamily}, "%": {AnyFamily},
	} {
		if got := c.Families(url); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}

// Who is asked, and who tells what is wrong, over each family.
func TestElsewhere(t *testing.T) {
	names := fakeNames{
		"both.test": {"127.0.0.1", "::1"}, "four.test": {"127.0.0.1"}, "six.test": {"::1"}, "mapped.test": {"::ffff:127.0.0.1"},
		"late.test": {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "::1"},
	}
	cases := []struct {
		host       string
		bind       []string
		over4, at6 bool // asked over IPv4 and over IPv6
	}{
		{"both.test", nil, true, true},
		{"four.test", nil, true, false},
		{"six.test", nil, false, true},
		{"mapped.test", nil, true, false},
		{"late.test", nil, true, true},
		{"none.test", nil, true, false},
		{"both.test", []string{"127.0.0.1"}, true, false},
		{"both.test", []string{"::1"}, false, true},
		{"four.test", []string{"::1"}, true, false},
		{"six.test", []string{"127.0.0.1"}, false, true},
	}
	for _, c := range cases {
		client := udpClient(t, func(config *Config) {
			config.Names = names
			for _, b := range c.bind {
				config.Bind = append(config.Bind, netip.MustParseAddr(b))
			}
		})
		to, _, err := client.protocolOf("udp://" + c.host + ":1/announce")
		if err != nil {
			t.Fatal(err)
		}
		got4, got6 := !client.elsewhere(t.Context(), to, IPv4), !client.elsewhere(t.Context(), to, IPv6)
		if got4 != c.over4 || got6 != c.at6 {
			t.Errorf("%s from %v: asked over IPv4 %v and over IPv6 %v, want %v and %v", c.host, c.bind, got4, got6, c.over4, c.at6)
		}
	}
}

// listening is what listens on a port.
type listening interface {
	Addr() net.Addr
	Close() error
}

// bothLoopbacks opens something on both loopback addresses with one port, which must be free on both.
func bothLoopbacks[T listening](t *testing.T, open func(address string) (T, error)) (opened [2]T, port string) {
	t.Helper()
	for range 20 {
		four, err := open("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(four.Addr().String())
		six, err := open("[::1]:" + port)
		if err == nil {
			return [2]T{four, six}, port
		}
		four.Close()
	}
	t.Fatal("no port is free on 127.0.0.1 and on ::1")
	return opened, ""
}

// serveBoth starts a UDP tracker on both families with one port.
func serveBoth(t *testing.T) (port string) {
	t.Helper()
	servers, port := bothLoopbacks(t, listenUDP)
	for _, s := range servers {
		s.start(t, nil)
	}
	return port
}

// outcomes lists what an announcer recorded over each family: kinds and events, in order.
func outcomes(log *eventstest.Log) (over map[string][]string) {
	over = make(map[string][]string)
	for _, r := range log.Records() {
		switch e := r.Event.(type) {
		case *events.TrackerAnnounced:
			over[e.Remote.Addr().String()] = append(over[e.Remote.Addr().String()], e.Event.String())
		case *events.TrackerScraped:
			over[e.Remote.Addr().String()] = append(over[e.Remote.Addr().String()], "scrape")
		case *events.TrackerAnnounceFailed:
			over[e.Remote.Addr().String()] = append(over[e.Remote.Addr().String()], e.Event.String()+" failed")
		default:
			over["other"] = append(over["other"], r.Event.Kind().String())
		}
	}
	return over
}

// A host name with both families is asked over both, over UDP as over HTTP; each is told stopped at the end.
func TestAnnouncerBothFamilies(t *testing.T) {
	for _, url := range []string{"udp://both.test:" + serveBoth(t) + "/announce", "http://both.test:" + serveBothHTTP(t) + "/announce"} {
		log := eventstest.NewLog()
		client := udpClient(t, func(c *Config) { c.Names = fakeNames{"both.test": {"::1", "127.0.0.1"}} })
		runUntil(t, &Announcer{Client: client, Log: log, Tracker: url, Request: testRequest(), Interval: time.Hour}, log, eventstest.Has(events.KindTrackerScraped, 2))
		want := []string{"started", "scrape", "stopped"}
		over := outcomes(log)
		if len(over) != 2 || !slices.Equal(over["127.0.0.1"], want) || !slices.Equal(over["::1"], want) {
			t.Errorf("%s: %v, want %v over each family", url, over, want)
		}
	}
}

// serveBothHTTP starts an HTTP tracker on both families with one port.
func serveBothHTTP(t *testing.T) (port string) {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/scrape") {
			io.WriteString(w, "d5:filesd20:"+string(testHash[:])+"d8:completei5eeee")
			return
		}
		io.WriteString(w, "d8:intervali1800e5:peers0:e")
	})
	listeners, port := bothLoopbacks(t, func(address string) (net.Listener, error) { return net.Listen("tcp", address) })
	server := &http.Server{Handler: handler}
	var served sync.WaitGroup
	for _, l := range listeners {
		served.Go(func() { server.Serve(l) })
	}
	t.Cleanup(func() { server.Close(); served.Wait() })
	return port
}

// runUntil runs an announcer until its log has what is waited for, and then to its end.
func runUntil(t *testing.T, a *Announcer, log *eventstest.Log, enough func([]events.Record) bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	patience, done := context.WithTimeout(t.Context(), 20*time.Second)
	defer done()
	if err := log.Wait(patience, enough); err != nil {
		t.Errorf("%v:\n%s", err, eventstest.Format(log.Records()))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Over a family that a host lacks nothing is recorded; a family that fails is recorded beside one that answers.
func TestAnnouncerOneFamily(t *testing.T) {
	s := serveUDP(t, "127.0.0.1", nil)
	_, port, _ := net.SplitHostPort(s.LocalAddr().String())
	client := udpClient(t, func(c *Config) {
		c.Names = fakeNames{"four.test": {"127.0.0.1"}, "both.test": {"127.0.0.1", "::1"}}
		c.Timeout = time.Second
	})
	for host, want := range map[string][]string{"four.test": nil, "both.test": {"started failed"}} {
		log := eventstest.NewLog()
		a := &Announcer{Client: client, Log: log, Tracker: "udp://" + host + ":" + port + "/announce", Request: testRequest(), Interval: time.Hour}
		runUntil(t, a, log, func(records []events.Record) bool {
			return eventstest.Has(events.KindTrackerScraped, 1)(records) && eventstest.Has(events.KindTrackerAnnounceFailed, len(want))(records)
		})
		over := outcomes(log)
		if !slices.Equal(over["127.0.0.1"], []string{"started", "scrape", "stopped"}) || !slices.Equal(over["::1"], want) {
			t.Errorf("%s: %v", host, over)
		}
	}
}

// The second address of a name is asked when the first does not answer.
func TestUDPNextAddress(t *testing.T) {
	good := serveUDP(t, "127.0.0.1", nil)
	_, port, _ := net.SplitHostPort(good.LocalAddr().String())
	serveUDP(t, "127.0.0.2:"+port, func(*udpServer, udpQuestion) {})
	client := udpClient(t, func(c *Config) {
		c.Names = fakeNames{"two.test": {"127.0.0.2", "127.0.0.1"}}
		c.Timeout = 2 * time.Second
	})
	checkGood(t, good, client.Announce(t.Context(), "udp://two.test:"+port+"/announce", testRequest()))
}

// countedNames counts how often it is asked.
type countedNames struct {
	fakeNames
	asked int
}

// LookupNetIP gives the addresses of a name.
func (c *countedNames) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	c.asked++
	return c.fakeNames.LookupNetIP(ctx, network, host)
}

// A name is asked for once in a while, one that is not known each time; there is a bound to what is remembered.
func TestRememberedNames(t *testing.T) {
	now := events.Time(0)
	source := &countedNames{fakeNames: fakeNames{"a.test": {"127.0.0.1", "::1"}}}
	names := &rememberedNames{from: source, now: func() events.Time { return now }, known: make(map[string]knownName)}
	for i, step := range []struct {
		host  string
		wait  time.Duration
		asked int
	}{{"a.test", 0, 1}, {"a.test", nameLife - 1, 1}, {"a.test", 1, 2}, {"a.test", 0, 2}, {"b.test", 0, 3}, {"b.test", 0, 4}} {
		now = now.Add(step.wait)
		addresses, err := names.LookupNetIP(t.Context(), "ip", step.host)
		if (err == nil) != (len(addresses) == 2) || source.asked != step.asked {
			t.Errorf("step %d: %v, %v, asked %d times, want %d", i, addresses, err, source.asked, step.asked)
		}
	}
	for i := range 2 * maxNames {
		names.LookupNetIP(t.Context(), "ip", netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String())
	}
	if n := len(names.known); n > maxNames {
		t.Errorf("%d names remembered, want at most %d", n, maxNames)
	}
}

// A name that is not known, or has no address of the family.
func TestUDPNames(t *testing.T) {
	client := udpClient(t, func(c *Config) { c.Names = fakeNames{"six.test": {"::1"}} })
	r := testRequest()
	r.Family = IPv4
	got := client.Announce(t.Context(), "udp://none.test:1/announce", r)
	if f := got.Failure; f == nil || f.Reason != events.ReasonNameNotFound || f.Phase != events.PhaseResolve || f.Remote.IsValid() {
		t.Errorf("%+v", f)
	}
	if got := client.Announce(t.Context(), "udp://six.test:1/announce", r); !got.Elsewhere || got.Failure != nil || got.Answer != nil {
		t.Errorf("%+v", got)
	}
	if got := client.Scrape(t.Context(), "udp://six.test:1/announce", r); got.Failure == nil || got.Failure.Reason != events.ReasonNameNotFound {
		t.Errorf("%+v", got.Failure)
	}
}
