// Package mse is message stream encryption (MSE, also called protocol encryption): the handshake below that of BitTorrent, with which many
// clients obfuscate their connections, and without which some speak to nobody. It is the one door to the library that does it.
//
// # Promises
//
//   - A handshake reads at most 8 KiB, and fails at the deadline of the connection, which its owner sets. Nothing of it is left behind then:
//     no goroutine, no lock.
//   - The costly part of taking in a handshake, two exponentiations, begins when the whole key of the other side has come, so that silence costs
//     nothing; and no more of them run at one time than half of the processors, so that a flood of keys leaves the others alone.
//   - Errors have their reason (package netfail): that of the connection, or events.ReasonUnknownProtocol for bytes that are no handshake,
//     events.ReasonUnknownInfoHash for one that is meant for a torrent that is not ours, events.ReasonTooLarge beyond the bound.
//   - A Conn whose write failed takes no more writes: its cipher cannot be used again.
//
// This is obfuscation and no secrecy: whoever knows the info hash can read along.
package mse
