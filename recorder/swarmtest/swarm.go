package swarmtest

import (
	"context"
	"errors"
	"net/netip"
)

// Options chooses a swarm.
type Options struct {
	Payload PayloadOptions // its Trackers come after the one of the swarm
	Tracker TrackerOptions
	UDP     bool       // the torrent names the tracker a second time, by its UDP URL
	First   netip.Addr // address of the first client that has none; the next ones follow. 127.0.1.1 when not set
}

// Swarm is a tracker and clients. It is not safe for concurrent use, its clients and its tracker are.
type Swarm struct {
	Payload *Payload
	Tracker *Tracker
	Clients []*Client // in the order in which they were started

	next netip.Addr
}

// New starts the tracker of a swarm, which has no clients yet. It runs until Close.
func New(o Options) (*Swarm, error) {
	tracker, err := StartTracker(o.Tracker)
	if err != nil {
		return nil, err
	}
	named := []string{tracker.URL}
	if o.UDP {
		named = append(named, tracker.URLUDP)
	}
	o.Payload.Trackers = append(named, o.Payload.Trackers...)
	payload, err := NewPayload(o.Payload)
	if err != nil {
		return nil, errors.Join(err, tracker.Close())
	}
	s := &Swarm{Payload: payload, Tracker: tracker, next: o.First}
	if !s.next.IsValid() {
		s.next = netip.AddrFrom4([4]byte{127, 0, 1, 1})
	}
	return s, nil
}

// Start starts clients. Those without an address get one of their own.
func (s *Swarm) Start(clients ...ClientOptions) error {
	for _, o := range clients {
		if !o.Address.IsValid() {
			o.Address, s.next = s.next, s.next.Next()
		}
		c, err := StartClient(s.Payload, o)
		if err != nil {
			return err
		}
		s.Clients = append(s.Clients, c)
	}
	return nil
}

// Wait waits until every client has as many pieces as it wants.
func (s *Swarm) Wait(ctx context.Context) error {
	for _, c := range s.Clients {
		if err := c.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the clients, then the tracker.
func (s *Swarm) Close() error {
	var failures []error
	for _, c := range s.Clients {
		failures = append(failures, c.Close())
	}
	return errors.Join(append(failures, s.Tracker.Close())...)
}
