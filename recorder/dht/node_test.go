package dht

import (
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

const testPatient = 20 * time.Second // for what must happen, however slow the machine

// testConfig is a node that observes testHash, and records into a log of its own.
func testConfig(conn net.PacketConn) Config {
	var numbers atomic.Uint64
	return Config{
		Conn: conn, Log: eventstest.NewLog(), Text: slog.New(slog.DiscardHandler), Judge: judgeLoosely,
		Torrent: func(h events.InfoHash) events.TorrentNumber {
			if h == events.InfoHash([]byte(testHash)) {
				return 7
			}
			return 0
		},
		Offer:  func(Named) {},
		Number: func() events.LookupNumber { return events.LookupNumber(numbers.Add(1)) },
	}
}
