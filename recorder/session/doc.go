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
// requests for metadata piece 0 (see Staying to the end); a keep-alive after 60 s without a word of ours; and a reject to who asks us for metadata. Never
// interested, a bitfield, a have, a request for content, or content.
//
// # Staying to the end
//
// Clients differ in how long they keep somebody who takes nothing and gives nothing, and in whether they tell him what they got. Some hold
// their haves back until they write something else, such as an answer about metadata (BEP 9): those are asked for its piece 0 every 5 s as long
// as they are below the threshold, and every second when they may be about to finish, which is from 80 % on, for 15 s after each news, or when
// as much again as came since the last request would make them complete. Clients that tell by themselves are not asked; those that nobody
// knows are asked every 5 s. This was measured with downloads of 140 to 440 s on loopback, of a torrent of 512 pieces and metadata of 10 KB:
//
//	                   libtorrent 2.0.8   aria2 1.36        transmission 3.00    rtorrent 0.9.8
//	what we ask        nothing            nothing           metadata             metadata
//	it tells           a have at once     a bitfield every  haves with what      haves with what
//	                                      1 to 2 s          it answers           it answers
//	a session lasts    to the end         30 s, always      274 s                to the end
//	  without asking   to the end         30 s              173 s and more       to the end
//	  nor keep-alives  120 s              30 s              173 s and more       120 s
//	its end seen after 0.0 s              0 s, at most 1 s  1 s, at most 2.9 s   0.3 s, at most 0.9 s
//	  without asking   0.0 s              0.0 s             5.9 s                8.7 s, when it was back
//
// The end is the threshold, by the client's own clock. Asked, libtorrent and aria2 did all the same, but gave 285 KB in place of 5 KB. aria2 hangs
// up on whoever is not interested, and transmission on whoever gives nothing, whatever is said: they are contacted again at once (the schedule's
// part, see package swarm), and where aria2 is the one to connect, it was back and seen complete after 6 s at most. Unasked, rtorrent tells its haves
// once a minute with a keep-alive of its own. It hangs up on everybody the moment it has finished, in order to check what it has; so a pace of 5 s
// alone missed the end of fast downloads, and one of 1 s that lasted only while each answer brought news that of slow ones.
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
