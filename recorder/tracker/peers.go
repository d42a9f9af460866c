package tracker

import (
	"encoding/binary"
	"net/netip"

	"btda/events"
	"btda/input/bencode"
)

// maxPeers bounds the peers that are taken of one answer.
const maxPeers = 4096

// peerList is what an answer says about peers.
type peerList struct {
	present bool   // the answer has such a field, if an empty one
	named   uint64 // peers that the answer names, also those above maxPeers
	list    events.PeerList
	invalid uint32 // entries that are no peer
}

// parsePeers reads the compact form (BEP 23, BEP 7) and the list of dictionaries (BEP 3).
func parsePeers(d dictionary) (peerList, error) {
	var p peerList
	for _, field := range []compactField{{"peers", events.CompactSize4}, {"peers6", events.CompactSize6}} {
		value := d[field.name]
		if len(value) == 0 {
			continue
		}
		p.present = true
		if text, ok := d.text(field.name); ok {
			p.addCompact(text, field.size)
		} else if err := p.addList(value); err != nil {
			return peerList{}, err
		}
	}
	return p, nil
}

// compactField is a field in compact form, and the bytes of each of its entries.
type compactField struct {
	name string
	size int
}

func (p *peerList) addCompact(entries []byte, size int) {
	for ; len(entries) >= size; entries = entries[size:] {
		ip, _ := netip.AddrFromSlice(entries[:size-2])
		p.add(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(entries[size-2:])))
	}
	if len(entries) > 0 {
		p.invalid++
	}
}

// addList takes a list of dictionaries. Entries that are no dictionary, host names and bad ports are counted as invalid.
func (p *peerList) addList(value bencode.Raw) error {
	if value[0] != 'l' {
		return errNoPeers
	}
	var entries []bencode.Raw
	if err := bencode.Unmarshal(value, &entries); err != nil {
		return err
	}
	for _, e := range entries {
		if a, ok := parsePeer(e); ok {
			p.add(a)
		} else {
			p.invalid++
		}
	}
	return nil
}

func parsePeer(e bencode.Raw) (netip.AddrPort, bool) {
	var d dictionary
	if len(e) == 0 || e[0] != 'd' || bencode.Unmarshal(e, &d) != nil {
		return netip.AddrPort{}, false
	}
	text, _ := d.text("ip")
	ip, err := netip.ParseAddr(string(text))
	port := d.number("port")
	if err != nil || !port.Known || port.Value > 65535 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip, uint16(port.Value)), true
}

// add takes a peer as named; whether it may be dialled is not decided here.
func (p *peerList) add(a netip.AddrPort) {
	p.named++
	if p.named <= maxPeers {
		p.list.Append(a)
	}
}
