package dht

import (
	"testing"

	"go.uber.org/goleak"

	"btda/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// judgeLoosely forbids what no test may contact.
func judgeLoosely(from events.Scope, a events.Address) events.Reason {
	switch {
	case a.Port() == 0:
		return events.ReasonPortZero
	case a.Scope == events.ScopeUnspecified, a.Scope == events.ScopeUnknown:
		return events.ReasonUnspecified
	case from == events.ScopePublic && a.Scope != events.ScopePublic:
		return events.ReasonForeignScope
	}
	return 0
}
