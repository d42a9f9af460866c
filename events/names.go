package events

import (
	"strings"
	"unicode"
)

// FieldName turns the Go name of a field into the one that it has in JSON, such as peer_id for PeerID.
func FieldName(goName string) string {
	runes := []rune(strings.ReplaceAll(goName, "IPv", "Ipv"))
	var name strings.Builder
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			afterLower := !unicode.IsUpper(runes[i-1])
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterLower || beforeLower {
				name.WriteByte('_')
			}
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}
