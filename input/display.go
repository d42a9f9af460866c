package input

import (
	"strings"
	"unicode"
)

// maxDisplayName is the length of a display name in characters.
const maxDisplayName = 255

// displayName makes a name safe to show on a terminal and in a page: what is not valid UTF-8, control characters and those that turn the
// direction of writing become U+FFFD, and what is longer than maxDisplayName is cut.
func displayName(name string) string {
	var shown strings.Builder
	length := 0
	for _, r := range name {
		if length++; length > maxDisplayName {
			break
		}
		if r != ' ' && !unicode.IsGraphic(r) {
			r = unicode.ReplacementChar
		}
		shown.WriteRune(r)
	}
	return strings.TrimSpace(shown.String())
}
