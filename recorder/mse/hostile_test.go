package mse_test

import (
	"bytes"
	"context"
	"crypto/rc4"
	"crypto/sha1"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"btda/events"
	"btda/recorder/mse"
	"btda/recorder/netfail"
)

func reasonOf(err error) events.Reason {
	reason, _ := netfail.Classify(err)
	return reason
}

// scripted is the other side of a handshake, made by hand: its private key is 1, so that its public key is the generator, 2, and what both
// sides share is our public key.
type scripted struct {
	net.Conn
	shared []byte
}

var publicKey = append(make([]byte, 95), 2)

// exchange sends the public key and reads ours.
func (s *scripted) exchange() error {
	if _, err := s.Write(publicKey); err != nil {
		return err
	}
	s.shared = make([]byte, 96)
	_, err := io.ReadFull(s, s.shared)
	return err
}

func hash(parts ...[]byte) []byte {
	sum := sha1.Sum(bytes.Join(parts, nil))
	return sum[:]
}

func (s *scripted) req1() []byte { return hash([]byte("req1"), s.shared) }

// obfuscated is the info hash, as the initiator names it.
func (s *scripted) obfuscated(h events.InfoHash) []byte {
	b := hash([]byte("req2"), h[:])
	for i, with := range hash([]byte("req3"), s.shared) {
		b[i] ^= with
	}
	return b
}

// encrypted is what the initiator, keyA, or the receiver, keyB, would send.
func (s *scripted) encrypted(key string, text []byte) []byte {
	c, err := rc4.NewCipher(hash([]byte(key), s.shared, ours[:]))
	if err != nil {
		panic(err)
	}
	discarded := make([]byte, 1024)
	c.XORKeyStream(discarded, discarded)
	b := make([]byte, len(text))
	c.XORKeyStream(b, text)
	return b
}

// offer is the text of an initiator that offers both methods, up to the length of what it sends along.
func offer(padding int) []byte {
	text := binary.BigEndian.AppendUint32(make([]byte, 8), 3)
	text = binary.BigEndian.AppendUint16(text, uint16(padding))
	return append(text, make([]byte, padding)...)
}

var hostileInitiators = []struct {
	name   string
	script func(*scripted) []byte // what is said after the key
	hangUp bool
	want   events.Reason
}{
	{"silence after the key", func(*scripted) []byte { return nil }, false, events.ReasonTimeout},
	{"the most padding, then silence", func(s *scripted) []byte {
		return slices.Concat(make([]byte, 512), s.req1(), s.obfuscated(ours), s.encrypted("keyA", offer(512)))
	}, false, events.ReasonTimeout},
	{"the most padding, then the end", func(s *scripted) []byte {
		return slices.Concat(make([]byte, 512), s.req1(), s.obfuscated(ours)[:19])
	}, true, events.ReasonTruncated},
	{"more padding than there may be", func(s *scripted) []byte {
		return slices.Concat(make([]byte, 513), s.req1(), s.obfuscated(ours))
	}, false, events.ReasonUnknownProtocol},
	{"noise", func(*scripted) []byte { return bytes.Repeat([]byte("noise "), 1000) }, false, events.ReasonUnknownProtocol},
	{"an unknown torrent", func(s *scripted) []byte {
		return slices.Concat(s.req1(), s.obfuscated(events.InfoHash([]byte("no hash of any swarm"))), s.encrypted("keyA", offer(0)))
	}, false, events.ReasonUnknownInfoHash},
	{"what does not decrypt", func(s *scripted) []byte {
		return slices.Concat(s.req1(), s.obfuscated(ours), s.encrypted("keyB", append(offer(0), 0, 0)))
	}, false, events.ReasonUnknownProtocol},
	{"a second padding without end", func(s *scripted) []byte {
		return slices.Concat(s.req1(), s.obfuscated(ours), s.encrypted("keyA", offer(65535)))
	}, false, events.ReasonTooLarge},
	{"sends along without end", func(s *scripted) []byte {
		text := binary.BigEndian.AppendUint16(offer(0), 65535)
		return slices.Concat(s.req1(), s.obfuscated(ours), s.encrypted("keyA", append(text, make([]byte, 65535)...)))
	}, false, events.ReasonTooLarge},
}

func TestHostileInitiators(t *testing.T) {
	for _, h := range hostileInitiators {
		t.Run(h.name, func(t *testing.T) {
			us, them := connected(t)
			if h.want == events.ReasonTimeout {
				us.SetDeadline(time.Now().Add(200 * time.Millisecond))
			}
			var played sync.WaitGroup
			played.Go(func() {
				s := &scripted{Conn: them}
				if err := s.exchange(); err != nil {
					t.Error(err)
					return
				}
				s.Write(h.script(s)) // which fails when we have had enough
				if h.hangUp {
					them.(*net.TCPConn).CloseWrite()
				}
				io.Copy(io.Discard, them)
			})
			conn, err := receiver(false).Receive(t.Context(), us, nil)
			if conn != nil || reasonOf(err) != h.want {
				t.Errorf("error %v, want %v", err, h.want)
			}
			us.Close()
			played.Wait()
		})
	}
}

var hostileReceivers = []struct {
	name   string
	script func(*scripted) []byte // what is said after the key
	hangUp bool
	want   events.Reason
}{
	{"hangs up", func(*scripted) []byte { return nil }, true, events.ReasonTruncated},
	{"silence", func(*scripted) []byte { return nil }, false, events.ReasonTimeout},
	{"the most padding, then silence", func(s *scripted) []byte {
		return append(make([]byte, 512), s.encrypted("keyB", make([]byte, 8))...)
	}, false, events.ReasonTimeout},
	{"noise", func(*scripted) []byte { return bytes.Repeat([]byte("noise "), 1000) }, false, events.ReasonUnknownProtocol},
	{"chooses what was not offered", func(s *scripted) []byte {
		return s.encrypted("keyB", binary.BigEndian.AppendUint32(make([]byte, 8), 4<<16)[:14])
	}, false, events.ReasonUnknownProtocol},
	{"a second padding without end", func(s *scripted) []byte {
		text := append(binary.BigEndian.AppendUint32(make([]byte, 8), 2), 0xff, 0xff)
		return s.encrypted("keyB", append(text, make([]byte, 65535)...))
	}, false, events.ReasonTooLarge},
}

// Who insists on RC4 takes nothing else, whatever the other side chooses.
func TestInitiatorThatInsistsOnRC4(t *testing.T) {
	us, end := play(t, func(s *scripted) []byte {
		return s.encrypted("keyB", append(binary.BigEndian.AppendUint32(make([]byte, 8), 1), 0, 0))
	})
	defer end()
	if _, err := (mse.Initiator{Torrent: ours, RC4Only: true}).Initiate(us); reasonOf(err) != events.ReasonUnknownProtocol {
		t.Errorf("error %v", err)
	}
}

func TestHostileReceivers(t *testing.T) {
	for _, h := range hostileReceivers {
		t.Run(h.name, func(t *testing.T) {
			us, them := connected(t)
			if h.want == events.ReasonTimeout {
				us.SetDeadline(time.Now().Add(200 * time.Millisecond))
			}
			var played sync.WaitGroup
			played.Go(func() {
				s := &scripted{Conn: them}
				if err := s.exchange(); err != nil {
					t.Error(err)
					return
				}
				s.Write(h.script(s))
				if h.hangUp {
					them.(*net.TCPConn).CloseWrite()
				}
				io.Copy(io.Discard, them)
			})
			conn, err := mse.Initiator{Torrent: ours}.Initiate(us)
			if conn != nil || reasonOf(err) != h.want {
				t.Errorf("error %v, want %v", err, h.want)
			}
			us.Close()
			played.Wait()
		})
	}
}

// Who sends no key costs no turn, however many there are of them: somebody who does is taken in meanwhile.
func TestSilenceCostsNothing(t *testing.T) {
	r := receiver(false)
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range 50 {
		us, them := connected(t)
		waiting.Go(func() {
			context.AfterFunc(ctx, func() { us.SetDeadline(time.Unix(1, 0)) })
			if _, err := r.Receive(ctx, us, nil); err == nil {
				t.Error("half a key was enough")
			}
		})
		if _, err := them.Write(publicKey[:95]); err != nil {
			t.Fatal(err)
		}
	}
	us, them := connected(t)
	waiting.Go(func() {
		s := &scripted{Conn: them}
		if err := s.exchange(); err != nil {
			t.Error(err)
		}
		s.Write(slices.Concat(s.req1(), s.obfuscated(ours), s.encrypted("keyA", append(offer(0), 0, 0))))
	})
	if _, err := r.Receive(ctx, us, nil); err != nil {
		t.Error(err)
	}
	cancel()
	waiting.Wait()
}
