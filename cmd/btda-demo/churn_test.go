package main

import (
	"bytes"
	"database/sql"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"btda/events"
)

// Clients that leave when they have finished are confirmed, of every kind, and nobody else is. On a machine that is busy with other things one may
// be missed.
func TestChurn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	t.Parallel()
	var out, failures bytes.Buffer
	code := run(t.Context(), []string{"--output", t.TempDir(), "--churn", "--peers", "10", "--turns", "1", "--pieces", "128", "--pace", "14s",
		"--revisit", "1s"}, terminal{&out, &failures})
	if code != exitDone && !strings.Contains(failures.String(), errRecall.Error()) {
		t.Fatalf("exit code %d, %s\n%s", code, &failures, &out)
	}
	total := regexp.MustCompile(`(?m)^all +10 +(\d+) .* 1\.000 *$`).FindStringSubmatch(out.String())
	if total == nil || total[1] != "10" && total[1] != "9" {
		t.Errorf("%s\n%s", &failures, &out)
	}
}

// What counts as confirmed, as reachable and as wrong.
func TestCount(t *testing.T) {
	address := netip.MustParseAddr("127.1.0.1")
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	download := func(address string, above float64, evidence string) peerRow {
		return peerRow{address: address, download: &downloadRow{lastBelow: above - 1, firstAbove: above, belowEvidence: evidence, aboveEvidence: "have"}}
	}
	cases := []struct {
		name           string
		began          int64 // it crossed the threshold at 100
		peers          []peerRow
		all, reachable share
		precision      share
		verdict        error
	}{
		{"seen at once", 80, []peerRow{download("127.1.0.1:1", 100.1, "bitfield")}, share{1, 1}, share{1, 1}, share{1, 1}, nil},
		{"seen late", 80, []peerRow{download("127.1.0.1:1", 109, "bitfield")}, share{1, 1}, share{1, 1}, share{1, 1}, nil},
		{"seen in one of two sessions", 80, []peerRow{{address: "127.1.0.1:2"}, download("127.1.0.1:1", 101, "have_none")},
			share{1, 1}, share{1, 1}, share{1, 1}, nil},
		{"missed", 80, []peerRow{{address: "127.1.0.1:1"}}, share{0, 1}, share{0, 1}, share{0, 0}, errRecall},
		{"only assumed", 80, []peerRow{download("127.1.0.1:1", 101, assumed)}, share{0, 1}, share{0, 1}, share{0, 0}, errRecall},
		{"too short a time", 91, nil, share{0, 1}, share{0, 0}, share{0, 0}, nil},
		{"seen too early", 80, []peerRow{download("127.1.0.1:1", 99, "bitfield")}, share{0, 1}, share{0, 1}, share{0, 1}, errDisagree},
		{"counted twice", 80, []peerRow{download("127.1.0.1:1", 101, "bitfield"), download("127.1.0.1:2", 102, "bitfield")},
			share{1, 1}, share{1, 1}, share{1, 2}, errDisagree},
		{"somebody else", 91, []peerRow{download("127.1.0.2:1", 101, "bitfield")}, share{0, 1}, share{0, 0}, share{0, 1}, errDisagree},
	}
	for _, c := range cases {
		got := count([]completion{{kind: kinds[0].name, name: "a", address: address, began: at(c.began), crossed: at(100)}}, c.peers)
		if got.total.all != c.all || got.total.reachable != c.reachable || got.total.precision() != c.precision || !errors.Is(got.verdict(), c.verdict) {
			t.Errorf("%s: %+v, %v", c.name, got.total, got.verdict())
		}
		if got.kinds[0].all != c.all || got.kinds[1].all != (share{}) || len(got.missed) != c.reachable.of-c.reachable.confirmed {
			t.Errorf("%s: by kind %+v, missed %+v", c.name, got.kinds[:2], got.missed)
		}
	}
}

// Why a completion is missed is told from the log.
func TestWhyACompletionIsMissed(t *testing.T) {
	failed := events.ConnectionFailed{Direction: events.Outgoing, Transport: events.UTP, Phase: events.PhaseDial, Reason: events.ReasonTimeout}
	opened := events.SessionOpened{Session: 1}
	closed := events.SessionClosed{Session: 1, By: events.Peer, Reason: events.ReasonClosedByPeer}
	row := func(first, last int64) []peerRow {
		return []peerRow{{firstPieces: sql.NullInt64{Int64: first, Valid: first >= 0}, lastPieces: sql.NullInt64{Int64: last, Valid: last >= 0}}}
	}
	type at struct {
		seconds int64 // it crossed the threshold, of 98 pieces, at 100
		events.Event
	}
	cases := []struct {
		name          string
		log           []at
		counted       []peerRow
		reason, known string
	}{
		{"nobody tried", nil, nil, neverMet, "nobody tried to connect"},
		{"unreached", []at{{80, &failed}, {90, &failed}}, nil, neverMet, "2 of 2 connections outgoing utp: dial, timeout"},
		{"mute", []at{{90, &opened}, {101, &closed}}, row(-1, -1), untold, "connected since 10.0 s before it crossed, until 1.0 s after: closed by peer by peer"},
		{"late", []at{{80, &failed}, {101, &opened}, {102, &closed}}, row(99, 99), lateStart,
			"connected 1.0 s after it crossed; before, 1 of 1 connections outgoing utp: dial, timeout"},
		{"left", []at{{80, &opened}, {101, &closed}}, row(0, 97), leftEarly, "0 to 97 pieces; connected since 20.0 s before it crossed, until 1.0 s after"},
		{"to the end", []at{{80, &opened}}, row(0, 97), leftEarly, "to the end"},
		{"away", []at{{80, &opened}, {95, &closed}}, row(0, 60), away, "connected for 15.0 s until 5.0 s before it crossed: closed by peer by peer"},
	}
	for _, c := range cases {
		seen := newTrails()
		address := netip.MustParseAddr("127.1.0.1")
		failed.Address = events.AddressOf(netip.AddrPortFrom(address, 1))
		opened.Address = failed.Address
		for _, r := range c.log {
			seen.Apply(&events.Record{Time: events.TimeOf(time.Unix(r.seconds, 0)), Event: r.Event})
		}
		missed := completion{crossed: time.Unix(100, 0), threshold: 98, counted: c.counted, trail: seen.of(address)}
		if reason, known := missed.miss(); reason != c.reason || !strings.Contains(known, c.known) {
			t.Errorf("%s: %s: %s; want %s: %s", c.name, reason, known, c.reason, c.known)
		}
	}
	assumedRow := row(0, 98)
	assumedRow[0].download = &downloadRow{belowEvidence: assumed}
	seen := newTrails()
	seen.Apply(&events.Record{Time: events.TimeOf(time.Unix(80, 0)), Event: &opened})
	missed := completion{crossed: time.Unix(100, 0), threshold: 98, counted: assumedRow, trail: seen.of(opened.Address.Addr())}
	if reason, _ := missed.miss(); reason != unproven {
		t.Errorf("an assumed download: %s", reason)
	}
}
