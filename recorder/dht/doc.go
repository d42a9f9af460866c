// Package dht is a node of the DHT (BEP 5) that looks torrents up: one Node for each address family (BEP 32).
//
// The protocol is that of github.com/anacrolix/dht/v2; what is ours is the way in and out, and what is asked and recorded.
//
// # What comes in
//
// A node reads its socket itself. The guard reads each datagram with a bound in size and depth, drops what is no message or comes from
// an address that must not be contacted, and writes the rest anew, with only the fields that are used, each of the type and size that
// the library counts on. A query without arguments, for one, would end the process; a name of a query that nobody knows would be kept
// for good. Answers must carry a tag that our query had, and come from where it was sent. Nodes that an answer names are taken out when
// its sender may not name them: a public node cannot make us send anything to a private address. However much is dropped, nothing of it
// reaches the log or the text log; one line at the end has the counts.
//
// # What is asked
//
// A lookup asks nodes ever closer to the info hash for peers, at most maxAsked of them, then those that named some and the closest ones for
// their filters (BEP 33), apart, since some leave the peers out when asked for both. Then it announces our port, if it is to. Private
// torrents (BEP 27) are never asked for, and announces of them are not taken. All queries of our node keep to one rate, and those to one
// other node to a lower one: nodes of libtorrent do not hear who sends them more than 50 datagrams in 10 s. What is not answered within half
// a second is sent once more.
//
// Peers are recorded and contacted as nodes name them. rtorrent 0.9.8 gives the two bytes of a port in the wrong order: a port alone does not
// tell that, and to try the other order of every port that is refused would send connections where nobody ever was. Such a peer costs one
// connection that is refused, and is found by way of trackers and other peers.
//
// # What others get
//
// Unless it is read-only (BEP 43), a node answers queries, keeps what is announced to it for a while, in bounds, and gives it to who
// asks. Announces of our torrents become facts. What is put (BEP 44) is not kept.
//
// # Between runs
//
// The id, and the nodes of the routing table, are kept in a file, which is read with no more trust than an answer. When enough nodes agree
// on our address, the id is made to fit to it (BEP 42), also when that changes while the node runs. The ids of
// others are not held to that: a lookup is after all that is stored.
package dht
