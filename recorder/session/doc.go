// Package session observes one peer over one connection, from dial or accept to close.
//
// An Observer is set up once per run. Contact dials a peer, Serve takes in a connection that a peer made. Both exchange handshakes
// and then listen, until the peer hangs up, a rule of ours ends the session, or ctx is done, whose cause may tell why (a
// netfail.Error). Every fact is appended to the log, in order, with the time at which its bytes were read.
//
// # Peers that come to us
//
// Their handshake is read as far as it names a torrent, and answered only if that is observed. All of it has to come within the
// timeout, however it drips. What fails before that is small: it is one event, and most of the incoming connections of a popular
// port are of that kind.
//
// A Roster sees to it that there is one session with each peer, when both sides dial: the first is kept, the second recorded as a
// duplicate, unless the first has been silent for long.
//
// # Ways to a peer
//
// A peer may take plain or encrypted connections (package mse), by TCP or by uTP. The ways that the settings allow are tried one after the
// other, each on a connection of its own, as long as the failure of one says that another may work: what does not connect is not tried again by the
// same transport, and a peer that hangs up on one kind of handshake is offered the other. Each failed try is an event with the number
// of the contact; the contact is one visit. The way that worked is tried first the next time.
//
// What a peer says that comes to us tells whether it is encrypted.
//
// # What is said to a peer
//
// A handshake; an extension handshake to peers that support it (BEP 10); have-none to peers that support the fast extension (BEP 6);
// a request for metadata piece 0 every 5 s, while the peer offers metadata (BEP 9) and is below the threshold, since that makes some clients
// flush the haves that they hold back (every second to those that are known for it, when they may be about to finish: see Staying to the end);
// a keep-alive after 60 s without a word of ours; and a reject to who asks us for metadata. Never
// interested, a bitfield, a have, a request for content, or content.
//
// # Metadata
//
// While the metadata of a torrent is not known, pieces of it are asked of every peer that offers it, at most four at one time (see Metadata).
// What a peer tells about its pieces meanwhile is recorded as it came and kept within bounds; when the metadata comes, from whatever peer,
// each session learns within seconds what its own peer has.
//
// # When a session ends
//
// The peer hangs up. It has reached the threshold, and its set is settled: 2 s have passed since it first told about its pieces, so that replay can tell a
// seed from a download that just finished. In a visit: nothing with content came for the timeout, and the set is settled if the peer told of one; or more messages than allowed.
// When staying with a peer that we dialled: the revisit delay, and at least the timeout where it said nothing, has passed and it is still not known what the peer began with; a new handshake brings a
// bitfield. Peers that came to us are kept, because they may not be reached; a visit of theirs ends as any other, and it is for them to come
// back, or for the schedule to contact them where they said a port. Not a byte came
// for 5 minutes; a message was not whole 30 s after it began; a message of ours could not be sent within the timeout; a message was longer than its bound.
//
// Time in which we wait for the log does not count against a peer: no session is ended for what did not come before all that came is read.
//
// # Content
//
// A message has content when it changes the set of pieces, is the first to tell about pieces, or is the first extension handshake. All others say nothing new:
// keep-alives, choke and unchoke, requests, answers to our own asking, repeated haves, haves and bitfields that fit no torrent of this size.
// They do not prolong a visit. They are stored one by one up to a rate, above which they are counted (events.MessagesSuppressed). Messages with
// content are always stored; a peer that sends more of them than a download can cause is read more slowly.
//
// # Cost
//
// A session is one goroutine with a stack of 4 KiB, a read buffer of 512 bytes, one bit a piece, and another KiB. Dialling, which takes a
// larger stack, has a goroutine of its own. What ends a session before its time is a Recall or the context that all have in common: a context for
// each would take another 600 bytes. Nothing is allocated for a message, except bitfields and extension handshakes.
package session
