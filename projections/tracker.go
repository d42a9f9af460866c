package projections

import (
	"strings"
)

// trackerIndex numbers announce URLs from 0.
type trackerIndex uint32

const noTracker = ^trackerIndex(0)

// trackers gives every announce URL a number, so that rows need not hold it.
type trackers struct {
	urls   []string
	masked []string
	byURL  map[string]trackerIndex
}

func (t *trackers) index(url string) trackerIndex {
	if i, ok := t.byURL[url]; ok {
		return i
	}
	i := trackerIndex(len(t.urls))
	t.urls = append(t.urls, strings.Clone(url))
	t.masked = append(t.masked, maskTracker(url))
	t.byURL[t.urls[i]] = i
	return i
}

// name gives the URL with its passkeys masked.
func (t *trackers) name(i trackerIndex) Value {
	if i == noTracker {
		return Value{}
	}
	return text(t.masked[i])
}

const mask = "***"

// maskTracker hides what may be a passkey in an announce URL: the user name and password, the values of the query, and
// segments of the path that look like a key.
func maskTracker(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		scheme, rest = "", url
	} else {
		scheme += "://"
	}
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	path, query, hasQuery := strings.Cut(rest, "?")
	segments := strings.Split(path, "/")
	if _, host, user := strings.Cut(segments[0], "@"); user {
		segments[0] = mask + "@" + host
	}
	for i, s := range segments[1:] {
		if looksLikeKey(s) {
			segments[i+1] = mask
		}
	}
	masked := scheme + strings.Join(segments, "/")
	if hasQuery {
		masked += "?" + maskQuery(query)
	}
	if hasFragment && fragment != "" {
		masked += "#" + mask
	}
	return masked
}

func maskQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" {
			pairs[i] = name + "=" + mask
		} else if looksLikeKey(pair) {
			pairs[i] = mask
		}
	}
	return strings.Join(pairs, "&")
}

// minKeyLength is less than any tracker's passkey has characters.
const minKeyLength = 10

// looksLikeKey reports whether a word is long and has digits among its letters, or nothing but digits.
func looksLikeKey(word string) bool {
	return len(word) >= minKeyLength && strings.ContainsAny(word, "0123456789")
}
