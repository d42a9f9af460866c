// Package swarm decides which peer to contact next, and when.
//
// A Schedule is a plain state machine: it has no clock, goroutine or socket, is used by one goroutine, and gives the
// same answers for the same calls. Time is passed in and may stand still, but a step back counts as standing still.
//
// # Promises
//
//   - A peer is an address and port for one torrent. It has one contact at a time.
//   - At no time are there more contacts than Options.Sessions, and in no span of time t are more begun than
//     t * DialRate + a tenth of a second's worth (at least one). Two contacts with peers of one network, a /24 (IPv4) or /48 (IPv6),
//     are 1 s / NetworkDialRate apart, loopback aside. A connection that a contact makes after its first one counts as a contact; it need not
//     wait for its network, which rests the longer afterwards.
//   - A peer is contacted until it reached the threshold, then never again. A failing peer is never dropped: the delay
//     doubles with each failure in a row, up to 64 times the revisit delay. For one that was seen below the threshold it stays at 4 times
//     the revisit delay for a dozen failures before it grows on, since a peer that is only busy may finish meanwhile.
//   - Of a restricted torrent, which is private (BEP 27), no peer is contacted that no tracker of it has named. Contacts under way go on.
//   - A peer that connected to us is met: it is not contacted while that lasts, and then as the ending of that session demands.
//   - While peers wait and there are no sessions for them, one session in eight (at least one) is kept for them: the least advanced of
//     the others give way, after a minimum stay. None gives way while a less advanced one stays that has had its minimum stay, in
//     no such time do more give way than are kept, and who gave way comes back after the revisit delay.
//   - Four queues wait: peers to reconnect at once, new peers, peers whose network had to rest, and peers whose delay is over. They are served in this
//     order, but a queue that was passed over eight times in a row goes first, so that none starves. Within a queue the
//     order is first come, first served; new peers of several torrents take turns.
package swarm
