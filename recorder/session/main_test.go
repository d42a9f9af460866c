package session_test

import (
	"testing"

	"go.uber.org/goleak"

	"btda/recorder/swarmtest"
)

func TestMain(m *testing.M) {
	swarmtest.PlayChild(map[string]func() error{
		leavingPeers: swarmtest.Peers{Says: benchSaid(), Leave: true}.Serve, holdingPeers: swarmtest.Peers{Says: benchSaid()}.Serve,
	})
	goleak.VerifyTestMain(m)
}
