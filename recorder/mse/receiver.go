package mse

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"net"
	"runtime"
	"slices"

	"btda/events"
)

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
	p := &preface{conn: conn, came: slices.Clone(first)}
	shared, err := r.exchange(ctx, p)
	if err != nil {
		return nil, err
	}
	torrent, err := r.find(p, &shared)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: conn, InfoHash: torrent, read: shared.initiatorCipher(torrent), write: shared.receiverCipher(torrent)}
	offered, err := readOffer(p, c)
	if err != nil {
		return nil, err
	}
	chosen := r.choose(offered)
	if chosen == 0 {
		return nil, errNoMethod
	}
	answer := binary.BigEndian.AppendUint32(verification[:], uint32(chosen))
	if _, err := conn.Write(c.encrypt(append(answer, 0, 0))); err != nil {
		return nil, err
	}
	c.goOn(p, chosen)
	return c, nil
}

// exchange exchanges the public keys.
func (r *Receiver) exchange(ctx context.Context, p *preface) (secret, error) {
	theirs, err := p.take(keySize)
	if err != nil {
		return secret{}, err
	}
	select {
	case r.costly <- struct{}{}:
	case <-ctx.Done():
		return secret{}, ctx.Err()
	}
	keys, shared, err := answerKey(theirs)
	<-r.costly
	if err != nil {
		return shared, err
	}
	_, err = p.conn.Write(append(keys.public[:], newPadding()...))
	return shared, err
}

// find gives the torrent that the initiator means.
func (r *Receiver) find(p *preface, shared *secret) (events.InfoHash, error) {
	if err := p.takePast(shared.request1()); err != nil {
		return events.InfoHash{}, err
	}
	meant, err := p.take(len(events.InfoHash{}))
	if err != nil {
		return events.InfoHash{}, err
	}
	for torrent := range r.torrents {
		if bytes.Equal(shared.obfuscate(torrent), meant) {
			return torrent, nil
		}
	}
	return events.InfoHash{}, errNoInfoHash
}

// readOffer gives the methods that the initiator offers, and keeps what it sends along for the reader of the connection.
func readOffer(p *preface, c *Conn) (method, error) {
	b, err := p.decrypt(c.read, len(verification)+6)
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(b[:len(verification)], verification[:]) {
		return 0, errNotZero
	}
	b = b[len(verification):]
	offered := method(binary.BigEndian.Uint32(b))
	if _, err := p.decrypt(c.read, int(binary.BigEndian.Uint16(b[4:]))); err != nil {
		return 0, err
	}
	if b, err = p.decrypt(c.read, 2); err != nil {
		return 0, err
	}
	c.along, err = p.decrypt(c.read, int(binary.BigEndian.Uint16(b)))
	return offered, err
}

// choose picks one of the methods that the initiator offers: plain text where that may be, since it costs nothing.
func (r *Receiver) choose(offered method) method {
	if !r.rc4Only && offered&plaintext != 0 {
		return plaintext
	}
	return offered & encrypted
}
