package session_test

import (
	"testing"
	"time"

	"btda/events"
	"btda/recorder/wire"
)

// rtorrent tells of its last pieces only when it writes something else, and closes its connections the moment it has finished, in
// order to check what it has.
func TestClientsThatHoldHavesBackAreAskedSoonWhenTheyMayFinish(t *testing.T) {
	cases := []struct {
		name, client string
		bitfield     [2]byte // of 16 pieces
		asked        []int   // seconds
	}{
		{"rtorrent above 80 %, as long as it gets on", "-lt0D80-", [2]byte{0xff, 0xf0}, []int{5, 6, 7, 12, 17}},
		{"transmission too", "-TR3000-", [2]byte{0xff, 0xf0}, []int{5, 6, 7, 12, 17}},
		{"rtorrent below 80 %", "-lt0D80-", [2]byte{0xff, 0}, []int{5, 10, 15, 20}},
		{"a client that tells at once", "-LT2080-", [2]byte{0xff, 0xf0}, []int{5, 10, 15, 20}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sc := play(t, stay, func(sc *scene) {
				sc.peer.readHandshake()
				sc.peer.write(wire.Handshake{Reserved: modern, InfoHash: infoHash, PeerID: events.PeerID([]byte(c.client + "abcdefghijkl"))}.Append(nil))
				go sc.peer.untilLeft()
				sc.send(frame(events.Bitfield, c.bitfield[:]...), extended(0, offersMetadata))
				sc.at(5500 * time.Millisecond)
				sc.send(have(12))
				sc.at(6500 * time.Millisecond)
				sc.send(have(13))
				sc.at(20500 * time.Millisecond)
			})
			wantSeconds(t, sc.sent(events.Extended), c.asked)
		})
	}
}
