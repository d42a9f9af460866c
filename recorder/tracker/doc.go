// Package tracker asks trackers for peers and counts: announce (BEP 3, 7, 23, 24, 31) and scrape (BEP 48) over HTTP and HTTPS.
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
// A URL comes from a torrent file or from a tracker, and neither is trusted: each connect, also that of a redirect, is judged by
// the address that is really dialled. Addresses that are not public are asked only for paths that begin with /announce or
// /scrape. Connections are not kept and never used for a second request, so none escapes that.
//
// # When the next announce is due
//
// The setting is the wished interval. A tracker's min interval is law. A tracker that names an interval and no min interval has
// allowed nothing shorter (BEP 3), so its interval is law then. Where both are named, the interval is advice, and
// the wish counts. No tracker is waited for longer than a day. Retry-in (BEP 31), and Retry-After of an HTTP answer, are law as
// well. Other failures back off: a fifth of the wished interval, at most 30 s, then twice as long each time, up to an hour.
package tracker
