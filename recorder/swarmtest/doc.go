// Package swarmtest runs small swarms on loopback, for tests, the demo and load: a real tracker (HTTP and UDP) and whole BitTorrent clients
// (github.com/anacrolix/torrent), each on a loopback address of its own. It is to swarms what net/http/httptest is to HTTP.
//
// Nothing leaves loopback: no DHT, no port forwarding, no webtorrent, no look-up of names. The payload is random from a
// seed and stays in memory; no file is written.
//
// # The truth
//
// What a client really had, and when, is noted where its storage marks a piece as verified, before the client tells any peer of
// it (Client.History). What it told the tracker is noted by the tracker (Tracker.Announces).
package swarmtest
