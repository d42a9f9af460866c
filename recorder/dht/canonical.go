package dht

import "strconv"

// unknownMethod stands for every query that we do not serve. The library counts the queries of each name and forgets none, and it would
// keep what is put (BEP 44).
const unknownMethod = "unknown"

// append writes the message as the library takes it: keys in their order, and nothing that it could stumble over.
func (m *message) append(b []byte) []byte {
	b = append(b, 'd')
	switch m.kind {
	case queryKind:
		b = m.appendArguments(append(b, "1:a"...))
		b = m.appendAddress(b)
		b = appendText(append(b, "1:q"...), m.servedMethod())
	case responseKind:
		b = m.appendAddress(b)
		b = m.appendAnswer(append(b, "1:r"...))
	case errorKind:
		b = append(strconv.AppendInt(append(b, "1:eli"...), m.code, 10), 'e')
		b = append(appendText(b, m.text), 'e')
		b = m.appendAddress(b)
	}
	if m.readOnly {
		b = append(b, "2:roi1e"...)
	}
	b = appendText(append(b, "1:t"...), m.transaction)
	b = appendField(b, "v", m.version)
	return append(b, "1:y1:"+string(rune(m.kind))+"e"...)
}

func (m *message) servedMethod() string {
	switch m.method {
	case "ping", "find_node", "get_peers", "announce_peer":
		return m.method
	}
	return unknownMethod
}

// soughtHash is what a query is about. The library looks for the nodes that it answers find_node with below info_hash too.
func (m *message) soughtHash() []byte {
	if m.method == "find_node" {
		return m.question.target
	}
	return m.question.infoHash
}

func (m *message) appendAddress(b []byte) []byte { return appendField(b, "ip", m.external) }

func (m *message) appendArguments(b []byte) []byte {
	q := &m.question
	b = appendField(append(b, 'd'), "id", m.id)
	if q.implied {
		b = append(b, "12:implied_porti1e"...)
	}
	b = appendField(b, "info_hash", m.soughtHash())
	if q.port >= 0 {
		b = append(strconv.AppendInt(append(b, "4:porti"...), q.port, 10), 'e')
	}
	b = appendField(b, "target", q.target)
	b = appendField(b, "token", q.token)
	return append(b, 'e')
}

func (m *message) appendAnswer(b []byte) []byte {
	a := &m.answer
	b = appendField(append(b, 'd'), "BFpe", a.peers)
	b = appendField(b, "BFsd", a.seeds)
	b = appendField(b, "id", m.id)
	b = appendField(b, "nodes", a.nodes4)
	b = appendField(b, "nodes6", a.nodes6)
	b = appendField(b, "token", a.token)
	if len(a.values) > 0 {
		b = append(b, "6:valuesl"...)
		for _, peer := range a.values {
			b = appendText(b, atLeastPort(peer))
		}
		b = append(b, 'e')
	}
	return append(b, 'e')
}

// atLeastPort makes a value long enough for the library, which panics where there is no room for a port. It stays one that is no peer.
func atLeastPort(peer []byte) []byte {
	if len(peer) < 2 {
		return []byte{0, 0}
	}
	return peer
}

// appendField appends a key and its string; nothing for an empty one.
func appendField(b []byte, key string, text []byte) []byte {
	if len(text) == 0 {
		return b
	}
	return appendText(appendText(b, key), text)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = append(strconv.AppendInt(b, int64(len(text)), 10), ':')
	return append(b, text...)
}
