package projections

import (
	"encoding/hex"
	"iter"
	"math"
	"path"
	"strings"

	"btda/events"
)

var torrentColumns = []Column{
	{"id", Integer}, {"announce_url", Text}, {"info_hash", Blob}, {"info_hash_hex", Text}, {"pieces_count", Integer},
	{"piece_size", Integer}, {"complete_threshold", Integer}, {"filepath", Text}, {"display_name", Text}, {"gigabyte", Real},
	{"censored", Integer},
}

// torrents gives the torrents their ids, in the order in which they were added.
type torrents struct {
	definitions *definitions
	ids         []int64 // by torrentIndex; 0 for one that was not added yet
	added       []addition
}

type addition struct {
	torrent  torrentIndex
	revision Position
}

func (t *torrents) add(at moment, torrent torrentIndex) {
	for len(t.ids) <= int(torrent) {
		t.ids = append(t.ids, 0)
	}
	if t.ids[torrent] == 0 {
		t.added = append(t.added, addition{torrent, at.position})
		t.ids[torrent] = int64(len(t.added))
	}
}

func (t *torrents) id(torrent torrentIndex) Value {
	if int(torrent) < len(t.ids) && t.ids[torrent] != 0 {
		return integer(t.ids[torrent])
	}
	return Value{}
}

func (t *torrents) censored(torrent torrentIndex) Value {
	sized := t.definitions.torrents[torrent].metadata.PieceCount > 0
	return known(boolean(t.definitions.censored(torrent, t.definitions.threshold)), sized)
}

func (t *torrents) table() Table {
	return newTable("torrent", torrentColumns, func(since Position) iter.Seq[Change] {
		return func(yield func(Change) bool) {
			for i, a := range t.added {
				if a.revision > since && !yield(Change{int64(i) + 1, t.row(a.torrent)}) {
					return
				}
			}
		}
	})
}

func (t *torrents) row(torrent torrentIndex) Row {
	d := &t.definitions.torrents[torrent]
	pieces, length := uint64(d.metadata.PieceCount), d.metadata.PieceLength
	sized := pieces > 0
	return Row{
		t.id(torrent), textOrNull(events.MaskTracker(d.tracker)), blob(string(d.infoHash[:])), text(hex.EncodeToString(d.infoHash[:])),
		known(integer(pieces), sized), known(count(length), sized), known(integer(t.definitions.complete(torrent)), sized),
		textOrNull(filePath(d.path)), textOrNull(d.displayName), known(decimal(float64(pieces)*float64(length)/1e9), sized && length <= math.MaxInt64),
		t.censored(torrent),
	}
}

// filePath gives the path of a torrent file below the input folder. Of a file elsewhere it gives the name only: the folders of a
// host, among them those of its user, are nothing to publish.
func filePath(p string) string {
	absolute := strings.HasPrefix(p, "/") || len(p) > 1 && p[1] == ':'
	if absolute || p == ".." || strings.HasPrefix(p, "../") {
		return path.Base(p)
	}
	return p
}
