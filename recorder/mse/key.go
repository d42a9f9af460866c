package mse

import (
	"crypto/rand"
	"math/big"

	"btda/events"
	"btda/recorder/netfail"
)

// keySize is the size of a public key and of a secret, in bytes.
const keySize = 96

// privateKeySize is that of a private key, in bytes.
const privateKeySize = 20

var (
	generator = big.NewInt(2)
	prime, _  = new(big.Int).SetString("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"+
		"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563", 16)
	greatestKey = new(big.Int).Sub(prime, big.NewInt(2))
)

var errNoPublicKey = netfail.New(events.ReasonUnknownProtocol, "what should be a public key allows for one secret only")

// secret is what both sides share.
type secret [keySize]byte

// keyPair is the private and the public key of one side.
type keyPair struct {
	private *big.Int
	public  [keySize]byte
}

func newKeyPair() keyPair {
	var b [privateKeySize]byte
	rand.Read(b[:]) // never fails
	k := keyPair{private: new(big.Int).SetBytes(b[:])}
	new(big.Int).Exp(generator, k.private, prime).FillBytes(k.public[:])
	return k
}

// share gives the secret that is shared with the owner of a public key. It fails for keys with which it would be no secret.
func (k keyPair) share(public []byte) (secret, error) {
	var s secret
	theirs := new(big.Int).SetBytes(public)
	if theirs.Cmp(generator) < 0 || theirs.Cmp(greatestKey) > 0 {
		return s, errNoPublicKey
	}
	theirs.Exp(theirs, k.private, prime).FillBytes(s[:])
	return s, nil
}

// answerKey gives a key pair for somebody whose public key is known, and the secret, which begins with no zero byte: some clients would
// lose it.
func answerKey(public []byte) (keyPair, secret, error) {
	for {
		k := newKeyPair()
		s, err := k.share(public)
		if err != nil || s[0] != 0 {
			return k, s, err
		}
	}
}
