package mse

import (
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"
	"net"
	"slices"

	"btda/events"
)

// Conn is a connection whose handshake is done. Deadlines, addresses and Close are those of the connection below.
type Conn struct {
	net.Conn
	Encryption events.Encryption // that was agreed upon: events.MSEPlaintext or events.MSERC4
	InfoHash   events.InfoHash   // that the initiator meant

	along       []byte      // what came with the handshake, decrypted
	read, write *rc4.Cipher // nil where the payload is plain text
	broken      error       // of the first write that failed
}

// goOn leaves the handshake for the payload, of which the preface may have read some.
func (c *Conn) goOn(p *preface, chosen method) {
	if chosen == plaintext {
		c.Encryption, c.read, c.write = events.MSEPlaintext, nil, nil
	} else {
		c.Encryption = events.MSERC4
		c.read.XORKeyStream(p.came, p.came)
	}
	c.along = slices.Concat(c.along, p.came)
}

// Read reads what the other side sent, as it meant it.
func (c *Conn) Read(b []byte) (int, error) {
	if len(c.along) > 0 {
		n := copy(b, c.along)
		if c.along = c.along[n:]; len(c.along) == 0 {
			c.along = nil
		}
		return n, nil
	}
	n, err := c.Conn.Read(b)
	if c.read != nil {
		c.read.XORKeyStream(b[:n], b[:n])
	}
	return n, err
}

// Write sends to the other side. Like Read it is for one goroutine at a time.
func (c *Conn) Write(b []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	if c.write != nil {
		b = c.encrypt(b)
	}
	n, err := c.Conn.Write(b)
	c.broken = err
	return n, err
}

// encrypt gives a text as it is sent.
func (c *Conn) encrypt(text []byte) []byte {
	b := make([]byte, len(text))
	c.write.XORKeyStream(b, text)
	return b
}

// newPadding is what stands behind our public key, so that handshakes differ in length.
func newPadding() []byte {
	var random [2 + maxPadding]byte
	rand.Read(random[:]) // never fails
	return random[2 : 2+binary.BigEndian.Uint16(random[:])%(maxPadding+1)]
}
