package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"btda/recorder"
)

// progressInterval is the time between two lines of progress.
const progressInterval = 10 * time.Second

// showProgress writes a line on the state of a recording now and then, when it has changed, until ctx is done. Wait waits for its end.
func showProgress(ctx context.Context, out io.Writer, snapshot func() recorder.Snapshot) *sync.WaitGroup {
	var showing sync.WaitGroup
	showing.Go(func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		var last string
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			s := snapshot()
			if line := progressLine(s); line != last {
				fmt.Fprintf(out, "%v %s\n", s.Elapsed.Truncate(time.Second), line)
				last = line
			}
		}
	})
	return &showing
}

func progressLine(s recorder.Snapshot) string {
	return fmt.Sprintf("peers: %d known, %d in contact, %d connected to us, %d left for good; %d events",
		s.Total.Known, s.Total.Active, s.Incoming, s.Total.Finished, s.Appended)
}
