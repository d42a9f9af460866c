package main

import (
	"bytes"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
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
		"--timeout", "2s", "--revisit", "1s"}, terminal{&out, &failures})
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
			t.Errorf("%s: by kind %+v, missed %q", c.name, got.kinds[:2], got.missed)
		}
	}
}
