package replay

import (
	"path/filepath"
	"slices"
	"testing"

	"btda/events"
	"btda/events/eventlog"
)

// The folders of every released version of the log give the rows that their events mean, forever: each question with its answer. All
// folders of version 1 hold the same events; one was sealed, the other one left by a crash. The packed ones have compressed blocks.
func TestGoldenFoldersReplay(t *testing.T) {
	for name, ending := range map[string]Ending{
		"v1-sealed.events": Sealed, "v1-killed.events": Open, "v1-packed-sealed.events": Sealed, "v1-packed-killed.events": Open,
	} {
		o := optionsFor(copyGolden(t, name))
		o.Projections.WithAddresses = true
		o.Output = filepath.Join(t.TempDir(), "result.sqlite")
		result, _ := replayLogs(t, o)
		if run := result.Runs[0]; run.Ending != ending || run.Last != 11 || len(run.Skipped) != 0 || run.Program != "btda 1" {
			t.Errorf("%s: %+v, want 11 events, %s", name, run, ending)
		}
		for question, answer := range map[string]string{
			"SELECT info_hash_hex || ' ' || pieces_count || ' ' || piece_size || ' ' || complete_threshold || ' ' || display_name FROM torrent": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 8 16384 8 one",
			"SELECT first_pieces || ' ' || last_pieces || ' ' || visits || ' ' || address FROM peer":                                            "6 7 1 127.0.0.1:6881",
			"SELECT group_concat(address || ' ' || outcome || ' ' || attempts, ', ') FROM (SELECT * FROM endpoint ORDER BY id)":                 "127.0.0.1:6881 handshake 1, [::1]:6881 refused 1",
			"SELECT last_seen - first_seen FROM peer": "860",
			"SELECT count(*) FROM download":           "0",
		} {
			if got := queryColumn(t, o.Output, question); !slices.Equal(got, []string{answer}) {
				t.Errorf("%s: %s gives %q, want %q", name, question, got, answer)
			}
		}
	}
}

func copyGolden(t *testing.T, name string) string {
	t.Helper()
	return copyLog(t, filepath.Join("..", "events", "eventlog", "testdata", name))
}

// A record of a newer version of a known kind is passed over and counted too.
func TestNewerVersionsAreCounted(t *testing.T) {
	log := recordLogWith(t, eventlog.Options{BlockEvents: 1}, fromText(t, oneDownload))
	newer := edited(t, log, func(key, value []byte) []byte {
		if isBlockOf(events.KindHaveReceived, key, value) {
			value[kindOffset+1]++
		}
		return value
	})
	o := optionsFor(newer)
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	result, _ := replayLogs(t, o)
	if got := result.Skipped(); !slices.Equal(got, []Skipped{{Kind: events.KindHaveReceived, Count: 1}}) || result.Events() != 7 {
		t.Errorf("%d events, skipped %v; want 7, and one have", result.Events(), got)
	}
	if got := queryColumn(t, o.Output, "SELECT (SELECT count(*) FROM peer) || ' ' || (SELECT count(*) FROM download)"); got[0] != "1 0" {
		t.Errorf("peers and downloads %s, want 1 0", got[0])
	}
	if result, _ := replayLogs(t, optionsFor(log)); len(result.Skipped()) != 0 {
		t.Errorf("of the log itself %v was skipped", result.Skipped())
	}
}
