package tracker_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"btda/recorder/tracker"
)

// nameServer is a DNS server on loopback.
type nameServer struct {
	t     testing.TB
	conn  net.PacketConn
	names map[string]string                   // of addresses, as in 1.0.0.127.in-addr.arpa.
	srv   map[string][]dnsmessage.SRVResource // by domain, as in _bittorrent-tracker._tcp.example.com.

	mu    sync.Mutex
	asked []string
}

func startNameServer(t testing.TB, s *nameServer) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.t, s.conn = t, conn
	done := make(chan struct{})
	go func() { defer close(done); s.serve() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (s *nameServer) serve() {
	buffer := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if err := query.Unpack(buffer[:n]); err != nil || len(query.Questions) != 1 {
			s.t.Errorf("a query that is none: %v", err)
			continue
		}
		answer, err := s.answer(query)
		if err != nil {
			s.t.Error(err)
			continue
		}
		s.conn.WriteTo(answer, from)
	}
}

// questions are the names that were asked for, in their order.
func (s *nameServer) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *nameServer) answer(query dnsmessage.Message) ([]byte, error) {
	q := query.Questions[0]
	s.mu.Lock()
	s.asked = append(s.asked, q.Name.String())
	s.mu.Unlock()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true}, Questions: query.Questions}
	add := func(body dnsmessage.ResourceBody) {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: body})
	}
	if name := s.names[q.Name.String()]; name != "" && q.Type == dnsmessage.TypePTR {
		add(&dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(name)})
	}
	if q.Type == dnsmessage.TypeSRV {
		for _, r := range s.srv[q.Name.String()] {
			add(&r)
		}
	}
	if len(m.Answers) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	}
	return m.Pack()
}

func TestFindLocal(t *testing.T) {
	tracker1 := dnsmessage.SRVResource{Priority: 1, Port: 6969, Target: dnsmessage.MustNewName("tracker.example.net.")}
	tracker2 := dnsmessage.SRVResource{Priority: 2, Port: 80, Target: dnsmessage.MustNewName("second.example.net.")}
	names := map[string]string{"7.2.0.192.in-addr.arpa.": "host-7.pool.city.example.net."}
	const service = "_bittorrent-tracker._tcp."
	cases := []struct {
		name  string
		srv   map[string][]dnsmessage.SRVResource
		want  []string
		asked []string
	}{
		{"of the name itself", map[string][]dnsmessage.SRVResource{service + "host-7.pool.city.example.net.": {tracker2, tracker1}},
			[]string{"http://tracker.example.net:6969/announce", "http://second.example.net:80/announce"},
			[]string{service + "host-7.pool.city.example.net."}},
		{"of a domain above", map[string][]dnsmessage.SRVResource{service + "example.net.": {tracker1}},
			[]string{"http://tracker.example.net:6969/announce"},
			[]string{service + "host-7.pool.city.example.net.", service + "pool.city.example.net.", service + "city.example.net.", service + "example.net."}},
		{"none, and the top is not asked", map[string][]dnsmessage.SRVResource{service + "net.": {tracker1}}, nil,
			[]string{service + "host-7.pool.city.example.net.", service + "pool.city.example.net.", service + "city.example.net.", service + "example.net."}},
		{"a service that is not offered", map[string][]dnsmessage.SRVResource{service + "example.net.": {{Target: dnsmessage.MustNewName(".")}}}, nil,
			[]string{service + "host-7.pool.city.example.net.", service + "pool.city.example.net.", service + "city.example.net.", service + "example.net."}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := &nameServer{names: names, srv: c.srv}
			got, err := tracker.FindLocal(t.Context(), startNameServer(t, server), netip.MustParseAddr("192.0.2.7"))
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
			if asked := server.questions()[1:]; !slices.Equal(asked, c.asked) {
				t.Errorf("asked for %q, want %q", asked, c.asked)
			}
		})
	}
}

func TestFindLocalOfAnAddressWithoutName(t *testing.T) {
	got, err := tracker.FindLocal(t.Context(), startNameServer(t, new(nameServer)), netip.MustParseAddr("192.0.2.8"))
	if err == nil || got != nil {
		t.Errorf("got %q, %v, want an error", got, err)
	}
}

// However many names and trackers the DNS gives, few are asked.
func TestFindLocalIsBounded(t *testing.T) {
	long := "a.b.c.d.e.f.g.h.i.j.k.l.m.n.example.net."
	many := make([]dnsmessage.SRVResource, 30)
	for i := range many {
		many[i] = dnsmessage.SRVResource{Priority: uint16(i), Port: 1, Target: dnsmessage.MustNewName("t.example.net.")}
	}
	server := &nameServer{names: map[string]string{"9.2.0.192.in-addr.arpa.": long},
		srv: map[string][]dnsmessage.SRVResource{"_bittorrent-tracker._tcp.example.net.": many}}
	got, err := tracker.FindLocal(t.Context(), startNameServer(t, server), netip.MustParseAddr("192.0.2.9"))
	if err != nil || len(got) != 8 || len(server.questions()) != 1+9 {
		t.Errorf("%d trackers, %v, after %d questions, want 8 after 10", len(got), err, len(server.questions()))
	}
}
