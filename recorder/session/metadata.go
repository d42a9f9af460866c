package session

import (
	"crypto/sha1"
	"slices"
	"sync"
	"sync/atomic"

	"btda/events"
)

// Metadata is the metadata of one torrent while it is not known (BEP 9). Its pieces are asked of all peers that offer it, and put together.
// It is safe for use by many goroutines.
//
// Peers may lie. Each size that is claimed has an assembly of its own, to which all who claim it give pieces. A piece of a wrong length or
// size is a lie of who gave it. Where the hash of the whole is wrong, it is a lie of who gave all; if they were several, nobody can tell
// yet whose: from then on each peer that claims this size has to give all pieces alone. Once the true metadata is known, it tells who
// lied before.
type Metadata struct {
	options MetadataOptions
	known   atomic.Pointer[Torrent] // what sessions need to know of the torrent once the metadata is known

	// All that follows is guarded by the mutex of the pool.
	over       bool // nothing more is asked: it is known, or can never be
	assemblies map[assemblyKey]*assembly
	mixes      map[uint32]mix // by size
	givers     map[*giver]struct{}
	liars      map[origin]bool
}

// MetadataOptions says what is wanted.
type MetadataOptions struct {
	InfoHash events.InfoHash
	MaxSize  uint64        // bytes
	Pool     *MetadataPool // of the run
	// Take takes in the info dictionary, whose hash is right, and the session that gave the last piece of it. It gives what sessions need
	// to know from now on; an error tells that no torrent can be observed by it. It is called once.
	Take func(info []byte, session events.SessionNumber) (Torrent, error)
}

// Bounds of what is kept for one torrent.
const (
	maxAssemblies = 16
	maxLiars      = 10_000
)

// NewMetadata returns metadata of which nothing is known.
func NewMetadata(o MetadataOptions) *Metadata {
	return &Metadata{
		options: o, assemblies: make(map[assemblyKey]*assembly), mixes: make(map[uint32]mix),
		givers: make(map[*giver]struct{}), liars: make(map[origin]bool),
	}
}

// Known gives what sessions need to know of the torrent once its metadata is known, and nil before.
func (m *Metadata) Known() *Torrent { return m.known.Load() }

// verdict is that a peer gave no metadata, or bad metadata.
type verdict struct {
	session events.SessionNumber
	reason  events.Reason
	claimed uint64 // bytes, beside events.ReasonTooLarge
}

// mix is metadata that several peers gave together, and whose hash was wrong.
type mix struct {
	sums    [][sha1.Size]byte // of the pieces
	sources []source
}

// lock guards all that changes, and gives what to call at the end.
func (m *Metadata) lock() (unlock func()) {
	m.options.Pool.mu.Lock()
	return m.options.Pool.mu.Unlock
}

// finish checks an assembly that is whole, and gives what is to be told about the peers. The memory of the assembly is given back.
func (m *Metadata) finish(a *assembly, last events.SessionNumber) []verdict {
	sum := sha1.New()
	for _, piece := range a.pieces {
		sum.Write(piece)
	}
	if events.InfoHash(sum.Sum(nil)) != m.options.InfoHash {
		return m.refuse(a)
	}
	defer m.lock()()
	defer a.release()
	if m.over {
		return nil
	}
	m.end()
	return m.accept(slices.Concat(a.pieces...), last)
}

// end asks for nothing any more.
func (m *Metadata) end() {
	m.over = true
	for _, a := range m.assemblies {
		a.drop()
	}
}

// accept takes in the true metadata, and gives who lied. It is called with the lock held, which it gives up meanwhile.
func (m *Metadata) accept(info []byte, last events.SessionNumber) []verdict {
	liars := m.exposed(info)
	m.options.Pool.mu.Unlock()
	torrent, err := m.options.Take(info, last)
	m.options.Pool.mu.Lock()
	m.mixes, m.liars = nil, nil
	if err != nil {
		return append(liars, verdict{session: last, reason: events.ReasonMalformed})
	}
	m.known.Store(&torrent)
	return liars
}

// exposed gives who lied, each once, now that the metadata is known.
func (m *Metadata) exposed(info []byte) (liars []verdict) {
	told := make(map[events.SessionNumber]bool)
	tell := func(session events.SessionNumber, reason events.Reason) {
		if !told[session] {
			told[session] = true
			liars = append(liars, verdict{session: session, reason: reason})
		}
	}
	size := uint32(len(info))
	for g := range m.givers {
		if !g.out && g.size != size {
			tell(g.session, events.ReasonSizeMismatch)
		}
	}
	truth := slices.Collect(slices.Chunk(info, metadataPiece))
	for claimed, mix := range m.mixes {
		for i, s := range mix.sources {
			switch {
			case claimed != size:
				tell(s.session, events.ReasonSizeMismatch)
			case sha1.Sum(truth[i]) != mix.sums[i]:
				tell(s.session, events.ReasonHashMismatch)
			}
		}
	}
	slices.SortFunc(liars, func(a, b verdict) int { return int(a.session) - int(b.session) })
	return liars
}

// refuse takes in that the hash of an assembly is wrong. Where one peer gave all of it, that is a liar.
func (m *Metadata) refuse(a *assembly) []verdict {
	defer m.lock()()
	defer a.release()
	if m.over {
		return nil
	}
	first := a.sources[0]
	if !slices.ContainsFunc(a.sources, func(s source) bool { return s.session != first.session }) {
		m.remember(first.origin)
		for g := range m.givers {
			if g.origin == first.origin {
				g.leave()
			}
		}
		return []verdict{{session: first.session, reason: events.ReasonHashMismatch}}
	}
	failed := mix{sources: a.sources}
	for _, piece := range a.pieces {
		failed.sums = append(failed.sums, sha1.Sum(piece))
	}
	m.mixes[a.size] = failed
	if again := m.assemblies[assemblyKey{size: a.size}]; again != nil {
		again.drop()
	}
	return nil
}

// remember keeps that a peer lied, also when it comes again.
func (m *Metadata) remember(o origin) {
	if len(m.liars) < maxLiars {
		m.liars[o] = true
	}
}

// alone reports that each peer that claims a size has to give all pieces.
func (m *Metadata) alone(size uint32) bool {
	_, failed := m.mixes[size]
	return failed || len(m.mixes) >= maxAssemblies
}

// MetadataPool bounds the memory of all metadata that is being put together in a run. Small ones have memory of their own, so that claims of
// large ones keep nobody out.
type MetadataPool struct {
	mu           sync.Mutex
	small, large share
	early        atomic.Int64 // bytes that sessions keep of what peers have
}

// Sizes of a MetadataPool, in bytes.
const (
	smallMetadata = 1 << 20
	smallShare    = 32 << 20
	earlyShare    = 64 << 20
)

// NewMetadataPool returns a pool for metadata up to a size, in bytes.
func NewMetadataPool(maxSize uint64) *MetadataPool {
	return &MetadataPool{
		small: share{free: smallShare, held: make(map[*assembly]struct{})},
		large: share{free: 2 * int64(maxSize), held: make(map[*assembly]struct{})},
	}
}

// share is a part of the memory. Guarded by the pool.
type share struct {
	free int64 // bytes
	held map[*assembly]struct{}
}

// shareOf gives the share in which metadata of a size has its place.
func (p *MetadataPool) shareOf(size uint32) *share {
	if size <= smallMetadata {
		return &p.small
	}
	return &p.large
}

// take takes memory for an assembly. Others that get on no more give theirs.
func (s *share) take(a *assembly, now events.Time) bool {
	for other := range s.held {
		if s.free >= int64(a.size) {
			break
		}
		if other.mayGo(now) {
			other.giveWay(now)
		}
	}
	if s.free < int64(a.size) {
		return false
	}
	s.free -= int64(a.size)
	s.held[a] = struct{}{}
	return true
}

// give takes back the memory of an assembly.
func (s *share) give(a *assembly) {
	if _, held := s.held[a]; held {
		delete(s.held, a)
		s.free += int64(a.size)
	}
}
