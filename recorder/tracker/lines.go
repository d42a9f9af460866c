package tracker

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// lines are the sockets to UDP trackers, one for each address that was asked in the last minute.
type lines struct {
	open func(ctx context.Context, to netip.AddrPort) (*line, error)

	mu      sync.Mutex
	byPeer  map[netip.AddrPort]*sharedLine
	closed  bool
	readers sync.WaitGroup
}

// sharedLine is a line and how many requests use it. A line without any is closed after the life of its connection id.
type sharedLine struct {
	*line
	users int
	idle  *time.Timer
}

func newLines(open func(ctx context.Context, to netip.AddrPort) (*line, error)) *lines {
	return &lines{open: open, byPeer: make(map[netip.AddrPort]*sharedLine)}
}

// get gives the line to an address. It must be given back with release.
func (s *lines) get(ctx context.Context, to netip.AddrPort) (*sharedLine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	shared := s.byPeer[to]
	if shared == nil || shared.failed() {
		opened, err := s.open(ctx, to)
		if err != nil {
			return nil, err
		}
		shared = &sharedLine{line: opened}
		shared.idle = time.AfterFunc(connectionLife, func() { s.closeIdle(shared) })
		s.byPeer[to] = shared
		s.readers.Go(opened.read)
	}
	shared.idle.Stop()
	shared.users++
	return shared, nil
}

// release gives a line back.
func (s *lines) release(shared *sharedLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shared.users--
	switch {
	case shared.users > 0:
	case shared.failed():
		s.drop(shared)
	default:
		shared.idle.Reset(connectionLife)
	}
}

// drop forgets a line, unless another one has taken its place.
func (s *lines) drop(shared *sharedLine) {
	if s.byPeer[shared.remote] == shared {
		delete(s.byPeer, shared.remote)
	}
}

func (s *lines) closeIdle(shared *sharedLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if shared.users > 0 {
		return
	}
	shared.fail(net.ErrClosed)
	s.drop(shared)
}

// close closes all lines and waits for their readers. Requests under way end with net.ErrClosed.
func (s *lines) close() {
	s.mu.Lock()
	s.closed = true
	for _, shared := range s.byPeer {
		shared.idle.Stop()
		shared.fail(net.ErrClosed)
	}
	s.mu.Unlock()
	s.readers.Wait()
}
