//go:build linux

package tracker

import (
	"testing"
	"time"

	"btda/events"
)

// Where nobody listens is known at once, and asked again once somebody does.
func TestUDPRefused(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		gone := stranger(t, address)
		where := gone.LocalAddr().String()
		gone.Close()
		c := udpClient(t)
		start := time.Now()
		got := c.Announce(t.Context(), "udp://"+where+"/announce", testRequest())
		if f := got.Failure; f == nil || f.Reason != events.ReasonRefused || f.Remote.String() != where || got.Sent {
			t.Errorf("%+v", f)
		}
		if took := time.Since(start); took > c.config.Timeout/2 {
			t.Errorf("took %v", took)
		}
		s := serveUDP(t, where, nil)
		checkGood(t, s, c.Announce(t.Context(), s.url, testRequest()))
	}
}
