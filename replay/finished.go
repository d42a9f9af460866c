package replay

import (
	"context"
	"errors"
	"fmt"

	"btda/events"
	"btda/events/eventlog"
)

// Finished is the tail of a log that nobody is writing any more, for a follower that was stopped before its end.
type Finished struct{ reader *eventlog.Reader }

// OpenFinished opens the log in a folder. Where the folder shows that the log held more than can be read, it is refused. The caller closes it.
func OpenFinished(folder string) (*Finished, error) {
	reader, err := eventlog.Open(folder, eventlog.Options{})
	if err != nil {
		return nil, fmt.Errorf("cannot follow %s: %w", folder, err)
	}
	if err := reader.CheckEnd(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot follow to the end: %w", err), reader.Close())
	}
	return &Finished{reader}, nil
}

// Definitions reads the run and torrent records.
func (f *Finished) Definitions(context.Context) *eventlog.Scanner { return f.reader.Definitions() }

// Scan reads the records from a number on.
func (f *Finished) Scan(_ context.Context, from events.Seq) *eventlog.Scanner {
	return f.reader.Scan(from)
}

// Sealed reports whether the recorder closed the log in order.
func (f *Finished) Sealed() bool {
	_, sealed := f.reader.Sealed()
	return sealed
}

// Close closes the folder.
func (f *Finished) Close() error { return f.reader.Close() }
