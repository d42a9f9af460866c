package netfail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"btda/events"
)

// rules are asked in this order; a rule that does not know the error gives 0. Looking up a name and TLS come before the
// numbers of the operating system, since their errors may wrap one.
var rules = []func(error) events.Reason{named, ended, lookup, security, system, stream, timedOut}

func named(err error) events.Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return 0
}

// ended is a wait of ours that was given up or over.
func ended(err error) events.Reason {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed):
		return events.ReasonCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return events.ReasonTimeout
	}
	return 0
}

// lookup is a host name that was not found, or could not be asked for.
func lookup(err error) events.Reason {
	e, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return 0
	case e.IsNotFound:
		return events.ReasonNameNotFound
	case e.IsTimeout:
		return events.ReasonTimeout
	}
	return events.ReasonNameLookupFailed
}

// security is a bad certificate or TLS handshake.
func security(err error) events.Reason {
	if isTLS(err) || isCertificate(err) {
		return events.ReasonTLS
	}
	return 0
}

func isTLS(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "remote error" || e.Op == "local error") {
		return true // crypto/tls gives alerts under these names only
	}
	return is[tls.RecordHeaderError](err) || is[tls.AlertError](err) || is[*tls.ECHRejectionError](err)
}

func isCertificate(err error) bool {
	return is[*tls.CertificateVerificationError](err) || is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err) ||
		is[x509.CertificateInvalidError](err) || is[x509.SystemRootsError](err) || is[x509.UnhandledCriticalExtension](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

var errnos = map[syscall.Errno]events.Reason{
	syscall.ETIMEDOUT:     events.ReasonTimeout,
	syscall.ECONNREFUSED:  events.ReasonRefused,
	syscall.ECONNRESET:    events.ReasonReset,
	syscall.ECONNABORTED:  events.ReasonReset,
	syscall.EPIPE:         events.ReasonReset,
	syscall.EHOSTUNREACH:  events.ReasonHostUnreachable,
	syscall.EHOSTDOWN:     events.ReasonHostUnreachable,
	syscall.ENETUNREACH:   events.ReasonNetworkUnreachable,
	syscall.ENETDOWN:      events.ReasonNetworkUnreachable,
	syscall.EAFNOSUPPORT:  events.ReasonNetworkUnreachable, // IPv6 is switched off here
	syscall.EPERM:         events.ReasonNotPermitted,
	syscall.EACCES:        events.ReasonNotPermitted,
	syscall.EADDRNOTAVAIL: events.ReasonNoLocalAddress,
	syscall.EADDRINUSE:    events.ReasonNoLocalAddress,
	syscall.EMFILE:        events.ReasonDescriptorLimit,
	syscall.ENFILE:        events.ReasonDescriptorLimit,
	syscall.ENOSPC:        events.ReasonDiskFull,
}

func system(err error) events.Reason {
	number, _ := errors.AsType[syscall.Errno](err)
	return errnos[number]
}

// stream is the end of a connection, in order or not.
func stream(err error) events.Reason {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return events.ReasonTruncated
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		return events.ReasonClosedByPeer
	}
	return 0
}

func timedOut(err error) events.Reason {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return events.ReasonTimeout
	}
	return 0
}
