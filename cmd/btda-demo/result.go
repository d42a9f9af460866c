package main

import (
	"database/sql"
	"errors"
	"net/url"

	_ "modernc.org/sqlite" // the driver
)

// result is what a replay counted, read from its SQLite file.
type result struct {
	torrents []torrentRow
	peers    []peerRow
	scrape   *scrapeRow // the last one; nil when there is none
}

// torrentRow is a row of the table torrent.
type torrentRow struct {
	name, hash                   string
	pieces, pieceSize, threshold int
}

// peerRow is a row of the table peer, with its download if it has one. Fields that the schema allows to be NULL are.
type peerRow struct {
	address, client         string
	firstPieces, lastPieces sql.NullInt64
	visits                  int
	download                *downloadRow
}

// downloadRow is a row of the table download. Times are seconds since 1970.
type downloadRow struct {
	lastBelow, firstAbove        float64
	piecesBelow, piecesAbove     int
	belowEvidence, aboveEvidence string
}

// scrapeRow is a row of the table scrape.
type scrapeRow struct{ seeders, completed, leechers sql.NullInt64 }

func readResult(file string) (r result, err error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: "mode=ro"}).String())
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if r.torrents, err = readTorrents(db); err != nil {
		return r, err
	}
	if r.peers, err = readPeers(db); err != nil {
		return r, err
	}
	var s scrapeRow
	err = db.QueryRow("SELECT seeders, completed, leechers FROM scrape ORDER BY id DESC LIMIT 1").Scan(&s.seeders, &s.completed, &s.leechers)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	r.scrape = &s
	return r, err
}

func readTorrents(db *sql.DB) ([]torrentRow, error) {
	const query = "SELECT display_name, info_hash_hex, pieces_count, piece_size, complete_threshold FROM torrent ORDER BY id"
	return readRows(db, query, func(scan func(...any) error) (t torrentRow, err error) {
		err = scan(&t.name, &t.hash, &t.pieces, &t.pieceSize, &t.threshold)
		return t, err
	})
}

func readPeers(db *sql.DB) ([]peerRow, error) {
	const query = `SELECT p.address, p.client, p.first_pieces, p.last_pieces, p.visits,
		d.last_below, d.first_above, d.pieces_below, d.pieces_above, d.below_evidence, d.above_evidence
		FROM peer p LEFT JOIN download d ON d.peer = p.id ORDER BY p.id`
	return readRows(db, query, func(scan func(...any) error) (p peerRow, err error) {
		var times [2]sql.NullFloat64
		var pieces [2]sql.NullInt64
		var evidence [2]sql.NullString
		err = scan(&p.address, &p.client, &p.firstPieces, &p.lastPieces, &p.visits,
			&times[0], &times[1], &pieces[0], &pieces[1], &evidence[0], &evidence[1])
		if evidence[0].Valid {
			p.download = &downloadRow{times[0].Float64, times[1].Float64, int(pieces[0].Int64), int(pieces[1].Int64), evidence[0].String, evidence[1].String}
		}
		return p, err
	})
}

// readRows reads all rows of a query.
func readRows[T any](db *sql.DB, query string, read func(scan func(...any) error) (T, error)) (all []T, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		row, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
