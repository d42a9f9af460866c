package session_test

import (
	"testing"

	"btda/events"
	"btda/recorder/wire"
)

func TestDownloadIsObserved(t *testing.T) {
	s := serve(t, func(p peer) {
		p.shake(wire.OurReserved(false))
		p.write(frame(events.Bitfield, 0xf0, 0x00))
		p.write(have(4))
		p.write(have(5))
	})
	outcome := s.run(t.Context())
	t.Logf("%+v\n%s", outcome, s.text())
}
