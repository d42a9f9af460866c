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
		bitfield     [2]byte             // of 16 pieces, of which 15 are enough
		haves        []events.PieceIndex // after 5.5 s
		asked        []int               // seconds
	}{
		{"rtorrent above 80 %, until it gets on no more", "-lt0D80-", [2]byte{0xff, 0xf0}, []events.PieceIndex{12},
			[]int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 26}},
		{"transmission too", "-TR3000-", [2]byte{0xff, 0xf0}, []events.PieceIndex{12},
			[]int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 26}},
		{"rtorrent below 80 %", "-lt0D80-", [2]byte{0xff, 0}, []events.PieceIndex{12}, []int{5, 10, 15, 20, 25}},
		{"rtorrent below 80 %, which will soon be complete if it goes on as it did", "-lt0D80-", [2]byte{0xff, 0}, []events.PieceIndex{12, 13, 14, 15},
			[]int{5, 6, 11, 16, 21, 26}},
		{"a client that nobody knows", "-XX0001-", [2]byte{0xff, 0xf0}, []events.PieceIndex{12}, []int{5, 10, 15, 20, 25}},
		{"libtorrent, which tells at once", "-LT2080-", [2]byte{0xff, 0xf0}, []events.PieceIndex{12}, nil},
		{"aria2, which tells again and again", "A2-1-36-", [2]byte{0xff, 0xf0}, []events.PieceIndex{12}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sc := play(t, stay, func(sc *scene) {
				sc.peer.readHandshake()
				sc.peer.write(wire.Handshake{Reserved: modern, InfoHash: infoHash, PeerID: events.PeerID([]byte(c.client + "abcdefghijkl"))}.Append(nil))
				go sc.peer.untilLeft()
				sc.send(frame(events.Bitfield, c.bitfield[:]...), extended(0, offersMetadata))
				sc.at(5500 * time.Millisecond)
				for _, piece := range c.haves {
					sc.send(have(uint32(piece)))
				}
				sc.at(26500 * time.Millisecond)
			})
			wantSeconds(t, sc.sent(events.Extended), c.asked)
		})
	}
}
