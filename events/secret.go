package events

import "strings"

// Masked stands for what MaskTracker hides.
const Masked = "***"

// MaskTracker hides what may be a secret, such as a passkey, in the announce URL of a tracker. It is for what people
// read or publish: logs, the terminal, tables. Events hold the URL as it was used.
//
// Hidden are user and password, the values of the query, segments of the path that look like a key, the fragment, and all of a text
// that is no URL. The scheme, host and port, the rest of the path and the names of the query stay, so that one can still tell which
// tracker it is. Two URLs that differ in their secrets only become the same text. A secret in the host name is not recognised.
// An empty text stays empty.
func MaskTracker(url string) string {
	if url == "" {
		return ""
	}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || !isScheme(scheme) {
		return Masked
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, asks := strings.Cut(rest, "?")
	authority, path, hasPath := strings.Cut(rest, "/")
	masked := scheme + "://" + maskAuthority(authority)
	if hasPath {
		masked += "/" + maskPath(path)
	}
	if asks {
		masked += "?" + maskQuery(query)
	}
	return masked
}

func isScheme(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && !strings.Contains("+-.", s[i:i+1]) {
			return false
		}
	}
	return s != ""
}

// maskAuthority keeps host and port. Where they cannot be told for sure from a user and password, nothing is kept.
func maskAuthority(authority string) string {
	at := strings.LastIndexByte(authority, '@')
	host := authority[at+1:]
	if !isHost(host) {
		return Masked
	}
	if at >= 0 {
		return Masked + "@" + host
	}
	return host
}

// isHost reports whether a text is a host name or address, perhaps with a port.
func isHost(s string) bool {
	name, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		name, port = s[:i], s[i+1:]
	}
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	bracketed := strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]")
	for i := range len(name) {
		switch c := name[i]; {
		case isAlphanumeric(c), c >= 0x80, c == '.', c == '-', c == '_':
		case bracketed && (c == ':' || c == '%' || i == 0 || i == len(name)-1):
		default:
			return false
		}
	}
	return name != ""
}

func maskPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if looksLikeKey(s) {
			segments[i] = Masked
		}
	}
	return strings.Join(segments, "/")
}

// maskQuery hides the values, and what has no name. What is empty hides nothing and stays.
func maskQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, named := strings.Cut(pair, "=")
		switch {
		case pair == "", named && value == "" && !looksLikeKey(name):
		case named && !looksLikeKey(name):
			pairs[i] = name + "=" + Masked
		default:
			pairs[i] = Masked
		}
	}
	return strings.Join(pairs, "&")
}

// Passkeys have 16 to 64 characters, most of them hexadecimal. It is better to hide a word too many than a key too few.
const (
	minKeyLength       = 10 // of a word with a digit
	minLetterKeyLength = 16 // of a word of letters alone: "announce.php" or "tracker-of-films" is none
)

func looksLikeKey(word string) bool {
	if len(word) >= minKeyLength && strings.ContainsAny(word, "0123456789") {
		return true
	}
	for i := range len(word) {
		if !isAlphanumeric(word[i]) {
			return false
		}
	}
	return len(word) >= minLetterKeyLength
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
