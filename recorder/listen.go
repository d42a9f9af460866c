package recorder

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"btda/events"
	"btda/recorder/session"
)

// listener takes in connections of one transport at one address of ours.
type listener struct {
	net.Listener
	transport events.Transport
	address   events.Address
}

// listen opens a socket for each address to bind to, else one for all addresses of each family. A host without one of the families
// has one socket only. An error says what to do.
func listen(bind []netip.Addr, port uint16, logger *slog.Logger) ([]listener, error) {
	wanted := bind
	if len(bind) == 0 {
		wanted = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	var open []listener
	var missing error
	for _, ip := range wanted {
		at := netip.AddrPortFrom(ip, port)
		socket, err := session.ListenTCP(at)
		switch {
		case err == nil:
			open = append(open, listener{Listener: socket, transport: events.TCP, address: events.AddressOf(at)})
		case len(bind) == 0 && lacksFamily(err):
			logger.Info("not listening: this host has no address of the family", "address", at, "error", err)
			missing = err
		default:
			return nil, errors.Join(explainListen(at, err), closeAll(open))
		}
	}
	if len(open) == 0 {
		return nil, fmt.Errorf("there is no address to listen on: %w", missing)
	}
	return open, nil
}

func lacksFamily(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

// explainListen says why an address cannot be listened on, and what to do.
func explainListen(at netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d is in use at %v: end the program that listens there, which may be another recording, or choose another port with --port: %w", at.Port(), at.Addr(), err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("port %d may not be listened on: choose one from 1024 on with --port: %w", at.Port(), err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%v is no address of this host: choose another with --bind: %w", at.Addr(), err)
	}
	return fmt.Errorf("%v cannot be listened on: %w", at, err)
}

func closeAll(open []listener) error {
	var failures []error
	for _, l := range open {
		failures = append(failures, l.Close())
	}
	return errors.Join(failures...)
}

// reachedAt keeps those of our own addresses whose family is listened on, all of them when not listening.
func reachedAt(own []events.Address, open []listener) []events.Address {
	if len(open) == 0 {
		return own
	}
	return slices.DeleteFunc(slices.Clone(own), func(a events.Address) bool {
		return !slices.ContainsFunc(open, func(l listener) bool { return l.address.Addr().Is4() == a.Addr().Is4() })
	})
}
