package mse

import (
	"bytes"
	"crypto/rc4"
	"errors"
	"io"
	"net"
	"slices"

	"btda/events"
	"btda/recorder/netfail"
)

const (
	// maxHandshake is how much of a handshake is taken, in bytes: keys, hashes, both paddings and what the other side sends along.
	maxHandshake = 8 << 10
	// maxPadding is how much may stand behind a public key, in bytes.
	maxPadding = 512
	// readAhead is how much is read at once, in bytes.
	readAhead = 1 << 10
)

var (
	errTooLarge   = netfail.New(events.ReasonTooLarge, "the encrypted handshake does not end")
	errNoHandoff  = netfail.New(events.ReasonUnknownProtocol, "no encrypted handshake: what must follow the padding does not")
	errNoMethod   = netfail.New(events.ReasonUnknownProtocol, "the encrypted handshake leaves no method that both sides take")
	errNotZero    = netfail.New(events.ReasonUnknownProtocol, "the encrypted handshake does not decrypt")
	errNoInfoHash = netfail.New(events.ReasonUnknownInfoHash, "the encrypted handshake is for a torrent that is not observed")
)

// preface is what the other side sends before and during the handshake. It reads ahead; what it read beyond is left in came.
type preface struct {
	conn  net.Conn
	came  []byte // and was not taken yet
	taken int    // bytes
}

// take gives the next n bytes.
func (p *preface) take(n int) ([]byte, error) {
	if err := p.await(n); err != nil {
		return nil, err
	}
	b := p.came[:n:n]
	p.came = p.came[n:]
	p.taken += n
	return b, nil
}

// takePast drops a padding and the mark behind it.
func (p *preface) takePast(mark []byte) error {
	for n := len(mark); n <= maxPadding+len(mark); n = len(p.came) + 1 {
		if err := p.await(n); err != nil {
			return err
		}
		if at := bytes.Index(p.came[:min(len(p.came), maxPadding+len(mark))], mark); at >= 0 {
			_, err := p.take(at + len(mark))
			return err
		}
	}
	return errNoHandoff
}

// decrypt takes the next n bytes and decrypts them.
func (p *preface) decrypt(c *rc4.Cipher, n int) ([]byte, error) {
	b, err := p.take(n)
	if err != nil {
		return nil, err
	}
	c.XORKeyStream(b, b)
	return b, nil
}

// await reads until n bytes are there.
func (p *preface) await(n int) error {
	if p.taken+n > maxHandshake {
		return errTooLarge
	}
	for len(p.came) < n {
		p.came = slices.Grow(p.came, readAhead)
		read, err := p.conn.Read(p.came[len(p.came) : len(p.came)+readAhead])
		p.came = p.came[:len(p.came)+read]
		if err != nil && len(p.came) < n {
			return p.cut(err)
		}
	}
	return nil
}

// cut tells a connection that ended in the middle from one that ended before anything came.
func (p *preface) cut(err error) error {
	if errors.Is(err, io.EOF) && p.taken+len(p.came) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
