package tracker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"btda/events"
	"btda/recorder/netfail"
)

// The messages of BEP 15, and the options of BEP 41. All numbers are big-endian. Nothing here has a socket or a clock.

// action is what a message of BEP 15 is about.
type action uint32

// The actions.
const (
	actionConnect  action = 0
	actionAnnounce action = 1
	actionScrape   action = 2
	actionError    action = 3 // of answers only
)

// transactionID joins an answer to its request.
type transactionID uint32

// connectionID is given by a tracker and shows it that its answers reach us.
type connectionID uint64

// protocolID stands in place of the connection id when one is asked for.
const protocolID connectionID = 0x41727101980

// Sizes in bytes.
const (
	headSize       = 8  // action and transaction id of an answer
	announcedSize  = 12 // of an answer to an announce, behind the head and before the peers
	scrapedSize    = 12 // of one torrent's counts
	connectionSize = 8
)

// Options of an announce (BEP 41): a type, a length and as many bytes.
const (
	optionURLData = 2
	maxOption     = 255
)

// maxURLData bounds path and query of a tracker's URL, in bytes: the whole request is to fit into one datagram.
const maxURLData = 4 << 10

// heading is what every request begins with.
type heading struct {
	connection  connectionID
	action      action
	transaction transactionID
}

func (h heading) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(h.connection))
	b = binary.BigEndian.AppendUint32(b, uint32(h.action))
	return binary.BigEndian.AppendUint32(b, uint32(h.transaction))
}

// announceRequest is what an announce says beside the heading.
type announceRequest struct {
	Request
	peerID  events.PeerID
	key     uint32
	port    uint16
	urlData string // path and query of the tracker's URL, at most maxURLData bytes
}

// append adds the announce. The field for an address is left 0, so that the tracker takes the one that it sees.
func (r announceRequest) append(b []byte) []byte {
	b = append(append(b, r.InfoHash[:]...), r.peerID[:]...)
	for _, n := range []uint64{r.Downloaded, r.Left, r.Uploaded} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, n := range []uint32{uint32(r.Event), 0, r.key, uint32(wanted(r.Event))} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return appendURLData(binary.BigEndian.AppendUint16(b, r.port), r.urlData)
}

// appendURLData adds path and query as options. What does not fit into one is continued in the next.
func appendURLData(b []byte, data string) []byte {
	for len(data) > 0 {
		part := data[:min(len(data), maxOption)]
		b = append(append(b, optionURLData, byte(len(part))), part...)
		data = data[len(part):]
	}
	return b
}

// udpAnswer is an answer whose head was read.
type udpAnswer struct {
	action      action
	transaction transactionID
	body        []byte
}

func parseUDPAnswer(packet []byte) (udpAnswer, error) {
	if len(packet) < headSize {
		return udpAnswer{}, cut("an answer", packet)
	}
	return udpAnswer{
		action:      action(binary.BigEndian.Uint32(packet)),
		transaction: transactionID(binary.BigEndian.Uint32(packet[4:])),
		body:        packet[headSize:],
	}, nil
}

func cut(what string, got []byte) error {
	return netfail.New(events.ReasonTruncated, fmt.Sprintf("%s of %d bytes", what, len(got)))
}

func parseConnection(body []byte) (connectionID, error) {
	if len(body) < connectionSize {
		return 0, cut("a connection id", body)
	}
	return connectionID(binary.BigEndian.Uint64(body)), nil
}

// parseUDPAnnounce reads an answer to an announce. Its peers are entries of the family over which it came; a cut last one is counted
// as invalid.
func parseUDPAnnounce(body []byte, entrySize int) (announceAnswer, error) {
	if len(body) < announcedSize {
		return announceAnswer{}, cut("an announce", body)
	}
	a := announceAnswer{interval: count(body), leechers: count(body[4:]), seeders: count(body[8:])}
	a.peers.present = true
	a.peers.addCompact(body[announcedSize:], entrySize)
	return a, nil
}

// parseUDPScrape reads the counts of the one torrent that was asked for. An answer that names no torrent has none.
func parseUDPScrape(body []byte) (a scrapeAnswer, named bool, err error) {
	switch {
	case len(body) == 0:
		return scrapeAnswer{}, false, nil
	case len(body) < scrapedSize:
		return scrapeAnswer{}, false, cut("a scrape", body)
	}
	return scrapeAnswer{seeders: count(body), completed: count(body[4:]), leechers: count(body[8:])}, true, nil
}

// count reads a number of 32 bits with sign. A negative one is unknown.
func count(b []byte) events.Optional {
	n := binary.BigEndian.Uint32(b)
	if n > math.MaxInt32 {
		return events.Optional{}
	}
	return events.Some(uint64(n))
}

// parseUDPError reads why a tracker refused. Some end the text with a zero byte.
func parseUDPError(body []byte) string {
	text := bytes.TrimRight(body, "\x00")
	return string(text[:min(len(text), maxText)])
}
