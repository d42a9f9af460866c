package input

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"

	"btda/events"
)

// Bounds of a file of magnet links.
const (
	maxMagnetFile = 16 << 20 // bytes
	maxMagnets    = 10_000
)

// magnetLine is a line of a file that is to hold a magnet link.
type magnetLine struct {
	number int // from 1
	link   string
}

// magnetLines gives the lines of a file without blank ones and those that begin with #. The error, which comes last, says that there are too
// many.
func magnetLines(data []byte) iter.Seq2[magnetLine, error] {
	const byteOrderMark = "\uFEFF"
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	return func(yield func(magnetLine, error) bool) {
		number, links := 0, 0
		for text := range bytes.Lines(data) {
			number++
			line := magnetLine{number, strings.TrimSpace(string(text))}
			if line.link == "" || line.link[0] == '#' {
				continue
			}
			if links++; links > maxMagnets {
				yield(line, fmt.Errorf("more than %d magnet links: the rest of the file is not read", maxMagnets))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// unite adds the trackers and peers of a magnet link for the same torrent that t has not, up to the bounds of one link, and tells how
// many. A private torrent stays as it is: its peers come from its own trackers only (BEP 27).
func (t *Torrent) unite(link Torrent) (added int) {
	if t.Metadata.Private {
		return 0
	}
	for _, tier := range link.Tiers {
		if len(t.Tiers) < maxTrackers && !t.hasTracker(tier[0]) {
			t.Tiers = append(t.Tiers, tier) // of one tracker, as all tiers of links
			added++
		}
	}
	for _, peer := range link.Peers {
		if len(t.Peers) < maxMagnetPeers && !slices.Contains(t.Peers, peer) {
			t.Peers = append(t.Peers, peer)
			added++
		}
	}
	if t.DisplayName == "" {
		t.DisplayName = link.DisplayName
	}
	if t.InfoHashV2 == nil {
		t.InfoHashV2 = link.InfoHashV2
	}
	return added
}

func (t *Torrent) hasTracker(url string) bool {
	return slices.ContainsFunc(t.Tiers, func(tier events.TrackerTier) bool { return slices.Contains(tier, url) })
}
