package recorder

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/input"
	"btda/recorder/wire"
)

// bubbleLog is a log in memory for a recording in a bubble, with its time.
type bubbleLog struct{ *eventstest.Log }

func (l bubbleLog) Appended() events.Seq         { return events.Seq(len(l.Records())) }
func (l bubbleLog) Durable() events.Seq          { return l.Appended() }
func (bubbleLog) Waits() (uint64, time.Duration) { return 0, 0 }
func (bubbleLog) Failed() <-chan struct{}        { return nil }
func (bubbleLog) Err() error                     { return nil }
func (bubbleLog) Close() error                   { return nil }

const bubblePieces = 400

// downloader is a peer that gets its pieces at a steady pace, whoever watches.
type downloader struct {
	began time.Time
	pace  time.Duration // a piece
	stops int           // pieces that it will ever get
}

func (d *downloader) pieces() int {
	return max(0, min(int(time.Since(d.began)/d.pace), d.stops))
}

// crowd is many peers, each at the other end of pipes. It is the dialer of the recording.
type crowd struct {
	peers   map[netip.AddrPort]*downloader
	serving sync.WaitGroup
}

func (c *crowd) Dial(_ context.Context, to netip.AddrPort) (net.Conn, error) {
	ours, theirs := net.Pipe()
	c.serving.Go(func() { c.peers[to].serve(theirs) })
	return ours, nil
}

// serve shakes hands, tells which pieces there are, and then tells of each that comes.
func (d *downloader) serve(conn net.Conn) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, wire.HandshakeSize)); err != nil {
		return
	}
	gone := make(chan struct{})
	go func() { defer close(gone); io.Copy(io.Discard, conn) }()
	had := d.pieces()
	bitfield := make([]byte, bubblePieces/8)
	for i := range had {
		bitfield[i/8] |= 0x80 >> (i % 8)
	}
	said := binary.BigEndian.AppendUint32(wire.Handshake{PeerID: events.PeerID{1}}.Append(nil), uint32(1+len(bitfield)))
	_, err := conn.Write(append(append(said, byte(events.Bitfield)), bitfield...))
	for ; err == nil; had++ {
		for had >= d.pieces() {
			select {
			case <-gone:
				return
			case <-time.After(d.pace / 2):
			}
		}
		_, err = conn.Write(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 5, byte(events.Have)}, uint32(had)))
	}
	<-gone
}

// newCrowd makes peers that join one after the other. Every third one stops half way; the others need ten minutes and more.
func newCrowd(count int) *crowd {
	c := &crowd{peers: make(map[netip.AddrPort]*downloader)}
	for i := range count {
		d := &downloader{began: time.Now().Add(time.Duration(i) * 3 * time.Second), pace: time.Duration(1500+97*(i%11)) * time.Millisecond, stops: bubblePieces}
		if i%3 == 0 {
			d.stops = bubblePieces / 2
		}
		c.peers[netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i), 7}), 6881)] = d
	}
	return c
}

func (c *crowd) addresses() events.PeerList {
	var list events.PeerList
	for a := range c.peers {
		list.Append(a)
	}
	return list
}

// recordCrowd records a crowd for a time and gives the facts.
func recordCrowd(t *testing.T, c *crowd, sessions int, lasts time.Duration) []events.Record {
	settings := DefaultSettings()
	settings.NoUTP = true // a socket would stop the time of the bubble
	settings.Events, settings.Sessions, settings.Duration = "somewhere.events", sessions, lasts
	log := bubbleLog{eventstest.NewLog()}
	torrent := input.Torrent{MetadataKnown: true, Metadata: events.Metadata{PieceCount: bubblePieces, TotalLength: bubblePieces << 14}}
	r, err := New(settings, []input.Torrent{torrent}, Deps{CreateLog: func(string) (Log, error) { return log, nil }, Dialer: c})
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- r.Run(t.Context()) }()
	synctest.Wait()
	r.live.Load().intake.offer(named{torrent: 1, source: events.SourceTracker, from: events.ScopePublic, peers: c.addresses()})
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	c.serving.Wait()
	return log.Records()
}

// sessionFacts is what a log says of one session.
type sessionFacts struct {
	address        netip.AddrPort
	opened, closed events.Time
	reason         events.Reason
	pieces         []pieceFact
}

type pieceFact struct {
	at    events.Time
	count int
}

// piecesAt is how many pieces the peer had told of at a time.
func (s *sessionFacts) piecesAt(at events.Time) (count int) {
	for _, p := range s.pieces {
		if p.at <= at {
			count = p.count
		}
	}
	return count
}

func sessionsOf(records []events.Record) map[events.SessionNumber]*sessionFacts {
	sessions := make(map[events.SessionNumber]*sessionFacts)
	for _, r := range records {
		switch e := r.Event.(type) {
		case *events.SessionOpened:
			sessions[e.Session] = &sessionFacts{address: e.Address.AddrPort, opened: r.Time}
		case *events.BitfieldReceived:
			sessions[e.Session].pieces = []pieceFact{{r.Time, ones(e.Bitfield)}}
		case *events.HaveReceived:
			s := sessions[e.Session]
			s.pieces = append(s.pieces, pieceFact{r.Time, s.piecesAt(r.Time) + 1})
		case *events.SessionClosed:
			sessions[e.Session].closed, sessions[e.Session].reason = r.Time, e.Reason
		}
	}
	return sessions
}

func ones(bitfield []byte) (n int) {
	for _, b := range bitfield {
		for ; b != 0; b &= b - 1 {
			n++
		}
	}
	return n
}

// There are five times as many peers as sessions. Each that finishes is seen before and after, and none gives way to one that is behind it.
func TestEveryPeerThatFinishesIsSeenAlthoughSessionsAreFew(t *testing.T) {
	const peers, limit = 100, 20
	var records []events.Record
	var c *crowd
	synctest.Test(t, func(t *testing.T) {
		c = newCrowd(peers)
		records = recordCrowd(t, c, limit, time.Hour)
	})
	sessions := sessionsOf(records)
	below, complete := make(map[netip.AddrPort]bool), make(map[netip.AddrPort]bool)
	gaveWay := 0
	for _, s := range sessions {
		if s.closed.Sub(s.opened) >= 2*time.Second && s.piecesAt(s.opened.Add(2*time.Second)) < bubblePieces*98/100 {
			below[s.address] = true
		}
		complete[s.address] = complete[s.address] || s.reason == events.ReasonComplete
		if s.reason == events.ReasonSlotNeeded {
			gaveWay++
			checkGaveWay(t, s, sessions)
		}
	}
	for a, d := range c.peers {
		if finishes := d.stops == bubblePieces; !below[a] || complete[a] != finishes {
			t.Errorf("%v, which finishes: %v, was seen below: %v, and complete: %v", a, finishes, below[a], complete[a])
		}
	}
	if gaveWay < peers || gaveWay > peers*20 {
		t.Errorf("%d sessions gave way, want some for each peer and no storm", gaveWay)
	}
	if n := countLimits(records, events.LimitOutgoingSessions); n < 5 || n > 12 {
		t.Errorf("%d times in an hour the limit of sessions was recorded, want once a statistic interval", n)
	}
	t.Logf("%d sessions, %d gave way", len(sessions), gaveWay)
}

// checkGaveWay checks that a session lasted a while, and that none which had lasted as long was behind it.
func checkGaveWay(t *testing.T, gone *sessionFacts, sessions map[events.SessionNumber]*sessionFacts) {
	t.Helper()
	const stay = 8 * time.Second
	if lasted := gone.closed.Sub(gone.opened); lasted < stay {
		t.Errorf("%v gave way after %v, want a minimum stay of %v", gone.address, lasted, stay)
	}
	for _, s := range sessions {
		stayed := s.closed > gone.closed && gone.closed.Sub(s.opened) >= stay && s.closed.Sub(gone.closed) > slotInterval/2
		if stayed && s.piecesAt(gone.closed) < gone.piecesAt(gone.closed) {
			t.Errorf("%v gave way with %d pieces, and %v stayed with %d", gone.address, gone.piecesAt(gone.closed), s.address, s.piecesAt(gone.closed))
		}
	}
}

func countLimits(records []events.Record, limit events.Limit) (n int) {
	for _, r := range records {
		if e, ok := r.Event.(*events.LimitReached); ok && e.Limit == limit {
			n++
		}
	}
	return n
}
