package dht

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"

	"btda/events"
	"btda/input/bencode"
)

// guard stands between the network and the library, and lets only messages through that the library can take. It is safe for use by many
// goroutines.
//
// Each query that leaves gets a tag at the end of its transaction id: a code of the id and of the address it goes to, with a key of
// ours. An answer is let in when it has the tag back, from that address. So the ids of the library, which it counts up for all to guess,
// are no way in, and an answer to nothing is told from one that came late.
type guard struct {
	judge func(from events.Scope, a events.Address) events.Reason
	key   [sha256.Size]byte
}

// tagSize is the size of a tag in bytes. Each try to guess one is a datagram.
const tagSize = 4

func newGuard(judge func(from events.Scope, a events.Address) events.Reason) *guard {
	g := &guard{judge: judge}
	rand.Read(g.key[:]) // never fails
	return g
}

// admit reads a datagram that came from an address. The message has its transaction id without the tag.
func (g *guard) admit(datagram []byte, from events.Address) (message, error) {
	if g.judge(from.Scope, from) != 0 {
		return message{}, errSender
	}
	m, err := parseMessage(datagram)
	if err != nil {
		return message{}, err
	}
	if m.kind != queryKind {
		at := len(m.transaction) - tagSize
		if at <= 0 || !hmac.Equal(m.transaction[at:], g.tag(m.transaction[:at], from)) {
			return message{}, errTransaction
		}
		m.transaction = m.transaction[:at]
	}
	m.answer.nodes4 = g.sift(m.answer.nodes4, nodeSize4, from.Scope)
	m.answer.nodes6 = g.sift(m.answer.nodes6, nodeSize6, from.Scope)
	return m, nil
}

// sift keeps the nodes that one of a scope may name, so that the library asks no other.
func (g *guard) sift(nodes []byte, size int, from events.Scope) []byte {
	kept := make([]byte, 0, len(nodes))
	for node := range slices.Chunk(nodes, size) {
		if g.judge(from, events.AddressOf(addrPortOf(node[idSize:]))) == 0 {
			kept = append(kept, node...)
		}
	}
	return kept
}

// release makes a message of the library ready to leave. Only queries are changed.
func (g *guard) release(datagram []byte, to events.Address) []byte {
	if !bytes.HasSuffix(datagram, []byte("1:y1:qe")) {
		return datagram
	}
	v, err := bencode.Parse(datagram)
	if err != nil {
		return datagram
	}
	transaction, _ := v.Get("t").Text()
	return replaceTransaction(v, g.tagged(transaction, to))
}

// tagged gives a transaction id with its tag.
func (g *guard) tagged(transaction []byte, to events.Address) []byte {
	return slices.Concat(transaction, g.tag(transaction, to))
}

func replaceTransaction(v bencode.Value, transaction []byte) []byte {
	b := append(make([]byte, 0, len(v)+2*tagSize), 'd')
	for key, value := range v.Dict() {
		b = appendText(b, key)
		if key == "t" {
			b = appendText(b, transaction)
		} else {
			b = append(b, value...)
		}
	}
	return append(b, 'e')
}

func (g *guard) tag(transaction []byte, of events.Address) []byte {
	code := hmac.New(sha256.New, g.key[:])
	ip := of.Addr().As16()
	code.Write(ip[:])
	code.Write(binary.BigEndian.AppendUint16(nil, of.Port()))
	code.Write(transaction)
	return code.Sum(nil)[:tagSize]
}

// addrPortOf reads a compact address of 6 or 18 bytes (BEP 5, BEP 32); of another length it gives none.
func addrPortOf(compact []byte) netip.AddrPort {
	at := len(compact) - 2
	if at < 0 {
		return netip.AddrPort{}
	}
	ip, _ := netip.AddrFromSlice(compact[:at]) // not valid unless of 4 or 16 bytes
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(compact[at:]))
}
