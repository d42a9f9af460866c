package recorder

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// FailingLog is the environment variable that tells a copy of the test program that a log of its one test fails. Such a log keeps the
// goroutines of its store until the process ends: see the guard of package eventlog. All others have to end with the recording.
const FailingLog = "BTDA_RECORDER_TEST_FAILING_LOG"

// children are what a copy of the test program does instead of testing when it finds an environment variable. They end the process.
var children = map[string]func(){heldPeers: serveHeldPeers}

func TestMain(m *testing.M) {
	for name, play := range children {
		if os.Getenv(name) != "" {
			play()
		}
	}
	if os.Getenv(FailingLog) != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}
