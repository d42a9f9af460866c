package session_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(benchPeers); what != "" {
		servePeers(what == "hold")
	}
	goleak.VerifyTestMain(m)
}
