package projections

import (
	"encoding/hex"
	"iter"
	"net/netip"

	"btda/events"
)

var peerColumns = []Column{
	{"id", Integer}, {"client", Text}, {"continent", Text}, {"country", Text}, {"latitude", Real}, {"longitude", Real},
	{"first_pieces", Integer}, {"last_pieces", Integer}, {"first_seen", Integer}, {"last_seen", Integer}, {"max_speed", Real},
	{"visits", Integer}, {"source", Text}, {"torrent", Integer}, {"city", Text}, {"asn", Integer}, {"as_org", Text},
	{"address", Text}, {"peer_id", Text}, {"transport", Text}, {"encryption", Text}, {"family", Integer},
	{"upload_only", Integer}, {"client_name", Text},
}

// peers makes the rows of peer and download, which have their ids in common.
type peers struct {
	view      *view
	torrents  *torrents
	endpoints *endpoints
	places    *places
	options   Options
}

// each calls a function with every identity whose row may have changed, in the order of their ids. The row is empty space for it to
// fill; a nil judgement stands for an id that has no row.
func (p *peers) each(since Position, columns int, row func(leader partyIndex, j *judgement, to Row) Row) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		var sessions []recollection
		space := make(Row, columns)
		for i := range p.view.leaders {
			leader := partyIndex(i)
			if !p.view.changed(leader, since) && !p.moved(leader, since) {
				continue
			}
			change := Change{ID: leader.id()}
			if p.view.isLeader(leader) && p.view.met(leader) {
				sessions = p.view.appendSessions(sessions[:0], leader)
				j := judge(sessions)
				change.Row = row(leader, &j, space[:0])
			}
			if !yield(change) {
				return
			}
		}
	}
}

// moved reports whether the log said where an identity is since a position.
func (p *peers) moved(leader partyIndex, since Position) bool {
	return len(p.places.stored) > 0 && p.view.isLeader(leader) && p.places.changed(p.address(leader).Addr(), since)
}

func (p *peers) table() Table {
	return newTable("peer", peerColumns, func(since Position) iter.Seq[Change] { return p.each(since, len(peerColumns), p.row) })
}

func (p *peers) row(leader partyIndex, j *judgement, to Row) Row {
	peer := &p.view.members[leader]
	first := &peer.first
	at := p.address(leader)
	place := p.places.find(at.Addr())
	return append(to,
		integer(leader.id()), text(clientCode(first.peerID)), textOrNull(place.Continent), textOrNull(place.Country),
		known(decimal(place.Latitude), place.HasPosition), known(decimal(place.Longitude), place.HasPosition),
		optional(j.firstPieces), optional(j.lastPieces), seconds(first.time), seconds(peer.lastSeen),
		known(decimal(j.top.perSecond()), j.lastPieces.Known && j.top.over > 0), integer(peer.visits), p.source(leader),
		p.torrents.id(p.torrent(leader)), textOrNull(place.City), optional(place.ASN), textOrNull(place.ASOrg),
		known(text(at.String()), p.options.WithAddresses),
		known(text(hex.EncodeToString(first.peerID[:])), p.options.WithAddresses),
		text(first.transport.String()), text(first.encryption.String()), family(at.Addr()),
		known(boolean(peer.uploadOnly == uploadOnlyYes), peer.uploadOnly != uploadOnlyUnsaid),
		textOrNull(clientName(first.peerID)),
	)
}

func (p *peers) torrent(leader partyIndex) torrentIndex {
	return p.view.sessions.identities.parties.at(int(leader)).key.torrent
}

// address is the endpoint of an identity that has one, else the other side of its first connection.
func (p *peers) address(leader partyIndex) netip.AddrPort {
	key := &p.view.sessions.identities.parties.at(int(p.view.roots[leader])).key
	if key.kind == byEndpoint {
		return netip.AddrPortFrom(key.address.addr(), key.port)
	}
	first := &p.view.members[leader].first
	return netip.AddrPortFrom(first.address.addr(), first.port)
}

// source is incoming for a peer that came to us first, else who named the address that was dialled.
func (p *peers) source(leader partyIndex) Value {
	first := &p.view.members[leader].first
	if first.direction == events.Incoming {
		return text(events.SourceIncoming.String())
	}
	return p.endpoints.firstSource(endpointKey{torrent: p.torrent(leader), port: first.port, address: first.address}, first.position)
}

func family(a netip.Addr) Value {
	if a.Is4() {
		return integer(4)
	}
	return integer(6)
}
