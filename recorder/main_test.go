package recorder

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// FailingLog is the environment variable that tells a copy of the test program that a log of its one test fails. Such a log keeps the
// goroutines of its store until the process ends: see the guard of package eventlog. All others have to end with the recording.
const FailingLog = "BTDA_RECORDER_TEST_FAILING_LOG"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(heldPeers) != "":
		serveHeldPeers()
	case os.Getenv(FailingLog) != "":
		os.Exit(m.Run())
	default:
		goleak.VerifyTestMain(m)
	}
}
