package tracker

import (
	"net/url"
	"strconv"
	"strings"

	"btda/events"
)

// numWant is how many peers are asked for in one announce.
const numWant = 200

// scrapeURL derives the URL of the scrape (BEP 48): "announce" right after the last slash of the URL becomes "scrape".
// It tells whether there is one.
func scrapeURL(announce *url.URL) (*url.URL, bool) {
	u := *announce
	path := announce.EscapedPath()
	directory, last := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	rest, ok := strings.CutPrefix(last, "announce")
	if !ok || directory == "" || strings.Contains(announce.RawQuery, "/") {
		return nil, false
	}
	unescaped, err := url.PathUnescape(directory + "scrape" + rest)
	if err != nil {
		return nil, false
	}
	u.Path, u.RawPath = unescaped, directory+"scrape"+rest
	return &u, true
}

// withQuery adds parameters to those that a URL has, which stay as they are.
func withQuery(u *url.URL, query string) *url.URL {
	asked := *u
	asked.Fragment, asked.RawFragment = "", ""
	if asked.RawQuery != "" {
		query = asked.RawQuery + "&" + query
	}
	asked.RawQuery = query
	return &asked
}

// wanted is how many peers are asked for: none when we leave.
func wanted(e events.AnnounceEvent) uint64 {
	if e == events.AnnounceStopped {
		return 0
	}
	return numWant
}

// announceQuery is the query of an announce (BEP 3, 23).
func (h *overHTTP) announceQuery(r Request) string {
	var q strings.Builder
	q.WriteString("info_hash=" + escape(r.InfoHash[:]) + "&peer_id=" + escape(h.config.PeerID[:]))
	number := func(name string, v uint64) { q.WriteString("&" + name + "=" + strconv.FormatUint(v, 10)) }
	number("port", uint64(h.config.Port))
	number("uploaded", r.Uploaded)
	number("downloaded", r.Downloaded)
	number("left", r.Left)
	q.WriteString("&compact=1&no_peer_id=1&key=" + strconv.FormatUint(uint64(h.key), 16))
	number("numwant", wanted(r.Event))
	if r.Event != events.AnnounceRegular {
		q.WriteString("&event=" + r.Event.String())
	}
	if r.TrackerID != "" {
		q.WriteString("&trackerid=" + escape([]byte(r.TrackerID)))
	}
	return q.String()
}

func scrapeQuery(hash events.InfoHash) string { return "info_hash=" + escape(hash[:]) }

// escape percent-encodes all bytes but the unreserved ones of RFC 3986.
func escape(raw []byte) string {
	const digits = "0123456789ABCDEF"
	escaped := make([]byte, 0, 3*len(raw))
	for _, b := range raw {
		if unreserved(b) {
			escaped = append(escaped, b)
		} else {
			escaped = append(escaped, '%', digits[b>>4], digits[b&15])
		}
	}
	return string(escaped)
}

func unreserved(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("-._~", b) >= 0
}
