package recorder

import (
	"errors"
	"fmt"
	"io"
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

// listenTCP opens a listener for connections of peers.
func listenTCP(at netip.AddrPort) (listener, error) {
	socket, err := session.ListenTCP(at)
	return listener{Listener: socket, transport: events.TCP, address: events.AddressOf(at)}, err
}

// opening says which sockets are wanted.
type opening struct {
	bind    []netip.Addr
	port    uint16
	setting string // that the port comes from
	logger  *slog.Logger
}

// openSockets opens a socket for each address to bind to, else one for all addresses of each family. A host without one of the families
// has one socket only. An error says what to do.
func openSockets[S io.Closer](o opening, listen func(netip.AddrPort) (S, error)) ([]S, error) {
	wanted := o.bind
	if len(o.bind) == 0 {
		wanted = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	var open []S
	var missing error
	for _, ip := range wanted {
		at := netip.AddrPortFrom(ip, o.port)
		socket, err := listen(at)
		switch {
		case err == nil:
			open = append(open, socket)
		case len(o.bind) == 0 && lacksFamily(err):
			o.logger.Info("not listening: this host has no address of the family", "address", at, "error", err)
			missing = err
		default:
			return nil, errors.Join(o.explain(at, err), closeAll(open))
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

// explain says why an address cannot be listened on, and what to do.
func (o opening) explain(at netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d is in use at %v: end the program that listens there, which may be another recording, or choose another port with --%s: %w", at.Port(), at.Addr(), o.setting, err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("port %d may not be listened on: choose one from 1024 on with --%s: %w", at.Port(), o.setting, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%v is no address of this host: choose another with --bind: %w", at.Addr(), err)
	}
	return fmt.Errorf("%v cannot be listened on: %w", at, err)
}

func closeAll[S io.Closer](open []S) error {
	var failures []error
	for _, s := range open {
		failures = append(failures, s.Close())
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
