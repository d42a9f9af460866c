package mse

import (
	"crypto/rc4"
	"crypto/sha1"
	"crypto/subtle"

	"btda/events"
)

// discarded is how much of a key stream is thrown away, in bytes.
const discarded = 1024

// hash is the SHA-1 of some texts, joined.
func hash(texts ...[]byte) []byte {
	h := sha1.New()
	for _, text := range texts {
		h.Write(text)
	}
	return h.Sum(nil)
}

// request1 is what the initiator sends so that the receiver finds the end of its padding.
func (s *secret) request1() []byte { return hash([]byte("req1"), s[:]) }

// obfuscate gives the info hash as the initiator names it.
func (s *secret) obfuscate(torrent events.InfoHash) []byte {
	b := hash([]byte("req2"), torrent[:])
	subtle.XORBytes(b, b, hash([]byte("req3"), s[:]))
	return b
}

// initiatorCipher is that of what the initiator sends.
func (s *secret) initiatorCipher(torrent events.InfoHash) *rc4.Cipher {
	return s.cipher("keyA", torrent)
}

// receiverCipher is that of what the receiver sends.
func (s *secret) receiverCipher(torrent events.InfoHash) *rc4.Cipher {
	return s.cipher("keyB", torrent)
}

func (s *secret) cipher(side string, torrent events.InfoHash) *rc4.Cipher {
	c, err := rc4.NewCipher(hash([]byte(side), s[:], torrent[:]))
	if err != nil {
		panic(err) // a SHA-1 has the size of a key
	}
	var b [discarded]byte
	c.XORKeyStream(b[:], b[:])
	return c
}
