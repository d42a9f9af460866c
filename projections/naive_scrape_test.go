package projections

import (
	"fmt"
	"math"

	"btda/events"
)

// naiveScrapes gives the rows of what trackers and lookups in the DHT count.
func naiveScrapes(records []events.Record) string {
	optional := func(o events.Optional) string {
		if !o.Known {
			return "-"
		}
		return fmt.Sprint(o.Value)
	}
	var lines []string
	var said []*events.DHTScraped // since the last end of a lookup of their family
	for _, r := range records {
		seconds := int64(r.Time / 1e9)
		switch e := r.Event.(type) {
		case *events.TrackerScraped:
			lines = append(lines, fmt.Sprint(e.Tracker, " ", e.Torrent, " ", seconds, " ", optional(e.Seeders), " ", optional(e.Completed), " ",
				optional(e.Leechers), " ", optional(e.Downloaders), " tracker"))
		case *events.DHTScraped:
			said = append(said, e)
		case *events.DHTLookupEnded:
			var seeds, peers [][]byte
			var others []*events.DHTScraped
			for _, s := range said {
				if s.Node.Addr().Is6() == e.IPv6 {
					seeds, peers = append(seeds, s.Seeds), append(peers, s.Peers)
				} else {
					others = append(others, s)
				}
			}
			said = others
			if len(seeds) > 0 {
				lines = append(lines, fmt.Sprint("- ", e.Torrent, " ", seconds, " ", naiveEstimate(seeds), " - ", naiveEstimate(peers), " - dht"))
			}
		}
	}
	return naiveLines(lines)
}

// naiveEstimate is how many addresses some filters of BEP 33 hold together: a dash where nobody gave one, or no bit is free.
func naiveEstimate(given [][]byte) string {
	const bits = 2048
	set := map[int]bool{}
	known := false
	for _, f := range given {
		if len(f) != bits/8 {
			continue
		}
		known = true
		for bit := range bits {
			if f[bit/8]>>(bit%8)&1 == 1 {
				set[bit] = true
			}
		}
	}
	if !known || len(set) == bits {
		return "-"
	}
	free := float64(bits - len(set))
	return fmt.Sprint(int64(math.Round(math.Log(free/bits) / (2 * math.Log(1-1.0/bits)))))
}
