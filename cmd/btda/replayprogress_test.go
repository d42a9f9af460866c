package main

import (
	"testing"
	"time"

	"btda/replay"
)

func TestReplayLine(t *testing.T) {
	for _, test := range []struct {
		state replay.Advance
		want  string
	}{
		{replay.Advance{}, "20s  opening the logs"},
		{replay.Advance{Total: 100}, "20s  opening the logs"},
		{replay.Advance{Events: 1_000_000, Total: 4_000_000}, "20s  1000000 of 4000000 events, 25 %, 50000 events/s, 1m0s left and then the rows"},
		{replay.Advance{Events: 4_000_000, Total: 4_000_000}, "20s  4000000 of 4000000 events, 100 %, 200000 events/s, 0s left and then the rows"},
		{replay.Advance{Events: 4_000_000, Total: 4_000_000, Table: "endpoint", Rows: 300}, "20s  4000000 events folded, writing table endpoint, 300 rows before it"},
	} {
		if got := replayLine(test.state, 20*time.Second); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
