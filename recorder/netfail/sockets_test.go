package netfail_test

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/netfail"
)

// The errors that real sockets give.
func TestClassifyFromSockets(t *testing.T) {
	cases := []struct {
		name    string
		provoke func(*testing.T) error
		want    events.Reason
	}{
		{"refused", dialClosedPort, events.ReasonRefused},
		{"no answer", readFromSilence, events.ReasonTimeout},
		{"dialled too long", dialAfterDeadline, events.ReasonTimeout},
		{"stopping", dialCanceled, events.ReasonCanceled},
		{"closed by us", readClosed, events.ReasonCanceled},
		{"closed in order", func(t *testing.T) error { return readFrom(t, serveClose) }, events.ReasonClosedByPeer},
		{"ended in a message", func(t *testing.T) error { return readFrom(t, serveHalf) }, events.ReasonTruncated},
		{"reset", func(t *testing.T) error { return readFrom(t, serveReset) }, events.ReasonReset},
		{"foreign local address", dialFromForeignAddress, events.ReasonNoLocalAddress},
		{"port in use", listenTwice, events.ReasonNoLocalAddress},
		{"no route", dialBroadcast, events.ReasonNetworkUnreachable},
		{"too many open files", openTooMany, events.ReasonDescriptorLimit},
		{"no such host", func(t *testing.T) error { return resolve(t, 3) }, events.ReasonNameNotFound},
		{"name server fails", func(t *testing.T) error { return resolve(t, 2) }, events.ReasonNameLookupFailed},
		{"certificate of nobody", dialUntrusted, events.ReasonTLS},
		{"no TLS on the other side", dialTLSToPlain, events.ReasonTLS},
		{"certificate demanded", dialTLSWithoutCertificate, events.ReasonTLS},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.provoke(t)
			if reason, text := netfail.Classify(err); reason != c.want {
				t.Errorf("%v: %v %s, want %v", err, reason, text, c.want)
			}
		})
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dialClosedPort dials a port that was free a moment ago.
func dialClosedPort(t *testing.T) error {
	l := listen(t)
	l.Close()
	_, err := net.Dial("tcp", l.Addr().String())
	return err
}

func readFromSilence(t *testing.T) error {
	c := dial(t, listen(t))
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func dialAfterDeadline(t *testing.T) error {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	return dialWith(ctx, t)
}

func dialCanceled(t *testing.T) error {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return dialWith(ctx, t)
}

func dialWith(ctx context.Context, t *testing.T) error {
	_, err := new(net.Dialer).DialContext(ctx, "tcp", listen(t).Addr().String())
	return err
}

func readClosed(t *testing.T) error {
	c := dial(t, listen(t))
	c.Close()
	_, err := c.Read(make([]byte, 1))
	return err
}

func serveClose(*net.TCPConn) {}
func serveHalf(c *net.TCPConn) {
	c.Write(make([]byte, 2))
}
func serveReset(c *net.TCPConn) { c.SetLinger(0) }

// readFrom reads four bytes from a server that does something else and closes.
func readFrom(t *testing.T, serve func(*net.TCPConn)) error {
	l := listen(t)
	c := dial(t, l)
	served, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	serve(served.(*net.TCPConn))
	served.Close()
	_, err = io.ReadFull(c, make([]byte, 4))
	return err
}

func dialFromForeignAddress(t *testing.T) error {
	from := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:0"))
	_, err := (&net.Dialer{LocalAddr: from}).Dial("tcp", listen(t).Addr().String())
	return err
}

func listenTwice(t *testing.T) error {
	_, err := net.Listen("tcp", listen(t).Addr().String())
	return err
}

// dialBroadcast dials an address to which no system has a route for TCP.
func dialBroadcast(*testing.T) error {
	_, err := net.Dial("tcp", "255.255.255.255:1")
	return err
}

func openTooMany(t *testing.T) error {
	l := listen(t)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := syscall.Rlimit{Cur: 3, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	_, err := net.Dial("tcp", l.Addr().String())
	return err
}

// resolve asks a name server on loopback that answers with an error code (RFC 1035, section 4.1.1).
func resolve(t *testing.T, code byte) error {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go answerNames(server, code)
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	_, err = resolver.LookupHost(t.Context(), "host.invalid.")
	return err
}

func answerNames(server net.PacketConn, code byte) {
	buffer := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(buffer)
		if err != nil {
			return
		}
		buffer[2], buffer[3] = 0x81, 0x80|code
		server.WriteTo(buffer[:n], from)
	}
}

func dialUntrusted(t *testing.T) error {
	server := tlsServer(t, &tls.Config{})
	_, err := tls.Dial("tcp", server, &tls.Config{})
	return err
}

func dialTLSWithoutCertificate(t *testing.T) error {
	server := tlsServer(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert})
	c, err := tls.Dial("tcp", server, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Read(make([]byte, 1))
	return err
}

func tlsServer(t *testing.T, config *tls.Config) string {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func dialTLSToPlain(t *testing.T) error {
	l := listen(t)
	go func() {
		if c, err := l.Accept(); err == nil {
			io.WriteString(c, "SSH-2.0-server\r\n")
			c.Close()
		}
	}()
	_, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{})
	return err
}
