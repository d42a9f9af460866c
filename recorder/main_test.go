package recorder

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"btda/recorder/swarmtest"
)

// FailingLog is the environment variable that tells a copy of the test program that a log of its one test fails. Such a log keeps the
// goroutines of its store until the process ends: see the guard of package eventlog. All others have to end with the recording.
const FailingLog = "BTDA_RECORDER_TEST_FAILING_LOG"

// children are the parts that a copy of the test program plays instead of testing.
var children = map[string]func() error{heldPeers: swarmtest.Peers{Says: heldSays()}.Serve}

func TestMain(m *testing.M) {
	swarmtest.PlayChild(children)
	if os.Getenv(FailingLog) != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}
