// Package netfail is the one place where an error becomes an events.Reason.
//
// Code that knows why something failed says so with New or With. All other errors are told apart by type and value,
// never by their text. Whatever is not known becomes events.ReasonOther and keeps its text.
package netfail

import (
	"errors"
	"strings"

	"btda/events"
)

// Error is an error whose reason is named by the code that found it.
type Error struct {
	Reason events.Reason
	Err    error // what happened; never nil
}

// New returns an error with a reason and a text.
func New(reason events.Reason, text string) error {
	return &Error{Reason: reason, Err: errors.New(text)}
}

// With names the reason of an error. It returns nil for a nil error.
func With(reason events.Reason, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Reason: reason, Err: err}
}

// Error gives the text of the error, after the reason.
func (e *Error) Error() string { return e.Reason.String() + ": " + e.Err.Error() }

// Unwrap gives the error without its reason.
func (e *Error) Unwrap() error { return e.Err }

// maxText bounds the text that is kept of an error, in bytes.
const maxText = 512

// Classify gives the reason of an error, and beside events.ReasonOther its text: valid UTF-8 of at most 512 bytes.
// A reason named by New or With comes first, the outermost where there are several. A nil error gives the reason 0.
func Classify(err error) (events.Reason, string) {
	if err == nil {
		return 0, ""
	}
	for _, rule := range rules {
		if reason := rule(err); reason != 0 && reason != events.ReasonOther {
			return reason, ""
		}
	}
	return events.ReasonOther, boundedText(err.Error())
}

// boundedText cuts a text to maxText bytes, at the start of a character.
func boundedText(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.ToValidUTF8(text, "")
}
