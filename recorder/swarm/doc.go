// Package swarm decides which peer to contact next, and when.
//
// A Schedule is a plain state machine: it has no clock, goroutine or socket, is used by one goroutine, and gives the
// same answers for the same calls. Time is passed in and may stand still, but a step back counts as standing still.
//
// # Promises
//
//   - A peer is an address and port for one torrent. It has one contact at a time.
//   - At no time are there more contacts than Options.Sessions, and in no span of time t are more begun than
//     t * DialRate + a tenth of a second's worth (at least one).
//   - A peer is contacted until it reached the threshold, then never again. A failing peer is never dropped: the delay
//     doubles with each failure in a row, up to 64 times the revisit delay.
//   - Three queues wait: peers to reconnect at once, new peers, and peers whose delay is over. They are served in this
//     order, but a queue that was passed over eight times in a row goes first, so that none starves. Within a queue the
//     order is first come, first served; new peers of several torrents take turns.
package swarm
