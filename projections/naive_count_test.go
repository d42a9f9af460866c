package projections

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

// This file tells a second time what is counted beside downloads: what failed, how long peers took, and who named them.

// TestCountsAgreeWithTheNaiveModel holds failure, timing, message_wait and peer_source of random streams against it.
func TestCountsAgreeWithTheNaiveModel(t *testing.T) {
	seed := propertySeed(t)
	for round := range propertyRounds(t) / 2 {
		records := randomStream(seed+uint64(round), 40+round%200)
		for _, policy := range Identities() {
			options := DefaultOptions()
			options.Identity, options.WithAddresses = policy, true
			set, err := foldAll(options, records)
			if err != nil {
				t.Fatal(err)
			}
			model := newNaiveModel(policy)
			for i := range records {
				model.apply(&records[i])
			}
			for name, want := range map[string]string{
				"failure": naiveFailures(records), "scrape": naiveScrapes(records), "timing": model.timings(), "message_wait": model.waits(),
				"peer_source": model.sources(records, naiveEndpoints(t, set.Tables())),
			} {
				if got := naiveRows(t, set.Tables(), name); got != want {
					t.Fatalf("seed %d, identity %s\n%s\n%s: got\n%s\nwant\n%s", seed+uint64(round), policy, eventstest.Format(records), name, got, want)
				}
			}
		}
	}
}

// naiveRows gives rows as text, without their ids, sorted.
func naiveRows(t *testing.T, tables []Table, name string) string {
	var lines []string
	for row := range tableNamed(t, tables, name).Rows {
		var words []string
		for _, v := range row[1:] {
			words = append(words, naiveWord(v))
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return naiveLines(lines)
}

func naiveWord(v Value) string {
	switch v.Type {
	case Integer:
		return fmt.Sprint(v.Integer)
	case Real:
		return fmt.Sprintf("%.3f", v.Real)
	case Text:
		return v.Text
	}
	return "-"
}

func naiveLines(lines []string) string {
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func naiveFailures(records []events.Record) string {
	counts := map[string]int{}
	firstContact := map[string]events.ContactNumber{} // of each address and torrent
	asked := map[string]bool{}
	connection := func(torrent events.TorrentNumber, d events.Direction, result string, number events.ContactNumber, a events.Address, by string) {
		contact, of := "-", "-"
		if torrent > 0 {
			of = fmt.Sprint(torrent)
		}
		if d == events.Outgoing {
			key := fmt.Sprint(of, a)
			if _, ok := firstContact[key]; !ok {
				firstContact[key] = number
			}
			if contact = "later"; firstContact[key] == number {
				contact = "first"
			}
		}
		counts[fmt.Sprint(of, " connection - ", d, " ", result, " ", contact, " ", by)]++
	}
	question := func(activity string, torrent events.TorrentNumber, tracker, result string) {
		key := fmt.Sprint(activity, torrent, tracker)
		contact := "first"
		if asked[key] {
			contact = "later"
		}
		asked[key] = true
		counts[fmt.Sprint(torrent, " ", activity, " ", tracker, " - ", result, " ", contact, " -", naiveNoEncryption)]++
	}
	for i := range records {
		switch e := records[i].Event.(type) {
		case *events.ConnectionFailed:
			connection(e.Torrent, e.Direction, fmt.Sprint(e.Phase, " ", e.Reason), e.Contact, e.Address, naiveWay(e.Transport, e.Encryption))
		case *events.SessionOpened:
			connection(e.Torrent, e.Direction, "- -", e.Contact, e.Address, naiveWay(e.Transport, e.Encryption))
		case *events.AcceptFailed:
			counts[fmt.Sprint("- connection - incoming accept ", e.Reason, " - ", naiveWay(e.Transport, 0))]++
		case *events.ConnectionsSuppressed:
			of := "-"
			if e.Torrent > 0 {
				of = fmt.Sprint(e.Torrent)
			}
			counts[fmt.Sprint(of, " connection - ", e.Direction, " ", e.Phase, " ", e.Reason, " - ", naiveWay(e.Transport, e.Encryption))] += int(e.Count)
		case *events.TrackerAnnounced:
			question("announce", e.Torrent, e.Tracker, "- -")
		case *events.TrackerScraped:
			question("scrape", e.Torrent, e.Tracker, "- -")
		case *events.TrackerAnnounceFailed:
			question("announce", e.Torrent, e.Tracker, fmt.Sprint(e.Phase, " ", e.Reason))
		case *events.TrackerScrapeFailed:
			question("scrape", e.Torrent, e.Tracker, fmt.Sprint(e.Phase, " ", e.Reason))
		case *events.DHTLookupEnded:
			result := "- -"
			if e.Reason != 0 {
				result = fmt.Sprint("- ", e.Reason)
			}
			question("lookup", e.Torrent, "-", result)
		case *events.MetadataReceived:
			counts[fmt.Sprint(e.Torrent, " metadata - - - - - -", naiveNoEncryption)]++
		case *events.MetadataFailed:
			counts[fmt.Sprint(e.Torrent, " metadata - - - ", e.Reason, " - -", naiveNoEncryption)]++
		case *events.TrackerAnswersIgnored:
			counts[fmt.Sprint(e.Torrent, " answer ", e.Tracker, " - answer ", e.Reason, " - -", naiveNoEncryption)] += int(e.Count)
		}
	}
	var lines []string
	for line, n := range counts {
		way, encryption, _ := strings.Cut(line, naiveNoEncryption[:1])
		lines = append(lines, fmt.Sprint(way, " ", n, " ", encryption))
	}
	return naiveLines(lines)
}

// naiveNoEncryption stands for none, behind a mark: the number stands between the transport and the encryption.
const naiveNoEncryption = "|-"

func naiveWay(by events.Transport, e events.Encryption) string {
	if e == 0 {
		return by.String() + naiveNoEncryption
	}
	return by.String() + "|" + e.String()
}

// naiveEndpoints gives the id of the peer of each torrent and address that has one, as the table of endpoints has it.
func naiveEndpoints(t *testing.T, tables []Table) map[string]int64 {
	peers := map[string]int64{}
	for row := range tableNamed(t, tables, "endpoint").Rows {
		if row[11].Type == Integer {
			peers[fmt.Sprint(row[1].Integer, " ", row[2].Text)] = row[11].Integer
		}
	}
	return peers
}

// naiveNaming is one naming of an address by a source.
type naiveNaming struct {
	torrent events.TorrentNumber
	address netip.AddrPort
	source  string
	tracker string
}

func (m *naiveModel) sources(records []events.Record, peers map[string]int64) string {
	type key struct {
		peer   int64
		source string
	}
	first, since := map[key]string{}, map[key]int{}
	name := func(k key, tracker string, position int) {
		if before, ok := since[k]; !ok || position < before {
			since[k] = position
			first[k] = fmt.Sprint(k.peer, " ", k.source, " ", tracker, " ", int64(records[position-1].Time/1e9))
		}
	}
	for i := range records {
		for _, n := range m.namings(&records[i]) {
			if peer, ok := peers[fmt.Sprint(n.torrent, " ", n.address)]; ok {
				name(key{peer, n.source}, n.tracker, i+1)
			}
		}
	}
	for _, p := range m.peers() {
		for _, s := range p.sessions {
			if s.incoming {
				name(key{int64(p.id), "incoming"}, "-", s.opened)
			}
		}
	}
	var lines []string
	for _, line := range first {
		lines = append(lines, line)
	}
	return naiveLines(lines)
}

func (m *naiveModel) namings(r *events.Record) (all []naiveNaming) {
	list := func(torrent events.TorrentNumber, source, tracker string, peers events.PeerList) {
		for i := range peers.Len() {
			all = append(all, naiveNaming{torrent, peers.At(i).AddrPort, source, tracker})
		}
	}
	one := func(torrent events.TorrentNumber, source string, a netip.AddrPort) {
		all = append(all, naiveNaming{torrent, a, source, "-"})
	}
	switch e := r.Event.(type) {
	case *events.TrackerAnnounced:
		list(e.Torrent, "tracker", e.Tracker, e.Peers)
	case *events.DHTLookedUp:
		list(e.Torrent, "dht", "-", e.Peers)
	case *events.PeersExchanged:
		list(m.openSessionNames[e.Session].torrent, "pex", "-", e.Added)
	case *events.PeersNamed:
		source := e.Source.String()
		if e.Source >= 16 {
			source = "other"
		}
		list(e.Torrent, source, "-", e.Peers)
	case *events.AddressRejected:
		one(e.Torrent, e.Source.String(), e.Address.AddrPort)
	case *events.ExtensionHandshakeReceived:
		if s := m.openSessionNames[e.Session]; s.incoming && r.Seq == events.Seq(s.saidPort) && !m.ownFromTheStart(s) {
			one(s.torrent, "incoming", netip.AddrPortFrom(s.address.Addr(), s.port))
		}
	case *events.LocalPeerAnnounced:
		one(e.Torrent, "local", e.Peer.AddrPort)
	case *events.DHTPeerAnnounced:
		port := e.Port
		if e.ImpliedPort {
			port = e.Node.Port()
		}
		one(e.Torrent, "dht", netip.AddrPortFrom(e.Node.Addr(), port))
	}
	return all
}
