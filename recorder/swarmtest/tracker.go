package swarmtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"btda/events"
	"btda/input/bencode"
)

// TrackerOptions chooses a tracker.
type TrackerOptions struct {
	Address     netip.AddrPort // where it listens; 127.0.0.1 and a free port when not set
	Interval    time.Duration  // that it asks for, in whole seconds; 1 s when not set
	MinInterval time.Duration  // in whole seconds; not said when 0
}

// Tracker is a tracker over HTTP, with announce (BEP 3, 7, 23) and scrape (BEP 48), and over UDP (BEP 15) at the same port. Both speak
// of the same swarms.
type Tracker struct {
	URL    string // announce URL
	URLUDP string // announce URL of scheme udp

	options TrackerOptions
	server  http.Server
	udp     *udpTracker
	served  sync.WaitGroup

	mu        sync.Mutex
	swarms    map[events.InfoHash]*trackedSwarm
	announces []Announce
	changed   chan struct{} // closed by the next announce
}

// Announce is what a peer told the tracker.
type Announce struct {
	Time     time.Time
	InfoHash events.InfoHash
	PeerID   events.PeerID
	Peer     netip.AddrPort
	Event    events.AnnounceEvent
	Left     uint64 // bytes
}

// Counts are those of a scrape.
type Counts struct {
	Seeders, Completed, Leechers int
}

type trackedSwarm struct {
	peers     map[netip.AddrPort]uint64 // bytes left
	completed int
}

// StartTracker starts a tracker. It runs until Close.
func StartTracker(o TrackerOptions) (*Tracker, error) {
	if !o.Address.IsValid() {
		o.Address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	}
	o.Interval = cmp.Or(o.Interval, time.Second)
	listener, socket, err := listenBoth(o.Address)
	if err != nil {
		return nil, fmt.Errorf("swarmtest: tracker: %w", err)
	}
	where := listener.Addr().String() + "/announce"
	t := &Tracker{URL: "http://" + where, URLUDP: "udp://" + where, options: o, swarms: map[events.InfoHash]*trackedSwarm{}, changed: make(chan struct{})}
	t.udp = &udpTracker{tracker: t, socket: socket}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /announce", t.announce)
	routes.HandleFunc("GET /scrape", t.scrape)
	t.server.Handler = routes
	t.served.Go(func() { t.server.Serve(listener) })
	t.served.Go(t.udp.serve)
	return t, nil
}

// Close ends the tracker. Requests under way have a second to end.
func (t *Tracker) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := t.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = t.server.Close()
	}
	err = errors.Join(err, t.udp.socket.Close())
	t.served.Wait()
	return err
}

// Announces is all that peers told the tracker, in order.
func (t *Tracker) Announces() []Announce {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.announces)
}

// Told tells whether a peer named an event.
func (t *Tracker) Told(peer events.PeerID, event events.AnnounceEvent) bool {
	return slices.ContainsFunc(t.Announces(), func(a Announce) bool { return a.PeerID == peer && a.Event == event })
}

// WaitTold waits until a peer named an event.
func (t *Tracker) WaitTold(ctx context.Context, peer events.PeerID, event events.AnnounceEvent) error {
	for {
		t.mu.Lock()
		changed := t.changed
		t.mu.Unlock()
		if t.Told(peer, event) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("swarmtest: peer %v did not tell the tracker %v: %w", peer, event, ctx.Err())
		}
	}
}

// Counts gives what a scrape of a torrent would.
func (t *Tracker) Counts(hash events.InfoHash) Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts(hash)
}

func (t *Tracker) counts(hash events.InfoHash) Counts {
	s := t.swarms[hash]
	if s == nil {
		return Counts{}
	}
	c := Counts{Completed: s.completed}
	for _, left := range s.peers {
		if left == 0 {
			c.Seeders++
		} else {
			c.Leechers++
		}
	}
	return c
}

func (t *Tracker) announce(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	a, err := parseAnnounce(query, r.RemoteAddr)
	if err != nil {
		answer(w, map[string]any{"failure reason": err.Error()})
		return
	}
	want, err := strconv.Atoi(query.Get("numwant"))
	if err != nil {
		want = defaultWant
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(a)
	counts := t.counts(a.InfoHash)
	peers := t.peersFor(a, want)
	said := map[string]any{"interval": int64(t.options.Interval / time.Second), "complete": counts.Seeders, "incomplete": counts.Leechers,
		"downloaded": counts.Completed, "peers": append([]byte{}, peers.V4...)}
	if len(peers.V6) > 0 {
		said["peers6"] = peers.V6
	}
	if t.options.MinInterval > 0 {
		said["min interval"] = int64(t.options.MinInterval / time.Second)
	}
	answer(w, said)
}

const defaultWant = 50

// note keeps what a peer said.
func (t *Tracker) note(a Announce) {
	t.announces = append(t.announces, a)
	close(t.changed)
	t.changed = make(chan struct{})
	s := t.swarms[a.InfoHash]
	if s == nil {
		s = &trackedSwarm{peers: map[netip.AddrPort]uint64{}}
		t.swarms[a.InfoHash] = s
	}
	s.peers[a.Peer] = a.Left
	switch a.Event {
	case events.AnnounceStopped:
		delete(s.peers, a.Peer)
	case events.AnnounceCompleted:
		s.completed++
	}
}

// peersFor gives the other peers.
func (t *Tracker) peersFor(a Announce, want int) events.PeerList {
	var others []netip.AddrPort
	for p := range t.swarms[a.InfoHash].peers {
		if p != a.Peer {
			others = append(others, p)
		}
	}
	slices.SortFunc(others, netip.AddrPort.Compare)
	var list events.PeerList
	for _, p := range others[:min(max(want, 0), len(others))] {
		list.Append(p)
	}
	return list
}

// parseAnnounce reads the query of an announce.
func parseAnnounce(query url.Values, remote string) (Announce, error) {
	a := Announce{Time: time.Now()}
	if copy(a.InfoHash[:], query.Get("info_hash")) != len(a.InfoHash) || copy(a.PeerID[:], query.Get("peer_id")) != len(a.PeerID) {
		return a, errors.New("info_hash and peer_id must have 20 bytes")
	}
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return a, err
	}
	port, err := strconv.ParseUint(query.Get("port"), 10, 16)
	if err != nil {
		return a, fmt.Errorf("port: %w", err)
	}
	if a.Left, err = strconv.ParseUint(query.Get("left"), 10, 64); err != nil {
		return a, fmt.Errorf("left: %w", err)
	}
	if event := query.Get("event"); event != "" {
		if err := a.Event.UnmarshalText([]byte(event)); err != nil {
			return a, err
		}
	}
	a.Peer = netip.AddrPortFrom(from.Addr().Unmap(), uint16(port))
	return a, nil
}

func (t *Tracker) scrape(w http.ResponseWriter, r *http.Request) {
	files := map[string]any{}
	for _, text := range r.URL.Query()["info_hash"] {
		var hash events.InfoHash
		if copy(hash[:], text) == len(text) {
			c := t.Counts(hash)
			files[string(hash[:])] = map[string]any{"complete": c.Seeders, "downloaded": c.Completed, "incomplete": c.Leechers}
		}
	}
	answer(w, map[string]any{"files": files})
}

func answer(w http.ResponseWriter, said map[string]any) {
	encoded, err := bencode.Marshal(said)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Write(encoded)
}
