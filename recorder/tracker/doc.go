// Package tracker asks trackers for peers and counts: announce (BEP 3, 7, 23, 24, 31) and scrape (BEP 48) over HTTP and HTTPS, and
// both over UDP (BEP 15, 41).
//
// A Client asks once and gives facts of package events; an Announcer asks one tracker of one torrent for the length of a run and
// appends what it learns. A tracker of a scheme that is not known is a fact too (events.ReasonUnsupportedScheme).
//
// # What a tracker can and cannot do to us
//
// Every answer is read with a bound in bytes, depth and peers, and every request with a bound in time. Content encodings are not
// asked for and not decoded. An answer becomes facts field by field: what is missing, mistyped or negative is unknown, never 0.
// An answer that cannot be used is a failure, which keeps its first KiB.
//
// A URL comes from a torrent file or from a tracker, and neither is trusted: each connect, also that of a redirect, and each UDP
// tracker is judged by the address that is really asked. Addresses that are not public are asked only for paths that begin with
// /announce or /scrape. HTTP connections are not kept and never used for a second request, so none escapes that.
//
// # Address families
//
// Many trackers know a peer of one family only by an announce that came over it. A tracker whose host name stands for addresses of
// both is asked over both, each on its own: own facts, own intervals, own failures, one key. A family that the name or this host
// lacks is passed over in silence as long as the other one can be asked. The addresses of a name are remembered for half a minute.
//
// # UDP
//
// A request over UDP has the same deadline as any other, so what is lost is sent again sooner than BEP 15 says: after an eighth, a
// quarter and a half of the time that is left, at most four datagrams for each of its two steps. The waits of BEP 15 are for a
// request that is repeated for hours; here that is the back-off between requests. A connection id is used for a minute by all
// requests to an address of a tracker, which share a socket; one that a tracker leaves unanswered or refuses is not used again.
//
// An answer counts if it comes from the address that was asked, names a transaction that is waited for, has the right action and is
// whole. Anything else is recorded (events.TrackerAnswersIgnored, one for each reason and request, however much comes) and the wait
// goes on. A request to which only useless answers came fails with what was wrong with the last one. Each tracker address has a
// socket of its own, so that no flood reaches another.
//
// BEP 15 has no min interval, no tracker id, no warning and no retry-in: its interval is law, and failures back off.
//
// # Many torrents on one tracker
//
// A server is asked at most four things at one time, whatever the number of torrents; other requests wait for their turn, which does not
// count as its slowness. Each round waits a little longer than it must, by chance, so that rounds of many torrents spread out.
//
// # When the next announce is due
//
// The setting is the wished interval. A tracker's min interval is law. A tracker that names an interval and no min interval has
// allowed nothing shorter (BEP 3), so its interval is law then. Where both are named, the interval is advice, and
// the wish counts. No tracker is waited for longer than a day. Retry-in (BEP 31), and Retry-After of an HTTP answer, are law as
// well, for scrapes too. Other failures back off: a fifth of the wished interval, at most 30 s, then twice as long each time, up to an hour.
package tracker
