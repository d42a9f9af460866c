package recorder

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"btda/events"
	"btda/input"
	"btda/recorder/session"
)

// newBook describes the torrents. The metadata of those that have none will be fetched.
func (r *run) newBook() *book {
	b := newBook()
	pool := session.NewMetadataPool(uint64(r.settings.MaxMetadata))
	for _, t := range r.torrents {
		p := r.describe(t, t.Metadata)
		if !t.MetadataKnown {
			p.Metadata = session.NewMetadata(session.MetadataOptions{
				InfoHash: t.InfoHash, MaxSize: uint64(r.settings.MaxMetadata), Pool: pool,
				Take: func(info []byte, from events.SessionNumber) (session.Torrent, error) {
					return r.takeMetadata(t, info, from)
				},
			})
		}
		b.add(p)
	}
	return b
}

// describe gives what there is to know of a torrent with its metadata; where that is zero, it is not known.
func (r *run) describe(t torrent, m events.Metadata) page {
	return page{
		Torrent: session.Torrent{
			Number: t.TorrentNumber, InfoHash: t.InfoHash, Pieces: m.PieceCount, Private: m.Private,
			Complete: uint32(r.settings.Threshold.CeilOf(uint64(m.PieceCount))), MaxMessages: r.settings.messageLimit(m.PieceCount),
		},
		metadata: m, name: t.DisplayName,
	}
}

// takeMetadata takes in metadata that peers gave, and keeps it for later runs.
func (r *run) takeMetadata(t torrent, info []byte, from events.SessionNumber) (session.Torrent, error) {
	known, err := input.ParseInfo(info)
	if err != nil {
		r.deps.Logger.Error("the metadata of a magnet link cannot be used, and no other can come", "torrent", t.TorrentNumber, "info hash", t.InfoHash, "error", err)
		return session.Torrent{}, err
	}
	if err := r.metadataFolder().write(t.InfoHash, info); err != nil {
		r.deps.Logger.Warn("metadata could not be kept for later runs", "torrent", t.TorrentNumber, "error", err)
	}
	learned := r.learn(t, known, from)
	if learned.Private {
		r.closeToOthers(t)
	}
	return learned, nil
}

// learn records metadata whose hash is right, and tells what it means from now on.
func (r *run) learn(t torrent, known input.Torrent, from events.SessionNumber) session.Torrent {
	_, _ = r.gate.Append(context.Background(), r.log.Now(), &events.MetadataReceived{Torrent: t.TorrentNumber, Session: from, Metadata: known.Metadata})
	r.deps.Logger.Info("metadata known", "torrent", t.TorrentNumber, "name", known.DisplayName, "pieces", known.Metadata.PieceCount, "private", known.Metadata.Private)
	p := r.describe(t, known.Metadata)
	p.name = cmp.Or(p.name, known.DisplayName)
	r.book.set(p)
	return p.Torrent
}

// readMetadata takes in what earlier runs kept of the metadata of magnet links.
func (r *run) readMetadata() {
	for _, t := range r.torrents {
		if t.MetadataKnown {
			continue
		}
		known, err := r.metadataFolder().read(t.InfoHash)
		switch {
		case err == nil:
			r.learn(t, known, 0)
		case !errors.Is(err, fs.ErrNotExist):
			r.deps.Logger.Warn("metadata that was kept cannot be used: it is fetched again", "torrent", t.TorrentNumber, "error", err)
			_, _ = r.gate.Append(context.Background(), r.log.Now(), metadataFailed(t.TorrentNumber, err))
		}
	}
}

// offerNamed offers the peers that magnet links name. Who gave the link may name any address, as he may name any tracker.
func (r *run) offerNamed() {
	for _, t := range r.torrents {
		if len(t.Peers) == 0 {
			continue
		}
		n := named{torrent: t.TorrentNumber, source: events.SourceMagnet, from: events.ScopeLoopback}
		for _, peer := range t.Peers {
			n.peers.Append(peer)
		}
		r.intake.append(&events.PeersNamed{Torrent: n.torrent, Source: n.source, Peers: n.peers})
		r.intake.offer(n)
	}
}
