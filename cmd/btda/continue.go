package main

import (
	"context"
	"fmt"
	"io"

	"btda/recorder"
	"btda/replay"
)

// knownPeers lists what the log that a recording continues knows; nothing where none is named.
func knownPeers(ctx context.Context, out io.Writer, settings *recorder.Settings) ([]recorder.Known, error) {
	if settings.Continue == "" {
		return nil, nil
	}
	peers, err := replay.KnownPeers(ctx, settings.Continue, settings.Threshold)
	if err != nil {
		return nil, err
	}
	known, complete := make([]recorder.Known, len(peers)), 0
	for i, p := range peers {
		known[i] = recorder.Known{InfoHash: p.InfoHash, Address: p.Address, Complete: p.Complete, ByTracker: p.ByTracker}
		if p.Complete {
			complete++
		}
	}
	fmt.Fprintf(out, "continuing %s: %d peers are known, of which %d were complete and are left alone\n", settings.Continue, len(peers), complete)
	return known, nil
}
