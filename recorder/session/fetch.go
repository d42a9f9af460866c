package session

import (
	"time"

	"btda/events"
	"btda/recorder/wire"
)

const (
	// fetchInterval is between two looks for pieces of metadata to ask a peer for.
	fetchInterval = time.Second
	// learnInterval is between two looks whether the metadata has come from elsewhere.
	learnInterval = 5 * time.Second
	// keptMetadataPiece takes in a whole metadata message.
	keptMetadataPiece = metadataPiece + 1024
)

// fetch is what a session keeps while the metadata of its torrent is not known.
type fetch struct {
	*Metadata
	giver *giver // nil until the peer claims a size
	early early
	known *Torrent      // once it is; then the rest is of no use any more
	due   time.Duration // when to look next
	taken time.Duration // when the peer gave the last piece
}

// newFetch gives nil where the metadata is known from the start.
func newFetch(t *Torrent) *fetch {
	if t.Metadata == nil {
		return nil
	}
	return &fetch{Metadata: t.Metadata, early: early{kept: &t.Metadata.options.Pool.early}}
}

// fetching reports that the metadata is not known.
func (s *session) fetching() bool { return s.fetch != nil && s.fetch.known == nil }

// early is where to keep what the peer has; nil where its pieces are known.
func (s *session) early() *early {
	if !s.fetching() {
		return nil
	}
	return &s.fetch.early
}

// lastPiece is when the peer gave a piece of metadata; 0 where it did not.
func (f *fetch) lastPiece() time.Duration {
	if f == nil {
		return 0
	}
	return f.taken
}

func (s *session) fetchDue() time.Duration {
	if !s.fetching() {
		return never
	}
	return s.fetch.due
}

// claim takes in the size that the peer claims for the metadata.
func (s *session) claim(size events.Optional) {
	if !s.fetching() || s.peer.metadata == 0 || size.Value == 0 {
		return
	}
	f := s.fetch
	if f.giver == nil {
		f.giver = &giver{source: source{session: s.number, origin: s.origin()}}
	}
	s.tell(f.offer(f.giver, size.Value))
	f.due = s.now
}

// origin is by which the peer is known again when it comes back.
func (s *session) origin() origin {
	at := s.link.contact.Address
	if s.link.direction == events.Incoming {
		return origin{address: at.Addr()}
	}
	return origin{address: at.Addr(), port: at.Port()}
}

// doFetch asks the peer for pieces of the metadata, if there is something to ask it for.
func (s *session) doFetch() {
	f := s.fetch
	f.due = s.now + learnInterval
	if f.giver == nil || s.peer.metadata == 0 || s.mute() {
		return
	}
	f.due = s.now + fetchInterval
	wanted, verdicts := f.next(f.giver, s.at)
	s.tell(verdicts)
	var asks []byte
	for _, piece := range wanted {
		ask := wire.MetadataMessage{Type: wire.MetadataRequest, Piece: piece}
		asks = wire.AppendExtended(asks, s.peer.metadata, ask.Append(nil))
	}
	if len(asks) > 0 {
		s.send(asks)
	}
}

// takeMetadata takes in a metadata message while the metadata is not known, and reports whether it was asked for.
func (s *session) takeMetadata(m message) bool {
	f := s.fetch
	if f.giver == nil {
		return false
	}
	said, err := wire.ParseMetadata(m.payload)
	if err != nil {
		s.tell(f.garbled(f.giver))
		return false
	}
	if said.Type == wire.MetadataRequest {
		return false
	}
	g := f.give(f.giver, said, s.at)
	if !g.asked {
		return false
	}
	s.other = events.MessageReceived{Session: s.number, Message: m.Kind, Extension: m.Extension, Length: m.Length}
	s.append(s.at, &s.other)
	f.taken = s.now
	s.tell(g.verdicts)
	if g.whole != nil {
		s.tell(f.finish(g.whole, s.number))
	}
	f.due = s.now
	return true
}

// tell records who gave no metadata, or bad metadata.
func (s *session) tell(verdicts []verdict) {
	for _, v := range verdicts {
		if v.reason == events.ReasonTooLarge {
			s.limit(events.LimitMetadata, limitValue{v.claimed, s.fetch.options.MaxSize})
		}
		s.append(s.at, &events.MetadataFailed{Torrent: s.torrent().Number, Session: v.session, Reason: v.reason})
	}
}

// learnTorrent takes in the metadata of the torrent, as soon as it is known: what the peer has told so far gets a meaning by it.
func (s *session) learnTorrent() {
	if !s.fetching() || s.fetch.Known() == nil {
		return
	}
	f := s.fetch
	known := f.Known()
	set, ok := f.early.set(known.Pieces)
	s.endFetch()
	f.known, f.giver = known, nil
	s.bound, s.wholeMetadata = wire.Bound(known.Pieces), false
	s.set, s.complete = set, known.Complete
	if !ok {
		s.begin = min(s.begin, StartAssumed)
	}
	s.link.contact.Progress.aim(known.Complete)
	if s.told() {
		s.note(true)
		s.link.contact.Progress.set(s.set.Count())
	}
}

// endFetch gives back what the session holds of the fetch.
func (s *session) endFetch() {
	if !s.fetching() {
		return
	}
	if s.fetch.giver != nil {
		s.fetch.leave(s.fetch.giver)
	}
	s.fetch.early.forget()
}
