package session

import (
	"errors"
	"os"
	"time"

	"btda/events"
	"btda/recorder/netfail"
	"btda/recorder/wire"
)

// requestQueue is what we claim as the number of requests that may be outstanding: a usual number, since some clients take part of their
// behaviour from it. We are not interested and never unchoke, so that no request comes.
const requestQueue = 250

// greet says what is to be said right after the handshakes.
func (s *session) greet() {
	b := make([]byte, 0, 256)
	if s.theirs.Reserved.Extensions() {
		b = wire.AppendExtended(b, 0, wire.ExtensionHandshake{
			Exchange: !s.torrent().Private, Port: s.observer.Port, RequestQueue: requestQueue,
			Client: s.observer.Client, YourIP: s.link.contact.Address.Addr(),
		}.Append(nil))
	}
	if s.theirs.Reserved.Fast() {
		b = wire.AppendHaveNone(b)
	}
	if s.speaksDHT() {
		b = wire.AppendPort(b, s.observer.DHTPort)
	}
	if len(b) > 0 {
		s.send(b)
	}
}

// speaksDHT tells whether both sides have a DHT node that they may speak of.
func (s *session) speaksDHT() bool {
	return s.observer.dht(s.torrent()) && s.theirs.Reserved.DHT()
}

func (s *session) keepAlive() { s.send(wire.AppendKeepAlive(nil)) }

// send sends whole messages and records each.
func (s *session) send(b []byte) {
	s.conn.SetWriteDeadline(time.Now().Add(s.observer.Timeout))
	n, err := s.conn.Write(b)
	s.sent += uint64(n)
	s.tick()
	s.timers.spoke = s.now
	if err != nil {
		s.silence(err)
		return
	}
	for len(b) > 0 {
		head, _ := wire.ParseHead(b)
		s.counters.sent++
		s.append(s.at, &events.MessageSent{Session: s.number, Message: head.Kind, Extension: head.Extension, Length: head.Length})
		b = b[head.Size+head.Payload():]
	}
}

// silence stops sending to a peer that takes nothing more. What it sent before it left can still be read, for the timeout: the last
// pieces of a download may be among it.
func (s *session) silence(err error) {
	s.timers.muted = s.now + s.observer.Timeout
	reason, text := netfail.Classify(err)
	s.muteEnding = ending{by: events.Peer, reason: reason, text: text}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.muteEnding.by = events.Us
	}
}

// mute reports that nothing more is sent.
func (s *session) mute() bool { return s.timers.muted != never }

// giveUp ends a session to which nothing can be sent.
func (s *session) giveUp() { s.ended = s.muteEnding }
