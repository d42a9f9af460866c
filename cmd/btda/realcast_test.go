package main_test

import (
	"net/netip"
	"time"

	"btda/recorder/swarmtest/realclient"
)

// How the swarm is made. 2 % of the pieces are 10.
const (
	realPieces      = 512
	realPieceLength = 16 << 10
	realSlowFrom    = 476 // pieces from which on clients that hang up when they have finished are slow
	realSlowRate    = 28_000
	leastTail       = 3 * time.Second // that the last 2 % of those clients take

	realPatience = 170 * time.Second // for all of the test
	// afterglow is how much longer than the last download the recording lasts. Some clients hold their last haves back for 10 s.
	afterglow = 15 * time.Second
)

// realMode is a way to record the swarm. All record the same swarm at the same time.
type realMode struct {
	name    string
	args    []string
	address string // of its own, beside ::1
	tracker string // scheme of the tracker for IPv4
	early   bool   // it records before there are clients, so that they learn of it from the tracker
	meets   func(*realclient.Client) bool
	assumes func(*realclient.Client) bool // of a client that it meets: a download of it cannot be more than likely
}

var realModes = []realMode{
	{name: "active stay", args: []string{"--active", "--observe", "stay"}, address: "127.0.11.1", tracker: "http", meets: everyClient, assumes: noClient},
	{name: "active visit", args: []string{"--active", "--observe", "visit"}, address: "127.0.11.2", tracker: "udp", meets: everyClient, assumes: noClient},
	{name: "passive stay", args: []string{"--passive", "--observe", "stay"}, address: "127.0.11.3", tracker: "http", early: true,
		meets: dialsOnLoopback, assumes: startsSilently},
	{name: "both stay", args: []string{"--active", "--passive", "--observe", "stay"}, address: "127.0.11.4", tracker: "udp", early: true,
		meets: dialsOnLoopback, assumes: startsSilently},
}

func everyClient(*realclient.Client) bool { return true }

func noClient(*realclient.Client) bool { return false }

// dialsOnLoopback tells of a client that connects to a recorder when the tracker names it. One that is complete need not.
func dialsOnLoopback(c *realclient.Client) bool { return c.Kind != realclient.Transmission && !c.Full }

// startsSilently tells of a client that does not say that it has nothing. It would say more in another session, but one that connected
// is kept.
func startsSilently(c *realclient.Client) bool { return c.Kind == realclient.RTorrent && c.Begun == 0 }

// realCast is who takes part, in the order in which they start: transmission connects to nobody on loopback, so the others must
// learn of it, and the seed comes late, so that nobody has anything before most are there. rtorrent hangs up on everybody when it has
// finished, in order to check what it has.
var realCast = []realclient.Options{
	{Name: "transmission", Kind: realclient.Transmission, Rate: 220_000},
	{Name: "aria2", Kind: realclient.Aria2, Rate: 230_000},
	{Name: "rtorrent", Kind: realclient.RTorrent, Rate: 240_000, SlowFrom: realSlowFrom, SlowRate: realSlowRate},
	{Name: "rtorrent that resumes", Kind: realclient.RTorrent, Begun: realPieces / 8, Rate: 200_000, SlowFrom: realSlowFrom, SlowRate: realSlowRate},
	{Name: "libtorrent", Kind: realclient.Libtorrent, Rate: 200_000},
	{Name: "quits when finished", Kind: realclient.Libtorrent, Rate: 250_000, Quits: true, SlowFrom: realSlowFrom, SlowRate: realSlowRate},
	{Name: "stops half way", Kind: realclient.Libtorrent, Rate: 190_000, Goal: realPieces / 2},
	{Name: "complete from the start", Kind: realclient.Aria2, Full: true, Rate: 1000},
	{Name: "seed", Kind: realclient.Libtorrent, Full: true, Also: netip.IPv6Loopback()},
	{Name: "libtorrent on ::1", Kind: realclient.Libtorrent, Rate: 210_000, Address: netip.IPv6Loopback()},
}
