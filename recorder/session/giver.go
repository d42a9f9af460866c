package session

import (
	"bytes"
	"slices"
	"time"

	"btda/events"
	"btda/recorder/wire"
)

// How peers are asked for metadata.
const (
	askedAtOnce = 4                // pieces of one peer
	pieceTime   = 10 * time.Second // that a peer may take for a piece
	doubleTime  = 3 * time.Second  // after which another is asked for the same piece, and who was asked for nothing for what others were asked for
	restTime    = 30 * time.Second // of a peer that did not answer, or refused
)

// giver is a peer that offers metadata. Guarded by the pool.
type giver struct {
	source
	size     uint32 // of the metadata, as it claims; 0 until it does
	out      bool   // it is not asked any more
	rest     events.Time
	assembly *assembly // for which it was asked
	asked    []request
	idle     events.Time     // since when there was nothing to ask it for; 0 where there is
	told     []events.Reason // what was said of it
}

// request is a piece that a peer was asked for.
type request struct {
	piece uint32
	at    events.Time
}

// offer takes in the size that a peer claims for the metadata.
func (m *Metadata) offer(g *giver, claimed uint64) []verdict {
	defer m.lock()()
	switch {
	case m.over || g.out:
		return nil
	case claimed > m.options.MaxSize:
		g.leave()
		return []verdict{{session: g.session, reason: events.ReasonTooLarge, claimed: claimed}}
	case g.size != 0 && g.size != uint32(claimed):
		return m.lied(g, events.ReasonSizeMismatch)
	}
	g.size, g.out = uint32(claimed), m.liars[g.origin]
	m.givers[g] = struct{}{}
	return nil
}

// leave forgets a peer whose session is over.
func (m *Metadata) leave(g *giver) {
	defer m.lock()()
	g.leave()
	delete(m.givers, g)
	if a := m.assemblies[assemblyKey{g.size, g.session}]; a != nil {
		a.drop()
	}
}

// leave asks a peer for nothing any more.
func (g *giver) leave() {
	g.forget()
	g.out = true
}

// forget lets others be asked for what a peer was asked for.
func (g *giver) forget() {
	for _, r := range g.asked {
		g.giveBack(r)
	}
	g.asked = nil
}

func (g *giver) giveBack(r request) {
	if a := g.assembly; a.asked != nil && a.asked[r.piece] == r.at {
		a.asked[r.piece] = 0
	}
}

// lied takes out a peer that lied, with what it gave.
func (m *Metadata) lied(g *giver, reason events.Reason) []verdict {
	g.leave()
	m.remember(g.origin)
	for _, a := range m.assemblies {
		a.takeBack(g.origin)
	}
	return g.tell(reason)
}

// failed lets a peer rest that gave nothing.
func (g *giver) failed(reason events.Reason, now events.Time) []verdict {
	g.forget()
	g.rest = now.Add(restTime)
	return g.tell(reason)
}

// tell gives a verdict, unless the same was given before.
func (g *giver) tell(reason events.Reason) []verdict {
	if slices.Contains(g.told, reason) {
		return nil
	}
	g.told = append(g.told, reason)
	return []verdict{{session: g.session, reason: reason}}
}

// next gives the pieces to ask a peer for now.
func (m *Metadata) next(g *giver, now events.Time) (pieces []uint32, verdicts []verdict) {
	defer m.lock()()
	if m.over || g.out || now < g.rest {
		return nil, nil
	}
	if len(g.asked) > 0 && now.Sub(g.asked[0].at) >= pieceTime {
		return nil, g.failed(events.ReasonTimeout, now)
	}
	a := m.assemblyFor(g, now)
	if g.assembly != nil && a != g.assembly {
		g.asked = nil // what it was asked for is wanted no more
	}
	g.assembly = a
	if a == nil {
		return nil, nil
	}
	pieces = g.choose(pieces, now, never)
	pieces = g.choose(pieces, now, doubleTime)
	if g.idles(now) {
		pieces = g.choose(pieces, now, 0)
	}
	return pieces, nil
}

// idles reports that there has been nothing to ask a peer for, for so long that it may be asked for what others were asked for: who asks for
// pieces and gives none could keep them for himself by coming back again and again.
func (g *giver) idles(now events.Time) bool {
	switch {
	case len(g.asked) > 0:
		g.idle = 0
	case g.idle == 0:
		g.idle = now
	}
	return g.idle != 0 && now.Sub(g.idle) >= doubleTime
}

// choose adds missing pieces that nobody was asked for, or not for some time, and notes them as asked for.
func (g *giver) choose(pieces []uint32, now events.Time, since time.Duration) []uint32 {
	a := g.assembly
	for i := range a.pieces {
		if len(g.asked) >= askedAtOnce {
			break
		}
		piece := uint32(i)
		if a.pieces[i] != nil || g.find(piece) >= 0 || a.asked[i] != 0 && now.Sub(a.asked[i]) < since {
			continue
		}
		a.asked[i] = now
		g.asked = append(g.asked, request{piece, now})
		pieces = append(pieces, piece)
	}
	return pieces
}

// find gives the place of a piece among those that a peer was asked for, or -1.
func (g *giver) find(piece uint32) int {
	return slices.IndexFunc(g.asked, func(r request) bool { return r.piece == piece })
}

// gift is what came of a message about metadata.
type gift struct {
	asked    bool      // it answers a request
	whole    *assembly // that became whole by it; nil where none did
	verdicts []verdict
}

// give takes in a data message or a reject. What was not asked for is passed over.
func (m *Metadata) give(g *giver, said wire.MetadataMessage, now events.Time) gift {
	defer m.lock()()
	i := g.find(said.Piece)
	if m.over || i < 0 {
		return gift{}
	}
	answered := g.asked[i]
	g.asked = slices.Delete(g.asked, i, i+1)
	a := g.assembly
	switch {
	case said.Type != wire.MetadataData:
		g.giveBack(answered)
		return gift{asked: true, verdicts: g.failed(events.ReasonRejected, now)}
	case a.pieces == nil || a.pieces[said.Piece] != nil: // it was dropped, or another was sooner
		return gift{asked: true}
	case said.TotalSize.Known && said.TotalSize.Value != uint64(a.size), len(said.Data) != a.lengthOf(said.Piece):
		g.giveBack(answered)
		return gift{asked: true, verdicts: m.lied(g, events.ReasonSizeMismatch)}
	}
	a.latest = now
	if !a.put(said.Piece, bytes.Clone(said.Data), g.source) {
		return gift{asked: true}
	}
	a.close()
	return gift{asked: true, whole: a}
}

// garbled takes in a message about metadata that cannot be read, from a peer that was asked for some.
func (m *Metadata) garbled(g *giver) []verdict {
	defer m.lock()()
	if m.over || g.out || len(g.asked) == 0 {
		return nil
	}
	return m.lied(g, events.ReasonMalformed)
}
