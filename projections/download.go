package projections

import "iter"

var downloadColumns = []Column{
	{"id", Integer}, {"torrent", Integer}, {"peer", Integer}, {"last_below", Real}, {"first_above", Real},
	{"pieces_below", Integer}, {"pieces_above", Integer}, {"below_evidence", Text}, {"above_evidence", Text},
	{"source", Text}, {"censored", Integer},
}

func (p *peers) downloadTable() Table {
	return newTable("download", downloadColumns, func(since Position) iter.Seq[Change] {
		return p.each(since, len(downloadColumns), p.downloadRow)
	})
}

// downloadRow gives nil for an identity without a download.
func (p *peers) downloadRow(leader partyIndex, j *judgement, to Row) Row {
	if !j.downloaded {
		return nil
	}
	torrent := p.torrent(leader)
	return append(to,
		integer(leader.id()), p.torrents.id(torrent), integer(leader.id()),
		fraction(j.below.time), fraction(j.above.time), integer(j.below.pieces), integer(j.above.pieces),
		text(evidenceNames[j.below.evidence]), text(evidenceNames[j.above.evidence]),
		p.source(leader), p.torrents.censored(torrent),
	)
}
