package recorder

import (
	"context"
	"errors"
	"fmt"

	"btda/events"
)

// Stop is a cause for the end of Run's context (context.WithCancelCause) that tells why the recording ends, such as
// events.ReasonTerminated. Without one the reason is events.ReasonInterrupted.
type Stop struct{ Reason events.Reason }

// Error names the reason.
func (s Stop) Error() string { return fmt.Sprintf("the recording is to stop: %v", s.Reason) }

func reasonOf(ctx context.Context) events.Reason {
	var stop Stop
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &stop):
		return stop.Reason
	case errors.Is(cause, ErrDiskFull):
		return events.ReasonDiskFull
	}
	return events.ReasonInterrupted
}
