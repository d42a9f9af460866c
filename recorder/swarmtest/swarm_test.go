package swarmtest

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"btda/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testPieces = 64

// A seed, two leechers that finish and one that stops half way. An observer that asks for nothing sees every piece.
func TestSwarm(t *testing.T) {
	s, err := New(Options{Payload: PayloadOptions{Name: "test", Pieces: testPieces, PieceLength: 16 << 10, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(ClientOptions{Name: "slow", Rate: 500_000}, ClientOptions{Name: "fast", Rate: 1_000_000},
		ClientOptions{Name: "half", Rate: 500_000, Goal: testPieces / 2}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	met, seen := make(chan struct{}), make(chan error, 1)
	go func() { seen <- watch(ctx, s, observed{s.Clients[0].AddrPort(), met}) }()
	select { // there is nothing to download before the observer is there
	case <-met:
	case err := <-seen:
		t.Fatal(err)
	}
	if err := s.Start(ClientOptions{Name: "seed", Full: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-seen; err != nil {
		t.Errorf("observer of the slow leecher: %v", err)
	}
	for i, want := range []int{testPieces, testPieces, testPieces / 2, testPieces} {
		c := s.Clients[i]
		if c.Pieces() != want || c.Finishes() != (i < 2) {
			t.Errorf("%s has %d pieces, want %d; finishes %v", c.Name, c.Pieces(), want, c.Finishes())
		}
		if !c.Finishes() {
			continue
		}
		if err := s.Tracker.WaitTold(ctx, c.PeerID, events.AnnounceCompleted); err != nil {
			t.Error(err)
		}
		if at, ok := c.CrossedAt(testPieces); !ok || at != c.History()[testPieces].Time {
			t.Errorf("%s crossed at %v, %v", c.Name, at, ok)
		}
	}
	if c := s.Tracker.Counts(s.Payload.InfoHash); c != (Counts{Seeders: 3, Completed: 2, Leechers: 1}) {
		t.Errorf("counts %+v", c)
	}
}

// observed is a peer to watch.
type observed struct {
	address netip.AddrPort
	met     chan<- struct{} // closed after the handshake
}

// watch observes a leecher from below the half of the pieces to the last one.
func watch(ctx context.Context, s *Swarm, peer observed) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", peer.address.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	handshake := "\x13BitTorrent protocol" + string(make([]byte, 8)) + string(s.Payload.InfoHash[:]) + "-XX0001-abcdefghijkl"
	if _, err := io.WriteString(conn, handshake); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	if _, err := io.ReadFull(r, make([]byte, len(handshake))); err != nil {
		return err
	}
	close(peer.met)
	for has := 0; has < testPieces; {
		var length [4]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return fmt.Errorf("after %d pieces: %w", has, err)
		}
		message := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(r, message); err != nil {
			return err
		}
		switch {
		case len(message) == 5 && message[0] == byte(events.Have):
			has++
		case len(message) > 1 && message[0] == byte(events.Bitfield):
			for _, b := range message[1:] {
				for ; b != 0; b &= b - 1 {
					has++
				}
			}
			if has >= testPieces/2 {
				return fmt.Errorf("the first bitfield has %d pieces already", has)
			}
		}
	}
	return nil
}

// Peer exchange can be switched on.
func TestPeerExchange(t *testing.T) {
	s, err := New(Options{Payload: PayloadOptions{Name: "test", Pieces: testPieces, PieceLength: 16 << 10, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(ClientOptions{Name: "seed", Full: true, PEX: true}, ClientOptions{Name: "leecher", PEX: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Wait(ctx); err != nil {
		t.Error(err)
	}
}
