package mse_test

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/mse"
)

// reasons are all that a handshake may fail for, where the other side says something and hangs up.
var reasons = []events.Reason{events.ReasonUnknownProtocol, events.ReasonUnknownInfoHash, events.ReasonTooLarge, events.ReasonTruncated, events.ReasonClosedByPeer, events.ReasonReset}

// Whatever an initiator says, before and inside its encryption: we agree on a way that we know, or the handshake fails for a reason, and
// either ends with what was said.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("padding"), append(offer(3), 0, 0), true)
	f.Fuzz(func(t *testing.T, padding, text []byte, known bool) {
		hash := ours
		if !known {
			hash[0]++
		}
		us, end := play(t, func(s *scripted) []byte {
			return slices.Concat(padding, s.req1(), s.obfuscated(hash), s.encrypted("keyA", text))
		})
		defer end()
		conn, err := receiver(len(text)%2 == 0).Receive(t.Context(), us, nil)
		judge(t, conn, err)
		if err == nil && (!known || len(padding) > 512) {
			t.Errorf("agreed for a hash that is known %v, after a padding of %d bytes", known, len(padding))
		}
	})
}

// FuzzInitiate is FuzzReceive for the other side.
func FuzzInitiate(f *testing.F) {
	f.Add([]byte("padding"), append(make([]byte, 8), 0, 0, 0, 2, 0, 1, 0))
	f.Fuzz(func(t *testing.T, padding, text []byte) {
		us, end := play(t, func(s *scripted) []byte { return append(slices.Clone(padding), s.encrypted("keyB", text)...) })
		defer end()
		conn, err := mse.Initiator{Torrent: ours}.Initiate(us)
		judge(t, conn, err)
	})
}

// play gives a connection whose other side sends its key, says something, and hangs up. It is in memory, and hears nothing more of us.
func play(t *testing.T, script func(*scripted) []byte) (us net.Conn, end func()) {
	us, them := net.Pipe()
	us.SetDeadline(time.Now().Add(patience))
	played := make(chan struct{})
	go func() {
		defer close(played)
		s := &scripted{Conn: them, shared: make([]byte, 96)}
		key, deaf := make(chan error, 1), make(chan struct{})
		go func() { // both sides send first
			defer close(deaf)
			_, err := io.ReadFull(them, s.shared)
			key <- err
			io.Copy(io.Discard, them)
		}()
		if _, err := them.Write(publicKey); err == nil && <-key == nil {
			them.Write(script(s))
		}
		them.Close()
		<-deaf
	}()
	return us, func() { us.Close(); <-played }
}

func judge(t *testing.T, conn *mse.Conn, err error) {
	t.Helper()
	if err != nil {
		if reason := reasonOf(err); conn != nil || !slices.Contains(reasons, reason) {
			t.Errorf("error %v, whose reason is %v", err, reason)
		}
		return
	}
	if conn.InfoHash != ours || conn.Encryption != events.MSEPlaintext && conn.Encryption != events.MSERC4 {
		t.Errorf("agreed on %v for %q", conn.Encryption, conn.InfoHash)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("what came then: %v", err)
	}
}
