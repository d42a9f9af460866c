package mse

import (
	"io"
	"net"

	library "github.com/anacrolix/torrent/mse"

	"btda/events"
)

// Conn is a connection whose handshake is done. Deadlines, addresses and Close are those of the connection below.
type Conn struct {
	net.Conn
	Encryption events.Encryption // that was agreed upon: events.MSEPlaintext or events.MSERC4
	InfoHash   events.InfoHash   // that the initiator meant

	stream io.ReadWriter
	broken error // of the first write that failed
}

func newConn(below net.Conn, agreed agreement) *Conn {
	c := &Conn{Conn: below, InfoHash: agreed.hash, Encryption: events.MSERC4, stream: agreed.stream}
	if agreed.method == library.CryptoMethodPlaintext {
		c.Encryption = events.MSEPlaintext
	}
	return c
}

// Read reads what the other side sent, as it meant it.
func (c *Conn) Read(b []byte) (int, error) { return c.stream.Read(b) }

// Write sends to the other side. Like Read it is for one goroutine at a time.
func (c *Conn) Write(b []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	n, err := c.stream.Write(b)
	c.broken = err
	return n, err
}
