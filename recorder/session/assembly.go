package session

import (
	"net/netip"
	"time"

	"btda/events"
)

// metadataPiece is the size of a piece of metadata in bytes; only the last is smaller (BEP 9).
const metadataPiece = 16 << 10

// How long an assembly may have its memory while others want it.
const (
	stallTime = 15 * time.Second // without a new piece
	leaseTime = time.Minute      // in all, beside the time that it takes at leaseRate
	leaseRate = 64 << 10         // bytes a second
)

// assemblyKey is what a peer has to agree with to give pieces to an assembly.
type assemblyKey struct {
	size    uint32               // bytes of the whole
	session events.SessionNumber // that alone gives pieces; 0 for all
}

// assembly is metadata that is being put together. Guarded by the pool until it is whole; then it belongs to who made it so.
type assembly struct {
	assemblyKey
	metadata *Metadata
	pieces   [][]byte      // nil where missing
	sources  []source      // of the pieces
	asked    []events.Time // when each was last asked for; 0 where it was not, or in vain
	missing  int
	began    events.Time
	latest   events.Time // when the last new piece came
}

// source is who gave a piece.
type source struct {
	session events.SessionNumber
	origin  origin
}

// origin is by which a peer is known again. The port is 0 for one that came to us.
type origin struct {
	address netip.Addr
	port    uint16
}

// assemblyFor gives the assembly to which a peer gives pieces, and nil where there is no place for it now.
func (m *Metadata) assemblyFor(g *giver, now events.Time) *assembly {
	key := assemblyKey{size: g.size}
	if m.alone(g.size) {
		key.session = g.session
	}
	if a := m.assemblies[key]; a != nil {
		return a
	}
	if len(m.assemblies) >= maxAssemblies && !m.makePlace(now) {
		return nil
	}
	count := int((g.size + metadataPiece - 1) / metadataPiece)
	a := &assembly{assemblyKey: key, metadata: m, missing: count, began: now, latest: now}
	if !m.options.Pool.shareOf(g.size).take(a, now) {
		return nil
	}
	a.pieces, a.sources, a.asked = make([][]byte, count), make([]source, count), make([]events.Time, count)
	m.assemblies[key] = a
	return a
}

// makePlace drops an assembly that gets on no more, if there is one.
func (m *Metadata) makePlace(now events.Time) bool {
	for _, a := range m.assemblies {
		if a.mayGo(now) {
			a.giveWay(now)
			return true
		}
	}
	return false
}

// mayGo reports that others may have the place of an assembly. One that is whole is being checked, and will soon be gone.
func (a *assembly) mayGo(now events.Time) bool {
	if a.missing == 0 {
		return false
	}
	lease := leaseTime + time.Duration(a.size)*time.Second/leaseRate
	return now.Sub(a.latest) >= stallTime || now.Sub(a.began) >= lease
}

// giveWay drops an assembly for another. Its peers wait, so that it does not come back at once.
func (a *assembly) giveWay(now events.Time) {
	for g := range a.metadata.givers {
		if g.assembly == a {
			g.rest = now.Add(restTime)
		}
	}
	a.drop()
}

// drop takes an assembly out, with all that it has.
func (a *assembly) drop() {
	a.close()
	a.release()
}

// release gives the memory of an assembly to others. Who was asked for its pieces may know it for longer.
func (a *assembly) release() {
	a.metadata.options.Pool.shareOf(a.size).give(a)
	a.pieces, a.sources, a.asked = nil, nil, nil
}

// close gives the place of an assembly to others, but not yet its memory.
func (a *assembly) close() { delete(a.metadata.assemblies, a.assemblyKey) }

// lengthOf is the length of a piece in bytes.
func (a *assembly) lengthOf(piece uint32) int {
	return min(metadataPiece, int(a.size)-int(piece)*metadataPiece)
}

// put keeps a piece, and reports that the assembly is whole.
func (a *assembly) put(piece uint32, data []byte, from source) (whole bool) {
	a.pieces[piece], a.sources[piece] = data, from
	a.missing--
	return a.missing == 0
}

// takeBack forgets what a liar gave.
func (a *assembly) takeBack(from origin) {
	for i := range a.pieces {
		if a.pieces[i] != nil && a.sources[i].origin == from {
			a.pieces[i], a.asked[i] = nil, 0
			a.missing++
		}
	}
}
