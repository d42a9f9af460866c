package tracker

import (
	"errors"
	"net"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync"

	"btda/events"
	"btda/recorder/netfail"
)

// watch follows how far a request has come. Its hooks may be called after the request is over, by a dial that lost a race.
type watch struct {
	mu         sync.Mutex
	phase      events.Phase
	remote     events.Address
	connected  bool // in this hop
	requesting bool // there is a connection to send the request of this hop on
	requested  bool // there was one in some hop
	headers    int  // bytes received on the connection of this hop
}

type watchKey struct{}

func (w *watch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:             w.resolves,
		ConnectStart:         w.dials,
		TLSHandshakeStart:    w.secures,
		GotConn:              w.requests,
		WroteRequest:         w.wrote,
		GotFirstResponseByte: w.answered,
	}
}

// begin starts a hop of a chain of redirects.
func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.connected, w.requesting, w.headers = events.PhaseDial, false, false, 0
}

func (w *watch) resolves(httptrace.DNSStartInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.connected {
		w.phase = events.PhaseResolve
	}
}

// dials is also called for connects that are tried beside one that has succeeded: those are passed over.
func (w *watch) dials(_, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.connected {
		w.phase = events.PhaseDial
		w.at(address)
	}
}

func (w *watch) secures() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.connected = events.PhaseTLS, true
}

func (w *watch) requests(c httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.connected, w.requesting, w.requested = events.PhaseRequest, true, true, true
	w.at(c.Conn.RemoteAddr().String())
}

func (w *watch) at(address string) {
	if a, err := netip.ParseAddrPort(address); err == nil {
		w.remote = events.AddressOf(a)
	}
}

func (w *watch) wrote(i httptrace.WroteRequestInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i.Err == nil {
		w.phase = events.PhaseAnswer
	}
}

func (w *watch) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = events.PhaseAnswer
}

func (w *watch) received(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.headers += n
}

func (w *watch) seen() (phase events.Phase, remote events.Address, requested bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.phase, w.remote, w.requested
}

// explain names the reason of an error for which net/http has no type: headers above their bound, and an answer that is not HTTP
// or comes before the request. The URL, which may hold a passkey, is taken out of its text.
func (w *watch) explain(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	reason, _ := netfail.Classify(err)
	switch {
	case reason != events.ReasonOther || !w.requesting || w.headers == 0:
		return err
	case w.headers >= maxHeader:
		return netfail.With(events.ReasonTooLarge, err)
	}
	return netfail.With(events.ReasonMalformed, err)
}

// meteredConn counts what comes in.
type meteredConn struct {
	net.Conn
	watch *watch
}

func (c meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.watch.received(n)
	return n, err
}
