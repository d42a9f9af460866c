package eventstest

import (
	"fmt"
	"strconv"
	"strings"
)

// value is one value of the text form: a word, a quoted text or a list.
type value struct {
	text   string
	quoted bool
	list   []value
	isList bool
}

// field is one field=value.
type field struct {
	name  string
	value value
}

// lexer cuts a line into words and fields.
type lexer struct{ rest string }

func (l *lexer) skipSpace() { l.rest = strings.TrimLeft(l.rest, " \t") }

// word cuts the text up to the next space.
func (l *lexer) word() string {
	l.skipSpace()
	end := strings.IndexAny(l.rest, " \t")
	if end < 0 {
		end = len(l.rest)
	}
	word := l.rest[:end]
	l.rest = l.rest[end:]
	return word
}

// fields cuts the rest of the line.
func (l *lexer) fields() ([]field, error) {
	var all []field
	for l.skipSpace(); l.rest != ""; l.skipSpace() {
		name, rest, ok := strings.Cut(l.rest, "=")
		if !ok || strings.ContainsAny(name, " \t\"") {
			return nil, fmt.Errorf("%q: want name=value", l.word())
		}
		l.rest = rest
		v, err := l.value(false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, field{name: name, value: v})
	}
	return all, nil
}

func (l *lexer) value(inList bool) (value, error) {
	switch {
	case strings.HasPrefix(l.rest, `"`):
		return l.quoted()
	case strings.HasPrefix(l.rest, "[") && !l.atAddress():
		l.rest = l.rest[1:]
		return l.list()
	}
	return l.bare(inList), nil
}

// atAddress reports whether a bracket opens an IPv6 address with a port, not a list.
func (l *lexer) atAddress() bool {
	inside, after, ok := strings.Cut(l.rest[1:], "]")
	return ok && strings.HasPrefix(after, ":") && strings.Trim(inside, "0123456789abcdefABCDEF:.") == ""
}

func (l *lexer) quoted() (value, error) {
	prefix, err := strconv.QuotedPrefix(l.rest)
	if err != nil {
		return value{}, fmt.Errorf("a quoted text that does not end, or is not as Go quotes: %s", l.rest)
	}
	l.rest = l.rest[len(prefix):]
	text, err := strconv.Unquote(prefix)
	return value{text: text, quoted: true}, err
}

func (l *lexer) list() (value, error) {
	v := value{isList: true}
	for {
		l.skipSpace()
		switch {
		case l.rest == "":
			return v, fmt.Errorf("a list without its closing bracket")
		case l.rest[0] == ']':
			l.rest = l.rest[1:]
			return v, nil
		}
		element, err := l.value(true)
		if err != nil {
			return v, err
		}
		v.list = append(v.list, element)
	}
}

// bare cuts a value without quotes: up to a space, or in a list the bracket that closes it.
func (l *lexer) bare(inList bool) value {
	from := 0
	if strings.HasPrefix(l.rest, "[") {
		from = strings.Index(l.rest, "]") + 1
	}
	stop := " \t"
	if inList {
		stop = " \t]"
	}
	end := strings.IndexAny(l.rest[from:], stop)
	if end < 0 {
		end = len(l.rest)
	} else {
		end += from
	}
	v := value{text: l.rest[:end]}
	l.rest = l.rest[end:]
	return v
}

// quote writes a text so that it is read back as one value.
func quote(text string) string {
	if q := strconv.Quote(text); text == "" || len(q) != len(text)+2 || strings.ContainsAny(text, " []") {
		return q
	}
	return text
}
