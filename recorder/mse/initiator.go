package mse

import (
	"encoding/binary"
	"net"
	"slices"

	"btda/events"
)

// method is a way to send the payload, as a bit.
type method uint32

const (
	plaintext method = 1
	encrypted method = 2 // by RC4
)

// verification stands in front of what is encrypted.
var verification [8]byte

// Initiator makes handshakes on connections that we made.
type Initiator struct {
	Torrent events.InfoHash // for which the connection is
	RC4Only bool            // offer no payload in plain text; else the other side chooses
}

// Initiate makes the handshake. The connection has a deadline, and is of no use after an error.
func (i Initiator) Initiate(conn net.Conn) (*Conn, error) {
	keys := newKeyPair()
	if _, err := conn.Write(append(keys.public[:], newPadding()...)); err != nil {
		return nil, err
	}
	p := &preface{conn: conn}
	theirs, err := p.take(keySize)
	if err != nil {
		return nil, err
	}
	shared, err := keys.share(theirs)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: conn, InfoHash: i.Torrent, read: shared.receiverCipher(i.Torrent), write: shared.initiatorCipher(i.Torrent)}
	if _, err := conn.Write(slices.Concat(shared.request1(), shared.obfuscate(i.Torrent), c.encrypt(i.offer()))); err != nil {
		return nil, err
	}
	chosen, err := i.choice(p, c)
	if err != nil {
		return nil, err
	}
	c.goOn(p, chosen)
	return c, nil
}

func (i Initiator) offered() method {
	if i.RC4Only {
		return encrypted
	}
	return plaintext | encrypted
}

// offer is what we send encrypted: the methods, no padding, and nothing along.
func (i Initiator) offer() []byte {
	b := binary.BigEndian.AppendUint32(verification[:], uint32(i.offered()))
	return append(b, 0, 0, 0, 0)
}

// choice is the method that the receiver chose.
func (i Initiator) choice(p *preface, c *Conn) (method, error) {
	mark := make([]byte, len(verification))
	c.read.XORKeyStream(mark, mark)
	if err := p.takePast(mark); err != nil {
		return 0, err
	}
	b, err := p.decrypt(c.read, 6)
	if err != nil {
		return 0, err
	}
	chosen := method(binary.BigEndian.Uint32(b))
	if chosen != encrypted && chosen != plaintext || chosen&i.offered() == 0 {
		return 0, errNoMethod
	}
	_, err = p.decrypt(c.read, int(binary.BigEndian.Uint16(b[4:])))
	return chosen, err
}
