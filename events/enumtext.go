package events

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// names gives the words of an enumeration, by number.
type names []string

// text gives the name of a number; of one without a name, what it is and the number, such as "reason 200".
func (n names) text(what string, i uint64) string {
	if i < uint64(len(n)) && n[i] != "" {
		return n[i]
	}
	return fmt.Sprintf("%s %d", what, i)
}

// parse reads what text gives.
func (n names) parse(what, text string) (uint64, error) {
	for i, name := range n {
		if name == text && name != "" {
			return uint64(i), nil
		}
	}
	if digits, ok := strings.CutPrefix(text, what+" "); ok {
		if i, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q is not known: want one of %s", what, text, n.list())
}

func (n names) list() string {
	known := slices.DeleteFunc(slices.Clone(n), func(name string) bool { return name == "" })
	return strings.Join(known, ", ")
}

func parseName[T ~uint8 | ~uint16](to *T, n names, what string, text []byte) error {
	i, err := n.parse(what, string(text))
	if err == nil && uint64(T(i)) != i {
		err = fmt.Errorf("%q: the number is too large", text)
	}
	if err == nil {
		*to = T(i)
	}
	return err
}

// String gives the name, or "source" and the number.
func (s Source) String() string { return sourceNames.text("source", uint64(s)) }

// MarshalText gives the name, as String does.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String gives.
func (s *Source) UnmarshalText(b []byte) error { return parseName(s, sourceNames, "source", b) }

// String gives the name, or "direction" and the number.
func (d Direction) String() string { return directionNames.text("direction", uint64(d)) }

// MarshalText gives the name, as String does.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String gives.
func (d *Direction) UnmarshalText(b []byte) error {
	return parseName(d, directionNames, "direction", b)
}

// String gives the name, or "transport" and the number.
func (t Transport) String() string { return transportNames.text("transport", uint64(t)) }

// MarshalText gives the name, as String does.
func (t Transport) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what String gives.
func (t *Transport) UnmarshalText(b []byte) error {
	return parseName(t, transportNames, "transport", b)
}

// String gives the name, or "encryption" and the number.
func (e Encryption) String() string { return encryptionNames.text("encryption", uint64(e)) }

// MarshalText gives the name, as String does.
func (e Encryption) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what String gives.
func (e *Encryption) UnmarshalText(b []byte) error {
	return parseName(e, encryptionNames, "encryption", b)
}

// String gives the name, or "phase" and the number.
func (p Phase) String() string { return phaseNames.text("phase", uint64(p)) }

// MarshalText gives the name, as String does.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what String gives.
func (p *Phase) UnmarshalText(b []byte) error { return parseName(p, phaseNames, "phase", b) }

// String gives the name, or "side" and the number.
func (s Side) String() string { return sideNames.text("side", uint64(s)) }

// MarshalText gives the name, as String does.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String gives.
func (s *Side) UnmarshalText(b []byte) error { return parseName(s, sideNames, "side", b) }

// String gives the name, or "announce event" and the number.
func (e AnnounceEvent) String() string { return announceEventNames.text("announce event", uint64(e)) }

// MarshalText gives the name, as String does.
func (e AnnounceEvent) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what String gives.
func (e *AnnounceEvent) UnmarshalText(b []byte) error {
	return parseName(e, announceEventNames, "announce event", b)
}

// String gives the name, or "message" and the number.
func (k MessageKind) String() string { return messageKindNames.text("message", uint64(k)) }

// MarshalText gives the name, as String does.
func (k MessageKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String gives.
func (k *MessageKind) UnmarshalText(b []byte) error {
	return parseName(k, messageKindNames, "message", b)
}

// String gives the name, or "limit" and the number.
func (l Limit) String() string { return limitNames.text("limit", uint64(l)) }

// MarshalText gives the name, as String does.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what String gives.
func (l *Limit) UnmarshalText(b []byte) error { return parseName(l, limitNames, "limit", b) }

// String gives the name, or "scope" and the number.
func (s Scope) String() string { return scopeNames.text("scope", uint64(s)) }

// MarshalText gives the name, as String does.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String gives.
func (s *Scope) UnmarshalText(b []byte) error { return parseName(s, scopeNames, "scope", b) }

// String gives the name, or "reason" and the number.
func (r Reason) String() string { return reasonNames.text("reason", uint64(r)) }

// MarshalText gives the name, as String does.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what String gives.
func (r *Reason) UnmarshalText(b []byte) error { return parseName(r, reasonNames, "reason", b) }
