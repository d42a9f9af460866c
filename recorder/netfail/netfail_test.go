package netfail_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"btda/events"
	"btda/recorder/netfail"
)

func TestClassifyByValue(t *testing.T) {
	cases := []struct {
		err  error
		want events.Reason
	}{
		{nil, 0},
		{netfail.New(events.ReasonOwnPeerID, "it is us"), events.ReasonOwnPeerID},
		{netfail.With(events.ReasonTooLarge, io.EOF), events.ReasonTooLarge},
		{fmt.Errorf("announce: %w", netfail.New(events.ReasonScrapeMissing, "not named")), events.ReasonScrapeMissing},
		{netfail.With(events.ReasonMalformed, netfail.New(events.ReasonTruncated, "inner")), events.ReasonMalformed},
		{netfail.With(events.ReasonOther, io.EOF), events.ReasonClosedByPeer},
		{context.Canceled, events.ReasonCanceled},
		{net.ErrClosed, events.ReasonCanceled},
		{context.DeadlineExceeded, events.ReasonTimeout},
		{os.ErrDeadlineExceeded, events.ReasonTimeout},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, events.ReasonNameNotFound},
		{&net.DNSError{Err: "slow", IsTimeout: true}, events.ReasonTimeout},
		{&net.DNSError{Err: "server misbehaving"}, events.ReasonNameLookupFailed},
		{tls.RecordHeaderError{}, events.ReasonTLS},
		{tls.AlertError(42), events.ReasonTLS},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, events.ReasonTLS},
		{&net.OpError{Op: "remote error", Err: errors.New("bad certificate")}, events.ReasonTLS},
		{syscall.ETIMEDOUT, events.ReasonTimeout},
		{syscall.ECONNREFUSED, events.ReasonRefused},
		{syscall.ECONNRESET, events.ReasonReset},
		{syscall.ECONNABORTED, events.ReasonReset},
		{syscall.EPIPE, events.ReasonReset},
		{syscall.EHOSTUNREACH, events.ReasonHostUnreachable},
		{syscall.EHOSTDOWN, events.ReasonHostUnreachable},
		{syscall.ENETUNREACH, events.ReasonNetworkUnreachable},
		{syscall.EAFNOSUPPORT, events.ReasonNetworkUnreachable},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EPERM)}, events.ReasonNotPermitted},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}, events.ReasonNotPermitted},
		{syscall.EADDRNOTAVAIL, events.ReasonNoLocalAddress},
		{syscall.EADDRINUSE, events.ReasonNoLocalAddress},
		{syscall.EMFILE, events.ReasonDescriptorLimit},
		{syscall.ENFILE, events.ReasonDescriptorLimit},
		{&fs.PathError{Op: "write", Path: "log", Err: syscall.ENOSPC}, events.ReasonDiskFull},
		{io.ErrUnexpectedEOF, events.ReasonTruncated},
		{io.EOF, events.ReasonClosedByPeer},
		{io.ErrClosedPipe, events.ReasonClosedByPeer},
		{timeoutError{}, events.ReasonTimeout},
		{errors.New("connection refused"), events.ReasonOther},
	}
	for _, c := range cases {
		reason, text := netfail.Classify(c.err)
		if reason != c.want {
			t.Errorf("%v: %v, want %v", c.err, reason, c.want)
		}
		if (text != "") != (reason == events.ReasonOther) {
			t.Errorf("%v: text %q beside reason %v", c.err, text, reason)
		}
	}
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "late" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// Whatever reason is named is the one that is given.
func TestClassifyNamed(t *testing.T) {
	for reason := events.ReasonOther + 1; reason <= events.ReasonUnsupportedEncoding; reason++ {
		err := fmt.Errorf("outside: %w", netfail.With(reason, errors.New("inside")))
		if got, text := netfail.Classify(err); got != reason || text != "" {
			t.Errorf("%v: got %v, %q", reason, got, text)
		}
	}
}

func TestTextIsBounded(t *testing.T) {
	_, text := netfail.Classify(errors.New(strings.Repeat("ü", 4000) + "\xff"))
	if len(text) > 512 || len(text) < 500 || !utf8.ValidString(text) {
		t.Errorf("text of %d bytes, valid UTF-8 %v", len(text), utf8.ValidString(text))
	}
}

func TestErrorWraps(t *testing.T) {
	if netfail.With(events.ReasonTimeout, nil) != nil {
		t.Error("a reason for no error is an error")
	}
	err := netfail.With(events.ReasonTruncated, io.ErrUnexpectedEOF)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the error that was given a reason is lost")
	}
	if got, want := err.Error(), "truncated: unexpected EOF"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
}
