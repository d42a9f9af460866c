package eventlog

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

// childRole is the environment variable that tells a copy of the test program what it is: the appender that gets killed,
// or a test whose logs fail, which leave goroutines behind by design.
const childRole = "BTDA_EVENTLOG_TEST_CHILD"

const (
	roleAppender = "appender"
	roleFailures = "failures"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childRole) {
	case roleAppender:
		appendUntilKilled(os.Getenv("BTDA_EVENTLOG_TEST_DIR"))
	case roleFailures:
		os.Exit(m.Run())
	default:
		flag.Parse()
		goleak.VerifyTestMain(m)
	}
}

// inChild runs the test in a process of its own; true in that process.
func inChild(t *testing.T) bool {
	if os.Getenv(childRole) == roleFailures {
		return true
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", fmt.Sprintf("-test.short=%t", testing.Short()))
	child.Env = append(os.Environ(), childRole+"="+roleFailures)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}
