package projections

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"btda/events"
	"btda/events/eventstest"
	"btda/events/pieces"
)

var (
	naiveOwnID      = events.PeerID{'-', 'B', 'T'}
	naiveOwnAddress = netip.MustParseAddrPort("10.0.0.1:1")
)

func newNaiveModel(policy Identity) *naiveModel {
	m := &naiveModel{
		policy: policy, size: map[events.TorrentNumber]int{}, complete: map[events.TorrentNumber]int{}, settle: 2 * time.Second,
		timeout: 6 * time.Second, revisit: 5 * time.Second, ownID: naiveOwnID, ownAddress: naiveOwnAddress,
		openSessionNames: map[events.SessionNumber]*naiveSession{},
	}
	for i, size := range streamSizes {
		number := events.TorrentNumber(i + 1)
		m.size[number], m.complete[number] = size, int(pieces.MustFraction("0.75").CeilOf(uint64(size)))
	}
	return m
}

// propertyRounds is 300, or what BTDA_PROPERTY_ROUNDS says.
func propertyRounds(t *testing.T) int {
	text := os.Getenv("BTDA_PROPERTY_ROUNDS")
	if text == "" {
		return 300
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal("BTDA_PROPERTY_ROUNDS: ", err)
	}
	return n
}

// propertySeed is random, or what BTDA_PROPERTY_SEED says.
func propertySeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if text := os.Getenv("BTDA_PROPERTY_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal("BTDA_PROPERTY_SEED: ", err)
		}
	}
	t.Logf("to repeat: BTDA_PROPERTY_SEED=%d", seed)
	return seed
}

// TestFoldsAgreeWithTheNaiveModel holds peers and downloads of random streams against the rules told a second time.
func TestFoldsAgreeWithTheNaiveModel(t *testing.T) {
	seed := propertySeed(t)
	downloads := 0
	for round := range propertyRounds(t) {
		records := randomStream(seed+uint64(round), 40+round%200)
		for _, policy := range Identities() {
			options := DefaultOptions()
			options.Identity = policy
			set, err := foldAll(options, records)
			if err != nil {
				t.Fatal(err)
			}
			model := newNaiveModel(policy)
			for i := range records {
				model.apply(&records[i])
			}
			got, want := peerTexts(t, set.Tables()), model.texts()
			if got != want {
				t.Fatalf("seed %d, identity %s\n%s\ngot\n%s\nwant\n%s", seed+uint64(round), policy, eventstest.Format(records), got, want)
			}
			for _, p := range model.peers() {
				if p.download != "" {
					downloads++
				}
			}
		}
	}
	if downloads == 0 {
		t.Error("no stream had a download: the test says nothing")
	}
}

func (m *naiveModel) texts() string {
	text := ""
	for _, p := range m.peers() {
		text += fmt.Sprintf("%d visits %d seen %d-%d pieces %d-%d speed %.5f download %s\n", p.id, p.visits,
			p.firstSeen/1e9, p.lastSeen/1e9, p.first, p.last, p.speedIfKnown(), p.download)
	}
	return text
}

func (p *naivePeer) speedIfKnown() float64 {
	if p.last < 0 {
		return -1
	}
	return p.speed
}

func peerTexts(t *testing.T, tables []Table) string {
	downloads := map[int64]string{}
	for row := range tableNamed(t, tables, "download").Rows {
		below, above := row[3].Real, row[4].Real
		downloads[row[0].Integer] = fmt.Sprint(fmt.Sprintf("%.4f ", below), fmt.Sprintf("%.4f ", above), row[5].Integer, row[6].Integer, row[7].Text, row[8].Text)
	}
	text := ""
	for row := range tableNamed(t, tables, "peer").Rows {
		speed := row[10].Real
		if row[10].Type == Null {
			speed = -1
		}
		text += fmt.Sprintf("%d visits %d seen %d-%d pieces %d-%d speed %.5f download %s\n", row[0].Integer, row[11].Integer,
			row[8].Integer, row[9].Integer, numberOr(row[6], -1), numberOr(row[7], -1), speed, downloads[row[0].Integer])
	}
	return text
}

func numberOr(v Value, other int64) int64 {
	if v.Type == Null {
		return other
	}
	return v.Integer
}
