package recorder

import (
	"crypto/x509"
	"log/slog"
	"time"

	"btda/events"
	"btda/recorder/session"
	"btda/recorder/tracker"
)

// Log is what a recording needs of an event log (package eventlog).
type Log interface {
	events.Appender
	Appended() events.Seq                       // the last event that has its place
	Durable() events.Seq                        // the last event that is on disk
	Waits() (count uint64, total time.Duration) // of appends for the log
	Failed() <-chan struct{}                    // closed when the log can take no more events
	Err() error                                 // why
	Close() error                               // flushes and seals
}

// Deps is what a recording takes from outside.
type Deps struct {
	CreateLog func(dir string) (Log, error) // makes a new event log; must not be nil
	Logger    *slog.Logger                  // nil writes nothing
	Dialer    session.Dialer                // of connections to peers; nil is TCP from the addresses of --bind
	RootCAs   *x509.CertPool                // that vouch for https trackers; nil is those of the system

	// Known are peers that an earlier run knew, the most worth a contact first. Those of torrents that are not recorded do not matter.
	Known []Known
	// Resolver finds the trackers of our network; nil is that of the system.
	Resolver tracker.Resolver
	// FreeSpace tells how many bytes are free for us on the disk that a folder is on; nil asks the system.
	FreeSpace func(dir string) (uint64, error)
	// Hurry, when closed, ends the recording at once: sessions are not drained and trackers not told. It may be nil.
	Hurry <-chan struct{}
	// Waiting is called during shutdown with a few words on what is waited for, about once a second. It may be nil.
	Waiting func(what string)
	// Advise is called with a line for the user on what may have to be set right. It may be nil.
	Advise func(advice string)
}
