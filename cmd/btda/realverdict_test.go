package main_test

import (
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/recorder/swarmtest/realclient"
)

// countedPeer is a row of the table peer, with its download if it has one.
type countedPeer struct {
	address, client, source string
	transport, encryption   string
	firstPieces, lastPieces sql.NullInt64
	visits                  int
	download                *countedDownload
}

// countedDownload is a row of the table download. Times are seconds since 1970.
type countedDownload struct {
	lastBelow, firstAbove        float64
	belowEvidence, aboveEvidence string
}

func readCounted(file string) ([]countedPeer, error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Query(`SELECT p.address, p.client, p.source, p.transport, p.encryption, p.first_pieces, p.last_pieces, p.visits,
		d.last_below, d.first_above, d.below_evidence, d.above_evidence FROM peer p LEFT JOIN download d ON d.peer = p.id ORDER BY p.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []countedPeer
	for rows.Next() {
		var p countedPeer
		var times [2]sql.NullFloat64
		var evidence [2]sql.NullString
		if err := rows.Scan(&p.address, &p.client, &p.source, &p.transport, &p.encryption, &p.firstPieces, &p.lastPieces, &p.visits,
			&times[0], &times[1], &evidence[0], &evidence[1]); err != nil {
			return nil, err
		}
		if evidence[0].Valid {
			p.download = &countedDownload{times[0].Float64, times[1].Float64, evidence[0].String, evidence[1].String}
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// readSources gives, by address, all sources that named it, separated by commas.
func readSources(file string) (map[string]string, error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Query("SELECT address, sources FROM endpoint")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make(map[string]string)
	for rows.Next() {
		var address, sources string
		if err := rows.Scan(&address, &sources); err != nil {
			return nil, err
		}
		all[address] = sources
	}
	return all, rows.Err()
}

// judge compares what a recording counted with what the clients say.
func (s *realSwarm) judge(t *testing.T, r *realRecording) {
	peers := map[*realclient.Client][]countedPeer{}
	for _, p := range r.replay(t) {
		owner := s.ownerOf(netip.MustParseAddrPort(p.address))
		peers[owner] = append(peers[owner], p)
		if owner == nil && p.download != nil {
			t.Errorf("a download by %s (%s), which is no client of the swarm", p.address, p.client)
		}
	}
	for _, c := range s.clients {
		s.judgeClient(t, r.mode, c, peers[c])
	}
}

// ownerOf gives the client of an address: the one that listens there, else the one that connects from that IP address, whatever the
// port. Clients that connect to a recorder need not tell where they listen, and libtorrent does not tell it over IPv6.
func (s *realSwarm) ownerOf(address netip.AddrPort) *realclient.Client {
	for _, c := range s.clients {
		if slices.Contains(c.AddrPorts(), address) {
			return c
		}
	}
	for _, c := range s.clients {
		if c.Address == address.Addr() {
			return c
		}
	}
	return nil
}

func (s *realSwarm) judgeClient(t *testing.T, m realMode, c *realclient.Client, own []countedPeer) {
	t.Helper()
	downloads := slices.DeleteFunc(slices.Clone(own), func(p countedPeer) bool { return p.download == nil })
	switch {
	case len(own) == 0 && m.meets(c):
		t.Errorf("%s was never met", c.Name)
	case len(downloads) == 0 && c.Finished() && m.meets(c):
		t.Errorf("%s: its download was missed; it was counted as %+v", c.Name, own)
	case len(downloads) > 0 && !c.Finished():
		t.Errorf("%s did not download, but it was counted as %+v, %+v", c.Name, downloads, *downloads[0].download)
	case len(downloads) > 1:
		t.Errorf("%s was counted %d times: %+v", c.Name, len(downloads), downloads)
	case len(downloads) == 1:
		s.judgeDownload(t, m, c, downloads[0])
	}
}

// judgeDownload holds a download against the client's own clock: no client has a piece before it knows of it itself, give or take a
// second, since its answers take time.
func (s *realSwarm) judgeDownload(t *testing.T, m realMode, c *realclient.Client, p countedPeer) {
	t.Helper()
	const slack = time.Second
	d := p.download
	if d.belowEvidence == "assumed" && !m.assumes(c) {
		t.Errorf("%s: its download is only assumed: %+v", c.Name, *d)
	}
	crossing, _ := c.CrossedAt(s.threshold())
	seen := time.UnixMicro(int64(d.firstAbove * 1e6))
	if seen.Before(crossing.Below.Add(-slack)) {
		t.Errorf("%s was seen complete at %v, but had fewer pieces until %v", c.Name, seen, crossing.Below)
	}
	t.Logf("%-24s seen complete %6.1f s after it was, by %s after %s; %d visits",
		c.Name, seen.Sub(crossing.Above).Seconds(), d.aboveEvidence, d.belowEvidence, p.visits)
}

// tell says how a client got its pieces, in its own words.
func tell(t *testing.T, c *realclient.Client) {
	t.Helper()
	h := c.History()
	var parts []string
	for _, part := range []int{1, 25, 50, 75, 98, 100} {
		if crossing, ok := c.CrossedAt((c.Payload.PieceCount*part + 99) / 100); ok {
			parts = append(parts, fmt.Sprintf("%d %% after %.1f s", part, crossing.Above.Sub(h[0].Time).Seconds()))
		}
	}
	t.Logf("%-24s %d pieces at %s, %s", c.Name, h[0].Pieces, h[0].Time.Format("15:04:05.0"), strings.Join(parts, ", "))
}
