package wire

import (
	"btda/events"
	"btda/input/bencode"
	"btda/recorder/netfail"
)

// PeerExchange is a message of ut_pex (BEP 11).
type PeerExchange struct {
	Added   events.PeerList
	Flags   []byte // one byte for each added peer, IPv4 first; shorter where the last ones have none
	Dropped events.PeerList
}

// Len counts the peers that are added and those that are dropped.
func (p PeerExchange) Len() int { return p.Added.Len() + p.Dropped.Len() }

// Cut leaves the first peers of each list, IPv4 first, and their flags.
func (p *PeerExchange) Cut(most int) {
	p.Flags = cutFlags(p.Flags, p.Added, most)
	cutPeers(&p.Added, most)
	cutPeers(&p.Dropped, most)
}

func cutPeers(l *events.PeerList, most int) {
	l.V4 = l.V4[:min(len(l.V4), most*events.CompactSize4)]
	l.V6 = l.V6[:min(len(l.V6), (most-len(l.V4)/events.CompactSize4)*events.CompactSize6)]
}

// cutFlags leaves the flags of the first peers. Those of the two families lie side by side, so that what is left begins both of them.
func cutFlags(flags []byte, of events.PeerList, most int) []byte {
	return flags[:min(len(flags), most, of.Len())]
}

// ParsePeerExchange reads the payload of a message of ut_pex. What it gives is a copy. The error has events.ReasonMalformed: no
// dictionary, a value of another type, or addresses that are not whole. Flags without a peer are left out.
func ParsePeerExchange(payload []byte) (PeerExchange, error) {
	dictionary, _, ok := cut(payload)
	if !ok || !dictionary.IsDict() {
		return PeerExchange{}, errPeerExchange
	}
	var p PeerExchange
	var flags4, flags6 []byte
	for _, field := range []struct {
		key  string
		to   *[]byte
		size int
	}{
		{"added", &p.Added.V4, events.CompactSize4}, {"added6", &p.Added.V6, events.CompactSize6},
		{"dropped", &p.Dropped.V4, events.CompactSize4}, {"dropped6", &p.Dropped.V6, events.CompactSize6},
		{"added.f", &flags4, 1}, {"added6.f", &flags6, 1},
	} {
		if !readEntries(field.to, dictionary.Get(field.key), field.size) {
			return PeerExchange{}, errPeerExchange
		}
	}
	p.Flags = joinFlags(p.Added, flags4, flags6)
	return p, nil
}

// readEntries reads a string of entries of a size. One that is missing has none.
func readEntries(to *[]byte, value bencode.Value, size int) bool {
	if value == nil {
		return true
	}
	content, ok := value.Text()
	*to = append(*to, content...)
	return ok && len(content)%size == 0
}

// joinFlags puts the flags of both families behind each other. IPv4 peers without flags get 0 where IPv6 peers have some.
func joinFlags(of events.PeerList, flags4, flags6 []byte) []byte {
	peers4, peers6 := len(of.V4)/events.CompactSize4, len(of.V6)/events.CompactSize6
	flags4, flags6 = flags4[:min(len(flags4), peers4)], flags6[:min(len(flags6), peers6)]
	if len(flags6) == 0 {
		return flags4
	}
	return append(append(flags4, make([]byte, peers4-len(flags4))...), flags6...)
}

var errPeerExchange = netfail.New(events.ReasonMalformed, "a ut_pex message that is no dictionary of whole addresses (BEP 11)")

// ParseTrackerExchange reads the payload of a message of lt_tex (BEP 28): the URLs of the trackers that the peer adds, as it wrote them. The
// error has events.ReasonMalformed: no dictionary, or an `added` that is no list of strings.
func ParseTrackerExchange(payload []byte) (added []string, err error) {
	dictionary, _, ok := cut(payload)
	if !ok || !dictionary.IsDict() {
		return nil, errTrackerExchange
	}
	list := dictionary.Get("added")
	if list == nil {
		return nil, nil
	}
	if !list.IsList() {
		return nil, errTrackerExchange
	}
	for value := range list.List() {
		url, ok := value.Text()
		if !ok {
			return nil, errTrackerExchange
		}
		added = append(added, string(url))
	}
	return added, nil
}

var errTrackerExchange = netfail.New(events.ReasonMalformed, "an lt_tex message that is no dictionary with a list of URLs (BEP 28)")
