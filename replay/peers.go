package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"btda/events"
	"btda/events/pieces"
	"btda/projections"
)

// KnownPeer is what a log says of an address of a torrent, for a recorder that goes on.
type KnownPeer struct {
	InfoHash   events.InfoHash
	Address    netip.AddrPort
	Pieces     events.Optional // that it was last known to have
	Complete   bool            // it was seen at or above the threshold
	ByTracker  bool            // a tracker named it, which is what counts for a private torrent (BEP 27)
	FirstNamed int64           // in seconds since 1970; 0 where nobody named it
}

// KnownPeers lists the peers that a log knows and that may be dialled: those that are not complete before those that are, the most advanced
// first, and of the others who was named last. The log of a recorder that did not end in order will do; one whose addresses are pseudonyms
// is refused.
func KnownPeers(ctx context.Context, folder string, threshold pieces.Fraction) ([]KnownPeer, error) {
	o := DefaultOptions()
	o.Logs = []string{folder}
	o.Projections.Threshold, o.Projections.Sweep, o.Projections.WithAddresses = &threshold, nil, true
	set, err := projections.NewSet(o.Projections)
	if err != nil {
		return nil, err
	}
	_, err = o.open(ctx, func(all logs) (Result, error) {
		if err := all.checkAddresses(); err != nil {
			return Result{}, err
		}
		return foldSet(ctx, &o, all, set)
	})
	if err != nil {
		return nil, fmt.Errorf("the log %s cannot be continued: %w", folder, err)
	}
	return gatherPeers(set.Tables())
}

// checkAddresses refuses logs without addresses.
func (all logs) checkAddresses() (err error) {
	for _, l := range all {
		definitions := l.reader.Definitions()
		if definitions.Next() {
			if e, ok := definitions.Record().Event.(*events.RunStarted); ok && len(e.PseudonymKey) > 0 {
				err = errors.Join(err, errors.New("its addresses are pseudonyms, which nobody can dial"))
			}
		}
		err = errors.Join(err, definitions.Err(), definitions.Close())
	}
	return err
}

// standing is what the table peer says of one.
type standing struct {
	pieces   events.Optional
	complete bool
}

// gatherPeers takes the peers out of the tables.
func gatherPeers(tables []projections.Table) ([]KnownPeer, error) {
	hashes, goals := map[int64]events.InfoHash{}, map[int64]int64{}
	for row := range tableRows(tables, "torrent") {
		hashes[row.integer("id")] = events.InfoHash([]byte(row.value("info_hash").Text))
		goals[row.integer("id")] = row.integer("complete_threshold")
	}
	standings := map[int64]standing{}
	for row := range tableRows(tables, "peer") {
		standings[row.integer("id")] = row.standing(goals[row.integer("torrent")])
	}
	for row := range tableRows(tables, "download") {
		s := standings[row.integer("peer")]
		s.complete = true
		standings[row.integer("peer")] = s
	}
	var all []KnownPeer
	for row := range tableRows(tables, "endpoint") {
		if row.value("outcome").Text == "rejected" {
			continue
		}
		address, err := netip.ParseAddrPort(row.value("address").Text)
		if err != nil {
			return nil, err
		}
		s := standings[row.integer("peer")]
		all = append(all, KnownPeer{InfoHash: hashes[row.integer("torrent")], Address: address, Pieces: s.pieces, Complete: s.complete,
			ByTracker: slices.Contains(strings.Split(row.value("sources").Text, ","), events.SourceTracker.String()), FirstNamed: row.integer("first_named")})
	}
	slices.SortStableFunc(all, KnownPeer.compare)
	return all, nil
}

func (k KnownPeer) compare(l KnownPeer) int {
	if k.Complete != l.Complete {
		if l.Complete {
			return -1
		}
		return 1
	}
	advance := func(k KnownPeer) int64 {
		if !k.Pieces.Known {
			return -1
		}
		return int64(k.Pieces.Value)
	}
	return cmp.Or(cmp.Compare(advance(l), advance(k)), cmp.Compare(l.FirstNamed, k.FirstNamed))
}
