package input

import (
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"btda/events"
	"btda/input/bencode"
)

// MaxTorrentSize is how large a .torrent file may be, in bytes.
const MaxTorrentSize = 64 << 20

// ErrNoInfoHash is the error of a torrent that has no v1 info hash, because it is for BitTorrent v2 only (BEP 52).
var ErrNoInfoHash = errors.New("no v1 info hash, cannot be observed: the torrent is for BitTorrent v2 only")

// Torrent is one torrent to observe.
type Torrent struct {
	InfoHash      events.InfoHash // SHA-1 of the info dictionary as it stands in the file
	InfoHashV2    []byte          // SHA-256 of the same bytes where the torrent is for v2 too (BEP 52), else nil
	Path          string          // of the file, with slashes; relative to the folder that Find walked. Empty for a magnet link
	Metadata      events.Metadata // zero unless MetadataKnown; its name is as the file has it
	MetadataKnown bool
	Magnet        bool                 // from a magnet link
	DisplayName   string               // a name to show, without control characters
	Tiers         []events.TrackerTier // the trackers (BEP 12), each URL once
	Peers         []netip.AddrPort     // that a magnet link names (x.pe, BEP 9)
}

// ReadTorrent reads a .torrent file. Its errors name the file.
func ReadTorrent(path string) (Torrent, error) {
	data, err := ReadFile(path, MaxTorrentSize)
	if err != nil {
		return Torrent{}, err
	}
	t, err := ParseTorrent(data)
	if err != nil {
		return Torrent{}, fmt.Errorf("%s: %w", path, err)
	}
	t.Path = filepath.ToSlash(path)
	if t.DisplayName == "" {
		base := filepath.Base(path)
		t.DisplayName = displayName(strings.TrimSuffix(base, filepath.Ext(base)))
	}
	return t, nil
}

// ParseTorrent reads the content of a .torrent file: v1 (BEP 3) or hybrid (BEP 52). It keeps no reference to data.
func ParseTorrent(data []byte) (Torrent, error) {
	file, err := bencode.Parse(data)
	if err != nil {
		return Torrent{}, fmt.Errorf("no torrent file: %w", err)
	}
	info := file.Get("info")
	if !info.IsDict() {
		return Torrent{}, errors.New("no torrent file: it has no info dictionary")
	}
	t, err := describe(info)
	if err != nil {
		return Torrent{}, err
	}
	t.Tiers, err = readTrackers(file)
	return t, err
}

// ParseInfo reads an info dictionary alone, as peers give it for a magnet link (BEP 9). It keeps no reference to data.
func ParseInfo(data []byte) (Torrent, error) {
	info, err := bencode.Parse(data)
	switch {
	case err != nil:
		return Torrent{}, fmt.Errorf("info dictionary: %w", err)
	case !info.IsDict():
		return Torrent{}, fmt.Errorf("info dictionary: want a dictionary, got %.40q", data)
	}
	return describe(info)
}

// describe gives what an info dictionary says.
func describe(info bencode.Value) (Torrent, error) {
	metadata, err := readInfo(info)
	if err != nil {
		return Torrent{}, fmt.Errorf("info dictionary: %w", err)
	}
	t := Torrent{InfoHash: sha1.Sum(info), Metadata: metadata, MetadataKnown: true, DisplayName: displayName(metadata.Name)}
	if isV2(info) {
		hash := sha256.Sum256(info)
		t.InfoHashV2 = hash[:]
	}
	return t, nil
}
