package mse_test

import (
	"io"
	"math/big"
	"net"
	"testing"

	library "github.com/anacrolix/torrent/mse"

	"btda/events"
	"btda/recorder/mse"
)

// Some clients lose a zero byte at the beginning of the secret (rtorrent 0.9.8, one of 256 handshakes), so the side that can choose its key
// with the other's in hand must take one with which there is none.
func TestNoSecretBeginsWithZero(t *testing.T) {
	r := receiver(false)
	for range 1000 {
		us, end := play(t, func(s *scripted) []byte {
			if s.shared[0] == 0 {
				t.Error("the secret begins with a zero byte")
			}
			return nil
		})
		if _, err := r.Receive(t.Context(), us, nil); reasonOf(err) != events.ReasonTruncated {
			t.Errorf("error %v", err)
		}
		end()
		if t.Failed() {
			return
		}
	}
}

// prime is that of the key exchange.
const prime = "0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563"

// A key for which there is one secret, or two, would be no exchange; and some would have us look for a better secret for ever.
func TestKeysThatAreNone(t *testing.T) {
	p, _ := new(big.Int).SetString(prime, 0)
	for _, k := range []*big.Int{big.NewInt(0), big.NewInt(1), new(big.Int).Sub(p, big.NewInt(1)), p, new(big.Int).Add(p, big.NewInt(2))} {
		key := k.FillBytes(make([]byte, 96))
		us, them := connected(t)
		if _, err := them.Write(key); err != nil {
			t.Fatal(err)
		}
		if _, err := receiver(false).Receive(t.Context(), us, nil); reasonOf(err) != events.ReasonUnknownProtocol {
			t.Errorf("as receiver, key %v: error %v", k, err)
		}
		us, them = connected(t)
		if _, err := them.Write(key); err != nil {
			t.Fatal(err)
		}
		if _, err := (mse.Initiator{Torrent: ours}).Initiate(us); reasonOf(err) != events.ReasonUnknownProtocol {
			t.Errorf("as initiator, key %v: error %v", k, err)
		}
		us.Close()
		io.Copy(io.Discard, them)
	}
}

// What a handshake costs both sides together, ours and those of the library.
func BenchmarkHandshake(b *testing.B) {
	r := receiver(false)
	b.Run("ours", func(b *testing.B) {
		benchmarkHandshake(b, func(us net.Conn) error {
			_, err := r.Receive(b.Context(), us, nil)
			return err
		}, func(them net.Conn) error {
			_, err := mse.Initiator{Torrent: ours}.Initiate(them)
			return err
		})
	})
	b.Run("library", func(b *testing.B) {
		keys := func(yield func([]byte) bool) { _ = yield(other[:]) && yield(ours[:]) }
		benchmarkHandshake(b, func(us net.Conn) error {
			_, _, err := library.ReceiveHandshake(b.Context(), us, keys, library.DefaultCryptoSelector)
			return err
		}, func(them net.Conn) error {
			_, _, err := library.InitiateHandshake(them, ours[:], nil, library.AllSupportedCrypto)
			return err
		})
	})
}

func benchmarkHandshake(b *testing.B, receive, initiate func(net.Conn) error) {
	b.ReportAllocs()
	for b.Loop() {
		us, them := connected(b)
		initiated := make(chan error, 1)
		go func() { initiated <- initiate(them) }()
		if err := receive(us); err != nil {
			b.Fatal(err)
		}
		if err := <-initiated; err != nil {
			b.Fatal(err)
		}
		us.Close()
		them.Close()
	}
}
