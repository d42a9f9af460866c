// Package realclient runs BitTorrent clients that other people wrote, as they are packaged by Debian, on loopback: for tests of what
// the recorder makes of them. Each has a file of its own here; what they share is in client.go and process.go.
//
//   - libtorrent (python3-libtorrent, run by the system's Python), which also gives peers over IPv6 and over time whatever is wanted
//   - transmission-daemon, which takes 127.0.0.0/8 for martian: it dials nobody on loopback and only accepts
//   - aria2 (aria2c)
//   - rtorrent
//   - opentracker, a tracker for IPv4 over HTTP and UDP
//   - npm's bittorrent-dht, nodes of the DHT for IPv4, run by Node.js; not of Debian, but of the npm registry, in the versions of
//     npm/package-lock.json
//
// # Loopback only
//
// A client gets an empty environment, so that no proxy and no configuration of the user reaches it. The DHT, unless it is one on loopback,
// UPnP, NAT-PMP, local peer discovery, block lists and all look-ups of names are switched off; trackers are named by address.
//
// # The truth
//
// How many pieces a client has, and when, it says itself (Client.History): libtorrent by its alerts, the others through their
// interface for remote control, asked several times a second. What is known from asking is a little late, never early.
//
// # The end
//
// Close ends the process that was started, by its id, and waits for it. When nobody does, because the test was killed, those
// that run a program of ours end by themselves, and the others after some minutes.
package realclient
