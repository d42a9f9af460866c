package mse

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"runtime"
	"sync"

	library "github.com/anacrolix/torrent/mse"

	"btda/events"
	"btda/recorder/netfail"
)

const (
	// keySize is the size of a public key, with which each side begins, in bytes.
	keySize = 96
	// maxHandshake is how much of a handshake is read, in bytes: keys, hashes, both paddings of 512 bytes and what the other side sends along.
	maxHandshake = 8 << 10
)

var (
	errTooLarge = netfail.New(events.ReasonTooLarge, "the encrypted handshake does not end")
	errNoKey    = netfail.New(events.ReasonUnknownInfoHash, "the encrypted handshake is for a torrent that is not observed")
)

// agreement is what came of a handshake.
type agreement struct {
	stream io.ReadWriter
	method library.CryptoMethod
	hash   events.InfoHash
}

// Initiator makes handshakes on connections that we made.
type Initiator struct {
	Torrent events.InfoHash // for which the connection is
	RC4Only bool            // offer no payload in plain text; else the other side chooses
}

// Initiate makes the handshake. The connection has a deadline, and is of no use after an error.
func (i Initiator) Initiate(conn net.Conn) (*Conn, error) {
	offered := library.AllSupportedCrypto
	if i.RC4Only {
		offered = library.CryptoMethodRC4
	}
	p := &preface{Conn: conn, left: maxHandshake}
	stream, method, err := library.InitiateHandshake(p, i.Torrent[:], nil, offered)
	if err != nil {
		return nil, p.reason(err)
	}
	p.left = unbounded
	return newConn(conn, agreement{stream: stream, method: method, hash: i.Torrent}), nil
}

// Receiver takes in handshakes on connections that others made. It is safe for use by many goroutines.
type Receiver struct {
	torrents iter.Seq[events.InfoHash]
	rc4Only  bool
	costly   chan struct{} // has a value for each exponentiation at work
}

// ReceiverOptions are what a Receiver needs.
type ReceiverOptions struct {
	Torrents iter.Seq[events.InfoHash] // that may be meant; safe for use by many goroutines
	RC4Only  bool                      // take no payload in plain text, not even behind an encrypted handshake
}

// NewReceiver returns a Receiver.
func NewReceiver(o ReceiverOptions) *Receiver {
	return &Receiver{torrents: o.Torrents, rc4Only: o.RC4Only, costly: make(chan struct{}, max(runtime.GOMAXPROCS(0)/2, 1))}
}

// Receive makes the handshake on a connection of which the first bytes, at most a key, have been read. The connection has a deadline, and is
// of no use after an error. When ctx is done, it does not wait for its turn.
func (r *Receiver) Receive(ctx context.Context, conn net.Conn, first []byte) (*Conn, error) {
	p := &preface{Conn: conn, early: first, left: maxHandshake}
	if err := p.readKey(); err != nil {
		return nil, p.reason(err)
	}
	select {
	case r.costly <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.computed = sync.OnceFunc(func() { <-r.costly })
	defer p.computed()
	var meant events.InfoHash
	stream, method, err := library.ReceiveHandshake(context.Background(), p, r.keys(&meant), r.choose)
	if err != nil || p.failed != nil { // the library passes over an error in what the initiator sends along
		return nil, p.reason(err)
	}
	p.left = unbounded
	return newConn(conn, agreement{stream: stream, method: method, hash: meant}), nil
}

// keys gives the info hashes as keys, and leaves the last that was looked at in meant: the one that was found, if any was.
func (r *Receiver) keys(meant *events.InfoHash) library.SecretKeyIter {
	return func(yield func([]byte) bool) {
		for *meant = range r.torrents {
			if !yield(meant[:]) {
				return
			}
		}
	}
}

// choose picks one of the ways in which the initiator can send its payload: plain text where that may be, since it costs nothing.
func (r *Receiver) choose(offered library.CryptoMethod) library.CryptoMethod {
	if !r.rc4Only && offered&library.CryptoMethodPlaintext != 0 {
		return library.CryptoMethodPlaintext
	}
	return offered & library.CryptoMethodRC4
}

// unbounded lets a preface read for ever.
const unbounded = -1

// preface is a connection as the handshake sees it. What is read of it later goes through it too.
type preface struct {
	net.Conn
	early    []byte // what was read before
	left     int    // bytes that may still be read; unbounded after the handshake
	came     int    // bytes that were read
	failed   error  // of reading
	computed func() // called when the handshake reads on after the key; may be nil
}

// readKey reads until the key of the other side is there.
func (p *preface) readKey() error {
	key := make([]byte, keySize)
	n := copy(key, p.early)
	p.came = n
	p.early = nil
	for n < keySize {
		read, err := p.Read(key[n:])
		n += read
		if err != nil && read == 0 {
			return err
		}
	}
	p.early, p.came, p.left = key, 0, maxHandshake
	return nil
}

// Read reads, first what was read before.
func (p *preface) Read(b []byte) (n int, err error) {
	if len(p.early) > 0 {
		n = copy(b, p.early)
		p.early = p.early[n:]
		p.took(n)
		return n, nil
	}
	if p.left == unbounded {
		return p.Conn.Read(b)
	}
	if p.computed != nil {
		p.computed()
	}
	if p.left == 0 {
		p.failed = errTooLarge
		return 0, errTooLarge
	}
	n, err = p.Conn.Read(b[:min(len(b), p.left)])
	p.took(n)
	if err != nil {
		p.failed = err
	}
	return n, err
}

func (p *preface) took(n int) {
	p.came += n
	if p.left != unbounded {
		p.left -= n
	}
}

// reason says why a handshake failed: because of the connection, if that failed.
func (p *preface) reason(err error) error {
	switch {
	case errors.Is(p.failed, io.EOF) && p.came > 0:
		return io.ErrUnexpectedEOF
	case p.failed != nil:
		return p.failed
	case errors.Is(err, library.ErrNoSecretKeyMatch):
		return errNoKey
	}
	return netfail.With(events.ReasonUnknownProtocol, err)
}
