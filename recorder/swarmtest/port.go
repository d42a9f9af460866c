package swarmtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
)

// FreePort finds a port on which nobody listens for TCP, on any of some addresses. It lies outside the range from which connections get
// theirs, on Linux, so that none takes it meanwhile.
func FreePort(ctx context.Context, addresses ...netip.Addr) (uint16, error) {
	const tries, lowest, count = 1000, 10_000, 20_000
	var failed error
	for range tries {
		port := uint16(lowest + rand.IntN(count))
		if failed = listenOnce(ctx, port, addresses); failed == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("swarmtest: no free port on %v: %w", addresses, failed)
}

// listenOnce tries whether a port is free.
func listenOnce(ctx context.Context, port uint16, addresses []netip.Addr) error {
	var config net.ListenConfig
	for _, a := range addresses {
		listener, err := config.Listen(ctx, "tcp", netip.AddrPortFrom(a, port).String())
		if err != nil {
			return err
		}
		if err := listener.Close(); err != nil {
			return err
		}
	}
	return nil
}
