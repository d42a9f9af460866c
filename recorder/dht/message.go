package dht

import (
	"errors"

	"btda/events"
	"btda/input/bencode"
)

// maxDatagram is the size in bytes from which on a datagram is dropped. Answers with 8 nodes take some 300 bytes, those with many peers
// up to what a network takes without fragments, 1,500 bytes; the rest is for networks that take more.
const maxDatagram = 4 << 10

// Bounds of the parts of a message.
const (
	idSize         = 20
	filterSize     = 256 // of BEP 33
	maxTransaction = 64  // bytes of a transaction id that we answer with
	maxToken       = 256
	maxMethod      = 32
	maxVersion     = 32
	maxErrorText   = 256
)

// Sizes in bytes of one compact node: its id, then its address (BEP 5, BEP 32).
const (
	nodeSize4 = idSize + events.CompactSize4
	nodeSize6 = idSize + events.CompactSize6
)

// kind is what a message is: the value of its key "y" (BEP 5).
type kind byte

const (
	queryKind    kind = 'q'
	responseKind kind = 'r'
	errorKind    kind = 'e'
)

// message is a KRPC message (BEP 5), reduced to what is used of it. Every field has the type and size that it should have, and is empty
// where the message had none of that kind. Byte strings alias the datagram.
type message struct {
	kind        kind
	transaction []byte
	readOnly    bool   // BEP 43
	version     []byte // of the sender's program
	external    []byte // our address as the sender sees it (BEP 42)
	id          []byte // of the sender; errors have none

	method   string    // of a query
	question arguments // of a query
	answer   answer    // of a response
	code     int64     // of an error
	text     []byte    // of an error
}

// arguments are those of all the queries of BEP 5.
type arguments struct {
	infoHash []byte // of get_peers and announce_peer
	target   []byte // of find_node
	token    []byte
	port     int64 // -1 when not said
	implied  bool  // the port is that of the datagram
	seed     bool  // BEP 33
}

// answer is the content of a response.
type answer struct {
	nodes4, nodes6 []byte // whole compact nodes
	token          []byte
	values         [][]byte // compact peers; those that are none too, for they are counted
	seeds, peers   []byte   // filters of BEP 33
}

// The reasons to drop a datagram.
var (
	errTooLong     = errors.New("longer than messages are")
	errMalformed   = errors.New("not a KRPC message")
	errSender      = errors.New("from an address that is not answered")
	errTransaction = errors.New("an answer to nothing that was asked of its sender")
)

// parseMessage reads a datagram. It allocates little, whatever the datagram claims.
func parseMessage(datagram []byte) (message, error) {
	if len(datagram) > maxDatagram {
		return message{}, errTooLong
	}
	v, err := bencode.Parse(datagram)
	if err != nil || !v.IsDict() {
		return message{}, errMalformed
	}
	f := fieldsOf(v, "t", "y", "ro", "v", "ip", "q", "a", "r", "e")
	m := message{transaction: f.text("t", 1, maxTransaction), version: f.textUpTo("v", maxVersion), readOnly: f.isSet("ro"), external: f.address("ip")}
	if y := f.text("y", 1, 1); y != nil && m.transaction != nil {
		m.kind = kind(y[0])
	}
	ok := false
	switch m.kind {
	case queryKind:
		ok = m.readQuery(f)
	case responseKind:
		ok = m.readResponse(f["r"])
	case errorKind:
		ok = m.readError(f["e"])
	}
	if !ok {
		return message{}, errMalformed
	}
	return m, nil
}

func (m *message) readQuery(f fields) bool {
	m.method = string(f.text("q", 1, maxMethod))
	a := fieldsOf(f["a"], "id", "info_hash", "target", "token", "port", "implied_port", "seed")
	m.id = a.text("id", idSize, idSize)
	m.question = arguments{
		infoHash: a.text("info_hash", idSize, idSize), target: a.text("target", idSize, idSize), token: a.text("token", 1, maxToken),
		port: a.port("port"), implied: a.isSet("implied_port"), seed: a.isSet("seed"),
	}
	switch m.method {
	case "get_peers":
		return m.id != nil && m.question.infoHash != nil
	case "announce_peer":
		return m.id != nil && m.question.infoHash != nil && m.question.token != nil
	case "find_node":
		return m.id != nil && m.question.target != nil
	}
	return m.id != nil && m.method != ""
}

func (m *message) readResponse(r bencode.Value) bool {
	f := fieldsOf(r, "id", "nodes", "nodes6", "token", "values", "BFsd", "BFpe")
	m.id = f.text("id", idSize, idSize)
	m.answer = answer{
		nodes4: f.entries("nodes", nodeSize4), nodes6: f.entries("nodes6", nodeSize6), token: f.text("token", 1, maxToken),
		seeds: f.text("BFsd", filterSize, filterSize), peers: f.text("BFpe", filterSize, filterSize),
	}
	for value := range f["values"].List() {
		peer, _ := value.Text()
		m.answer.values = append(m.answer.values, peer)
	}
	if _, one := f["values"].Text(); one {
		m.answer.values = [][]byte{nil} // no list of peers: it counts as one that is none
	}
	return m.id != nil
}

// readError takes the list of BEP 5, and the bare text that some send.
func (m *message) readError(e bencode.Value) bool {
	if text, ok := e.Text(); ok {
		m.text = cut(text, maxErrorText)
		return true
	}
	for part := range e.List() {
		if code, ok := part.Int(); ok {
			m.code = code
		} else if text, ok := part.Text(); ok {
			m.text = cut(text, maxErrorText)
		}
	}
	return e.IsList()
}

func cut(text []byte, most int) []byte { return text[:min(len(text), most)] }

// fields are the values that a dictionary has under some keys.
type fields map[string]bencode.Value

func fieldsOf(v bencode.Value, keys ...string) fields {
	f := make(fields, len(keys))
	for key, value := range v.Dict() {
		for _, wanted := range keys {
			if key == wanted {
				f[key] = value
			}
		}
	}
	return f
}

// text gives a string of a length within bounds, else nil.
func (f fields) text(key string, least, most int) []byte {
	if text, ok := f[key].Text(); ok && len(text) >= least && len(text) <= most {
		return text
	}
	return nil
}

// textUpTo gives the beginning of a string.
func (f fields) textUpTo(key string, most int) []byte {
	text, _ := f[key].Text()
	return cut(text, most)
}

func (f fields) isSet(key string) bool {
	n, ok := f[key].Int()
	return ok && n != 0
}

func (f fields) port(key string) int64 {
	if n, ok := f[key].Int(); ok && n >= 0 && n < 1<<16 {
		return n
	}
	return -1
}

// address gives a compact address, else nil.
func (f fields) address(key string) []byte {
	if text, ok := f[key].Text(); ok && (len(text) == events.CompactSize4 || len(text) == events.CompactSize6) {
		return text
	}
	return nil
}

// entries gives the whole entries that a string begins with.
func (f fields) entries(key string, size int) []byte {
	text, _ := f[key].Text()
	return text[:len(text)/size*size]
}
