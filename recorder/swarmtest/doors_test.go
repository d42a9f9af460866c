package swarmtest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/anacrolix/utp"
)

var observer = netip.AddrFrom4([4]byte{127, 0, 3, 1})

// Clients that are met in one way only finish, and a plain connection from an observer ends as each of them demands.
func TestDoors(t *testing.T) {
	s, err := New(Options{Payload: PayloadOptions{Name: "test", Pieces: testPieces, PieceLength: 16 << 10, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kinds := []struct {
		ClientOptions
		tcp, utp error // of a plain handshake
	}{
		{ClientOptions{Name: "plain"}, nil, errSilent},
		{ClientOptions{Name: "encrypted", Encrypts: true}, errForeign, errSilent},
		{ClientOptions{Name: "no accept", NoAccept: true}, syscall.ECONNREFUSED, errSilent},
		{ClientOptions{Name: "no dial", NoDial: true}, nil, errSilent},
		{ClientOptions{Name: "utp", UTPWith: observer}, errHungUp, nil},
		{ClientOptions{Name: "utp, no accept", UTPWith: observer, NoAccept: true}, syscall.ECONNREFUSED, errSilent},
	}
	for _, k := range kinds {
		if err := s.Start(k.ClientOptions); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Start(ClientOptions{Name: "seed", Full: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Wait(ctx); err != nil {
		t.Error(err)
	}
	for i, k := range kinds {
		knock := knock{T: t, client: s.Clients[i], hash: s.Payload.InfoHash[:]}
		if err := knock.tcp(ctx); !errors.Is(err, k.tcp) {
			t.Errorf("%s: TCP: %v, want %v", k.Name, err, k.tcp)
		}
		if err := knock.utp(ctx); !errors.Is(err, k.utp) {
			t.Errorf("%s: uTP: %v, want %v", k.Name, err, k.utp)
		}
	}
}

var (
	errHungUp  = errors.New("the client hung up")
	errSilent  = errors.New("nobody answers")
	errForeign = errors.New("what comes is no handshake in plain text")
)

// knock is an observer that exchanges handshakes with a client.
type knock struct {
	*testing.T
	client *Client
	hash   []byte
}

func (k knock) tcp(ctx context.Context) error {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(observer, 0))}
	conn, err := d.DialContext(ctx, "tcp", k.client.AddrPort().String())
	if err != nil {
		return err
	}
	return k.shake(conn)
}

func (k knock) utp(ctx context.Context) error {
	socket, err := utp.NewSocket("udp", netip.AddrPortFrom(observer, 0).String())
	if err != nil {
		return err
	}
	k.Cleanup(func() { socket.CloseNow() }) // after the client, which waits for an answer to its last words
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := socket.DialContext(ctx, "udp", k.client.AddrPort().String())
	if err != nil {
		return errSilent
	}
	return k.shake(conn)
}

func (k knock) shake(conn net.Conn) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	handshake := "\x13BitTorrent protocol" + string(make([]byte, 8)) + string(k.hash) + "-XX0001-abcdefghijkl"
	if _, err := io.WriteString(conn, handshake); err != nil {
		return errHungUp
	}
	answer := make([]byte, len(handshake))
	_, err := io.ReadFull(conn, answer)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSilent
	case err != nil:
		return errHungUp
	case string(answer[:20]) != handshake[:20]:
		return errForeign
	}
	return nil
}
