package session

import (
	"context"
	"time"

	"btda/events"
	"btda/recorder/mse"
	"btda/recorder/netfail"
	"btda/recorder/wire"
)

// maxEncryption is how long an encrypted handshake may take, however long the timeout.
const maxEncryption = 8 * time.Second

// encrypt makes the encrypted handshake on a connection that we made. After an error the connection is closed.
func (o *Observer) encrypt(ctx context.Context, l *link) error {
	below := l.conn
	release := context.AfterFunc(ctx, func() { below.SetDeadline(past) })
	defer release()
	l.contact.Recall.watch(below)
	below.SetDeadline(time.Now().Add(min(o.Timeout, maxEncryption)))
	if stopped(ctx, l.contact.Recall) != nil {
		below.SetDeadline(past)
	}
	conn, err := mse.Initiator{Torrent: l.contact.Torrent.InfoHash, RC4Only: o.Encryption == EncryptionRequire}.Initiate(below)
	if err != nil {
		below.Close()
		return interrupted(stopped(ctx, l.contact.Recall), err)
	}
	l.conn, l.encryption = conn, conn.Encryption
	return nil
}

var errPlain = netfail.New(events.ReasonEncryptionRequired, "the peer does not encrypt its connection, and we insist on it")

// readPrelude reads the handshake as far as it names a torrent. What does not begin as a handshake may be an encrypted one.
func (g *greeting) readPrelude(ctx context.Context) error {
	err := g.read(wire.PreludeSize)
	switch {
	case err == nil && g.observer.Encryption == EncryptionRequire:
		return errPlain
	case err == nil || g.observer.Encrypted == nil || !g.isOther():
		return err
	}
	if err := g.decrypt(ctx); err != nil {
		return err
	}
	return g.read(wire.PreludeSize)
}

// isOther reports that what came does not begin as a handshake.
func (g *greeting) isOther() bool { return wire.CheckProtocol(g.buffer[:g.received]) != nil }

// decrypt makes the encrypted handshake, whose first bytes have come.
func (g *greeting) decrypt(ctx context.Context) error {
	g.phase, g.encryption = events.PhaseEncryption, events.MSE
	conn, err := g.observer.Encrypted.Receive(ctx, g.Conn, g.buffer[:g.received])
	g.received = 0
	if err != nil {
		return err
	}
	g.phase, g.encryption, g.conn = events.PhaseHandshake, conn.Encryption, conn
	return nil
}
