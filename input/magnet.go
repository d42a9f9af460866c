package input

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"btda/events"
)

// Bounds of a magnet link. The longest in use have about a hundred trackers.
const (
	maxMagnetLength = 64 << 10 // bytes
	maxMagnetPeers  = 1000     // that a link may name
)

// magnetPrefix is what a link begins with, in any case of letters.
const magnetPrefix = "magnet:?"

// MagnetLink is what a magnet link says (BEP 9, 52 and 53).
type MagnetLink struct {
	Torrent          // without metadata
	Ignored []string // parts that are not used, and why
}

// IsMagnet reports whether a text is meant to be a magnet link.
func IsMagnet(text string) bool {
	return len(text) >= len(magnetPrefix)-1 && strings.EqualFold(text[:len(magnetPrefix)-1], magnetPrefix[:len(magnetPrefix)-1])
}

// ParseMagnet reads a magnet link. Used are the info hash (xt, as hexadecimal digits or base32), the v2 info hash beside it, trackers (tr),
// peers (x.pe) and the name (dn); all else is passed over, among it the selection of files (so). Each tracker is a tier of its own. A link
// without a v1 info hash gives ErrNoInfoHash. Peers with a host name are left out: no name is looked up for them.
func ParseMagnet(link string) (MagnetLink, error) {
	if len(link) > maxMagnetLength {
		return MagnetLink{}, fmt.Errorf("the magnet link has %d bytes, more than %d", len(link), maxMagnetLength)
	}
	if len(link) < len(magnetPrefix) || !strings.EqualFold(link[:len(magnetPrefix)], magnetPrefix) {
		return MagnetLink{}, fmt.Errorf("no magnet link: want %q at its beginning", magnetPrefix)
	}
	r := magnetReader{trackers: trackerReader{seen: make(map[string]bool)}}
	for part := range strings.SplitSeq(link[len(magnetPrefix):], "&") {
		if err := r.part(part); err != nil {
			return MagnetLink{}, err
		}
	}
	return r.magnet()
}

// magnetReader takes in the parts of a magnet link.
type magnetReader struct {
	MagnetLink
	hashed   bool // a v1 info hash was named
	name     bool // a name was given
	trackers trackerReader
}

// part reads a key and its value.
func (r *magnetReader) part(part string) error {
	key, value, _ := strings.Cut(part, "=")
	key = plainKey(key)
	read := magnetParts[key]
	if read == nil {
		return nil
	}
	unescape := url.PathUnescape
	if key == "dn" {
		unescape = url.QueryUnescape // a plus is a space there, as in a form
	}
	text, err := unescape(value)
	if err != nil {
		return fmt.Errorf("%s=%.60s: want bytes other than letters and digits as %%XX: %w", key, value, err)
	}
	if err := read(r, text); err != nil {
		return fmt.Errorf("%s=%.60s: %w", key, value, err)
	}
	return nil
}

// plainKey takes the number off a key: several values of one key may be written as tr.1, tr.2.
func plainKey(key string) string {
	key = strings.ToLower(key)
	if base, number, ok := strings.Cut(key, "."); ok && strings.Trim(number, "0123456789") == "" {
		return base
	}
	return key
}

// magnetParts reads the keys that are used.
var magnetParts = map[string]func(*magnetReader, string) error{
	"xt":   (*magnetReader).topic,
	"tr":   func(r *magnetReader, url string) error { return r.trackers.addTier(url) },
	"x.pe": (*magnetReader).peer,
	"dn": func(r *magnetReader, text string) error {
		if !r.name {
			r.name, r.DisplayName = true, displayName(text)
		}
		return nil
	},
}

// topic reads an exact topic. Those of other networks are passed over.
func (r *magnetReader) topic(urn string) error {
	const v1, v2 = "urn:btih:", "urn:btmh:"
	switch lower := strings.ToLower(urn); {
	case strings.HasPrefix(lower, v1):
		return r.infoHash(urn[len(v1):])
	case strings.HasPrefix(lower, v2):
		return r.infoHashV2(lower[len(v2):])
	}
	return nil
}

func (r *magnetReader) infoHash(text string) error {
	hash, err := decodeInfoHash(text)
	if err != nil {
		return err
	}
	if r.hashed && hash != r.InfoHash {
		return errors.New("it names a second torrent: write a link for each")
	}
	r.hashed, r.InfoHash = true, hash
	return nil
}

// decodeInfoHash reads 40 hexadecimal digits, or 32 of base32 as older links have them.
func decodeInfoHash(text string) (hash events.InfoHash, err error) {
	var decoded []byte
	switch len(text) {
	case hex.EncodedLen(len(hash)):
		decoded, err = hex.DecodeString(text)
	case base32.StdEncoding.EncodedLen(len(hash)):
		decoded, err = base32.StdEncoding.DecodeString(strings.ToUpper(text))
	default:
		return hash, fmt.Errorf("want an info hash of 40 hexadecimal digits or of 32 letters and digits (base32), got %d characters", len(text))
	}
	if err != nil {
		return hash, fmt.Errorf("want an info hash of 40 hexadecimal digits or of 32 letters and digits (base32): %w", err)
	}
	return events.InfoHash(decoded), nil
}

// infoHashV2 reads a multihash: its kind, its length, and the hash, of which BEP 52 knows SHA-256 only.
func (r *magnetReader) infoHashV2(text string) error {
	const sha256 = "1220"
	digits, ok := strings.CutPrefix(text, sha256)
	hash, err := hex.DecodeString(digits)
	if !ok || err != nil || len(hash) != 32 {
		return fmt.Errorf("want %s and a v2 info hash of 64 hexadecimal digits", sha256)
	}
	r.InfoHashV2 = hash
	return nil
}

// peer reads the address of a peer. One with a host name is noted as ignored.
func (r *magnetReader) peer(text string) error {
	if len(r.Peers)+len(r.Ignored) >= maxMagnetPeers {
		return fmt.Errorf("more than %d peers", maxMagnetPeers)
	}
	address, err := netip.ParseAddrPort(text)
	if err != nil || address.Addr().Zone() != "" {
		r.Ignored = append(r.Ignored, fmt.Sprintf("x.pe=%.60s: want IP:PORT or [IP]:PORT, because no names are looked up for peers", text))
		return nil
	}
	if address = netip.AddrPortFrom(address.Addr().Unmap(), address.Port()); !slices.Contains(r.Peers, address) {
		r.Peers = append(r.Peers, address)
	}
	return nil
}

func (r *magnetReader) magnet() (MagnetLink, error) {
	switch {
	case !r.hashed && r.InfoHashV2 != nil:
		return MagnetLink{}, ErrNoInfoHash
	case !r.hashed:
		return MagnetLink{}, errors.New("it names no torrent: want xt=urn:btih: and an info hash")
	}
	r.Magnet, r.Tiers = true, r.trackers.tiers
	return r.MagnetLink, nil
}
