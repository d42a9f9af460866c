package recorder

import (
	"time"

	"btda/events"
	"btda/recorder/swarm"
)

// Snapshot is the state of a recording at one moment, for the terminal. It is zero until the log has its first events.
type Snapshot struct {
	Elapsed  time.Duration // since the run began
	Appended events.Seq    // events so far
	Durable  events.Seq    // of these, on disk
	LogSize  ByteSize      // on disk
	Total    swarm.Counts
	Incoming int // peers in session that connected to us
	Trackers TrackersSnapshot
	Torrents []TorrentSnapshot // in the order of their numbers
}

// TorrentSnapshot is the state of one torrent.
type TorrentSnapshot struct {
	Number        events.TorrentNumber
	Name          string // or the info hash, while no name is known
	MetadataKnown bool
	swarm.Counts
}
