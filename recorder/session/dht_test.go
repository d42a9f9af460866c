package session_test

import (
	"bytes"
	"net/netip"
	"testing"

	"btda/events"
	"btda/recorder/wire"
)

// The DHT (BEP 5) is spoken of when both sides have a node, and never for a private torrent (BEP 27).
func TestPortMessages(t *testing.T) {
	port := frame(events.Port, 0x1a, 0xe1)
	for name, c := range map[string]struct {
		ours    uint16 // port of our node
		theirs  wire.Reserved
		private bool
		sent    bool     // our port
		offered []string // the peer's node
	}{
		"both have a node":       {17000, wire.OurReserved(true), false, true, []string{"127.0.0.1:6881"}},
		"the peer has none":      {17000, wire.OurReserved(false), false, false, []string{"127.0.0.1:6881"}},
		"we have none":           {0, wire.OurReserved(true), false, false, nil},
		"the torrent is private": {17000, wire.OurReserved(true), true, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var said []byte
			s := serve(t, func(p peer) {
				if got := p.shake(c.theirs).Reserved.DHT(); got != (c.ours > 0 && !c.private) {
					t.Errorf("our handshake says %v", got)
				}
				said = append(p.message(), p.message()...)
				if c.sent {
					said = append(said, p.message()...)
				}
				p.write(port, port)
			})
			var offered []string
			s.DHTPort, s.OfferNode = c.ours, func(a netip.AddrPort) { offered = append(offered, netip.AddrPortFrom(a.Addr(), a.Port()).String()) }
			s.contact.Torrent.Private = c.private
			s.run(t.Context())
			if sent := bytes.HasSuffix(said, []byte{byte(events.Port), 0x42, 0x68}); sent != c.sent {
				t.Errorf("said %q", said)
			}
			if len(offered) != len(c.offered) || len(offered) > 0 && offered[0] != c.offered[0] {
				t.Errorf("offered %v, want %v", offered, c.offered)
			}
			if n := countOf(s, events.KindPortReceived); n != 2 {
				t.Errorf("%d ports are recorded, want 2", n)
			}
		})
	}
}

func countOf(s *served, kind events.Kind) (n int) {
	for _, r := range s.log.Records() {
		if r.Event.Kind() == kind {
			n++
		}
	}
	return n
}
