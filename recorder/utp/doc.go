// Package utp makes and takes in connections by uTP (BEP 29): streams over UDP, by which many clients are reached that no TCP connection
// reaches. It is the one door to the library that does it, and has the bounds that the library lacks.
//
// # What the library would do without them
//
// It answers every SYN with a connection that it keeps for two minutes, dead or not. It answers a packet that belongs to no connection with
// three of its own. It holds whatever a peer sends ahead of what is missing, however large the packets. It fails for good when a read of its
// socket fails once, and fails the process when a connection of ours gets the number of one that a peer has just asked for.
//
// # Promises
//
//   - A peer gets to the library with well-formed packets only (see header), of at most 1,500 bytes: what it can make us hold on one
//     connection is 1.4 MiB, if nobody reads, and what it cannot make us do is fail.
//   - Of SYNs, 50 a second are let through, after a burst of 100; of resets as many are sent. A flood of either costs bounded memory; a peer of good
//     will sends its SYN again.
//   - A peer that we dial, in vain or not, may connect to us meanwhile. Its SYN is passed over where it asks for the number of a connection of ours,
//     or comes before that has one.
//   - Errors of a connection are those of package net, or have their reason (package netfail): a deadline that passed is os.ErrDeadlineExceeded.
//   - Datagrams that are no uTP are those of who shares the port (Socket.Others), and dropped when nobody reads them.
//   - After Close nothing is left but memory that the library lets go of within two minutes.
//
// A connection that is asked for takes 12 KiB while it waits for an answer. Each leaves 512 KiB of garbage, in which the library looks for its
// number, one at a time: so the rate of connections bounds that, and their number needs no bound of its own.
//
// A connection is for few bytes, such as a session has: the library has stalled in bulk transfers.
package utp
