package recorder

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// A log that failed keeps the goroutines of its store until the process ends: see the guard of package eventlog. All others have
// to end with the recording.
func TestMain(m *testing.M) {
	if os.Getenv(heldPeers) != "" {
		serveHeldPeers()
	}
	const pebble = "github.com/cockroachdb/pebble/v2"
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("btda/events/eventlog.(*guard).leave"),
		goleak.IgnoreAnyFunction("btda/events/eventlog.(*writer).run"),
		goleak.IgnoreAnyFunction("btda/events/eventlog.(*acknowledger).run"),
		goleak.IgnoreTopFunction(pebble+".(*cleanupManager).mainLoop"),
		goleak.IgnoreTopFunction(pebble+".(*ConcurrencyLimitScheduler).periodicGranter"),
		goleak.IgnoreTopFunction(pebble+"/internal/genericcache.(*shard[...]).releaseLoop"),
	)
}
