package projections

import (
	"time"

	"btda/events"
)

// seconds gives a time in whole seconds, rounded down.
func seconds(t events.Time) Value { return integer(wholeSeconds(t)) }

func wholeSeconds(t events.Time) int64 { return floorDivide(int64(t), int64(time.Second)) }

// fraction gives a time in seconds with a fraction: whole microseconds, which a float holds exactly, divided once. The
// result is the float nearest to the decimal with six digits, the same on every machine.
func fraction(t events.Time) Value {
	return decimal(float64(floorDivide(int64(t), int64(time.Microsecond))) / 1e6)
}

// duration gives a duration in seconds, as fraction does for times.
func duration(d time.Duration) Value { return decimal(float64(d.Microseconds()) / 1e6) }

func floorDivide(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
