package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"btda/events/pieces"
)

const knownSwarm = oneDownload + `
	11   TrackerAnnounced torrent=1 tracker=http://tracker.example/announce peers=[9.2.3.6:6881 9.2.3.7:6881]
	12   SessionOpened session=2 contact=2 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.6:6881 peer-id=-TR3000-bbbbbbbbbbbb
	12.5 BitfieldReceived session=2 bitfield=11100000
	20   SessionClosed session=2 by=peer reason=closed-by-peer
	21   PeersNamed torrent=1 source=magnet peers=[9.2.3.8:6881 10.0.0.1:1]
	21   AddressRejected torrent=1 source=magnet address=10.0.0.1:1 reason="foreign scope"
	22   SessionOpened session=3 contact=3 torrent=1 direction=outgoing transport=tcp encryption=plain address=9.2.3.7:6881 peer-id=-TR3000-cccccccccccc
	23   BitfieldReceived session=3 bitfield=11111111`

// What may be dialled is known: first the most advanced, then who was named last; who was complete, as a seed or a download, comes in the end.
func TestKnownPeers(t *testing.T) {
	log := recordKilled(t, fromText(t, knownSwarm))
	known, err := KnownPeers(t.Context(), log, pieces.MustFraction("0.98"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range known {
		got = append(got, fmt.Sprint(k.Address, " ", k.Pieces.Known, " ", k.Pieces.Value, " complete ", k.Complete, " by tracker ", k.ByTracker))
		if k.InfoHash[0] != 0xaa {
			t.Errorf("%v is of torrent %v", k.Address, k.InfoHash)
		}
	}
	want := []string{"9.2.3.6:6881 true 3 complete false by tracker true", "9.2.3.8:6881 false 0 complete false by tracker false",
		"9.2.3.5:6881 false 0 complete false by tracker true", "9.2.3.7:6881 true 8 complete true by tracker true", "9.2.3.4:6881 true 8 complete true by tracker true"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPseudonymsAreNotDialled(t *testing.T) {
	log := recordLog(t, fromText(t, strings.Replace(knownSwarm, "run=01", "run=01 pseudonym-key=01", 1)))
	if _, err := KnownPeers(t.Context(), log, pieces.MustFraction("0.98")); err == nil || !strings.Contains(err.Error(), "pseudonyms") {
		t.Errorf("error %v, want one about pseudonyms", err)
	}
}
