package swarmtest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/anacrolix/torrent/metainfo"
	"github.com/anacrolix/torrent/storage"
	"golang.org/x/time/rate"
)

// Progress is how many pieces a client had from a time on.
type Progress struct {
	Time   time.Time
	Pieces int
}

// memory is the storage of one torrent of one client, and the witness of its progress.
//
// It is also what makes a client slow. A limit on all that the client reads would hold up handshakes too, by seconds: each read waits for all
// blocks that any other peer has just sent.
type memory struct {
	goal    int           // pieces
	reached chan struct{} // closed when the goal is reached
	left    chan struct{} // closed when the client leaves
	pace    *rate.Limiter

	mu       sync.RWMutex
	data     []byte
	verified []bool
	history  []Progress
}

// burst is what a client with a rate may take in at once: two blocks of 16 KiB.
const burst = 32 << 10

// newMemory returns an empty storage, or a full one for a payload that is there already.
func newMemory(p *Payload, o *ClientOptions) *memory {
	m := &memory{goal: o.Goal, reached: make(chan struct{}), left: make(chan struct{}), verified: make([]bool, p.PieceCount),
		pace: rate.NewLimiter(rate.Inf, burst)}
	if o.Rate > 0 {
		m.pace.SetLimit(rate.Limit(o.Rate))
	}
	first := Progress{Time: time.Now()}
	if o.Full {
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

// WriteAt is that of io.WriterAt: it takes in a block, in the rate of the client. Nothing more is read from the peer that sent it meanwhile.
func (p *piece) WriteAt(b []byte, off int64) (int, error) {
	timer := time.NewTimer(p.pace.ReserveN(time.Now(), min(len(b), burst)).Delay())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.left:
		return 0, errLeft
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return copy(p.data[p.at+off:], b), nil
}

var errLeft = errors.New("swarmtest: the client has left")

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
