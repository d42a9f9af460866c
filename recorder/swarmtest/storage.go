package swarmtest

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/anacrolix/torrent/metainfo"
	"github.com/anacrolix/torrent/storage"
)

// Progress is how many pieces a client had from a time on.
type Progress struct {
	Time   time.Time
	Pieces int
}

// memory is the storage of one torrent of one client, and the witness of its progress.
type memory struct {
	goal    int           // pieces
	reached chan struct{} // closed when the goal is reached

	mu       sync.RWMutex
	data     []byte
	verified []bool
	history  []Progress
}

// newMemory returns an empty storage, or a full one for a payload that is there already.
func newMemory(p *Payload, goal int, full bool) *memory {
	m := &memory{goal: goal, reached: make(chan struct{}), verified: make([]bool, p.PieceCount)}
	first := Progress{Time: time.Now()}
	if full {
		m.data, first.Pieces = p.data, p.PieceCount
		for i := range m.verified {
			m.verified[i] = true
		}
		close(m.reached)
	} else {
		m.data = make([]byte, len(p.data))
	}
	m.history = []Progress{first}
	return m
}

// OpenTorrent is that of storage.ClientImpl.
func (m *memory) OpenTorrent(context.Context, *metainfo.Info, metainfo.Hash) (storage.TorrentImpl, error) {
	return storage.TorrentImpl{
		Piece: func(p metainfo.Piece) storage.PieceImpl { return &piece{memory: m, index: p.Index(), at: p.Offset()} },
		Close: func() error { return nil },
	}, nil
}

// progress gives the history so far.
func (m *memory) progress() []Progress {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return append([]Progress(nil), m.history...)
}

// piece is one piece of a memory.
type piece struct {
	*memory
	index int
	at    int64
}

// ReadAt is that of io.ReaderAt.
func (p *piece) ReadAt(b []byte, off int64) (int, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := copy(b, p.data[p.at+off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt is that of io.WriterAt.
func (p *piece) WriteAt(b []byte, off int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return copy(p.data[p.at+off:], b), nil
}

// MarkComplete is that of storage.PieceImpl: the piece is verified, and no peer knows yet.
func (p *piece) MarkComplete() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verified[p.index] {
		return nil
	}
	p.verified[p.index] = true
	now := Progress{Time: time.Now(), Pieces: p.history[len(p.history)-1].Pieces + 1}
	p.history = append(p.history, now)
	if now.Pieces == p.goal {
		close(p.reached)
	}
	return nil
}

// MarkNotComplete is that of storage.PieceImpl. Nothing here damages a verified piece.
func (p *piece) MarkNotComplete() error { return nil }

// Completion is that of storage.PieceImpl.
func (p *piece) Completion() storage.Completion {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return storage.Completion{Ok: true, Complete: p.verified[p.index]}
}
