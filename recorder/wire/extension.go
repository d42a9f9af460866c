package wire

import (
	"crypto/sha1"
	"net/netip"
	"strconv"
)

// The names of the extensions that are spoken here, as in m of an extension handshake.
const (
	MetadataName     = "ut_metadata" // BEP 9
	PeerExchangeName = "ut_pex"      // BEP 11
	DontHaveName     = "lt_donthave" // BEP 54
	TrackersName     = "lt_tex"      // BEP 28
)

// The numbers that we give to the extensions. Peers use them in what they send to us.
const (
	PeerExchangeID uint8 = 1
	MetadataID     uint8 = 2
	DontHaveID     uint8 = 3
	TrackersID     uint8 = 4
)

// ExtensionHandshake is what we say about ourselves (BEP 10). It has no upload_only, for which some clients hang up.
type ExtensionHandshake struct {
	Exchange     bool       // take ut_pex and lt_tex: not for private torrents (BEP 27)
	Port         uint16     // that we listen on; 0 for none
	RequestQueue int        // reqq: requests that may be outstanding
	Client       string     // v: name and version
	YourIP       netip.Addr // address of the peer as we see it; not sent when it is the zero Addr
}

// Append appends the payload of the handshake, a bencoded dictionary, to b.
func (h ExtensionHandshake) Append(b []byte) []byte {
	b = append(b, "d1:md"...)
	b = appendInteger(b, DontHaveName, int(DontHaveID))
	if h.Exchange {
		b = appendInteger(b, TrackersName, int(TrackersID))
	}
	b = appendInteger(b, MetadataName, int(MetadataID))
	if h.Exchange {
		b = appendInteger(b, PeerExchangeName, int(PeerExchangeID))
	}
	b = append(b, 'e')
	if h.Port != 0 {
		b = appendInteger(b, "p", int(h.Port))
	}
	b = appendInteger(b, "reqq", h.RequestQueue)
	if h.Exchange {
		b = appendString(appendString(b, "tr"), string(noTrackers[:]))
	}
	b = appendString(appendString(b, "v"), h.Client)
	if h.YourIP.IsValid() {
		b = appendString(appendString(b, "yourip"), string(h.YourIP.Unmap().AsSlice()))
	}
	return append(b, 'e')
}

// noTrackers is the hash of a list without trackers (BEP 28): ours, so that a peer with any list tells all of it.
var noTrackers = sha1.Sum(nil)

func appendInteger(b []byte, key string, value int) []byte {
	b = append(appendString(b, key), 'i')
	return append(strconv.AppendInt(b, int64(value), 10), 'e')
}

func appendString(b []byte, s string) []byte {
	b = append(strconv.AppendInt(b, int64(len(s)), 10), ':')
	return append(b, s...)
}
