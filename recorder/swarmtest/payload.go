package swarmtest

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"btda/events"
	"btda/input/bencode"
)

// Payload is the content of a torrent, and the torrent file about it.
type Payload struct {
	InfoHash    events.InfoHash
	Torrent     []byte // the .torrent file
	PieceCount  int
	PieceLength int // bytes

	inside info
	data   []byte
}

// PayloadOptions chooses a payload. The same options give the same payload and info hash.
type PayloadOptions struct {
	Name        string // of its one file
	Pieces      int
	PieceLength int // bytes; a power of two
	Seed        uint64
	Private     bool     // BEP 27
	Trackers    []string // announce URLs, one tier each (BEP 12)
}

type torrentFile struct {
	Announce string     `bencode:"announce,omitempty"`
	Tiers    [][]string `bencode:"announce-list,omitempty"`
	Info     info       `bencode:"info"`
}

type info struct {
	Length      int64  `bencode:"length"`
	Name        string `bencode:"name"`
	PieceLength int64  `bencode:"piece length"`
	Pieces      string `bencode:"pieces"`
	Private     int64  `bencode:"private,omitempty"`
}

// NewPayload makes a payload of random bytes.
func NewPayload(o PayloadOptions) (*Payload, error) {
	p := &Payload{PieceCount: o.Pieces, PieceLength: o.PieceLength, data: make([]byte, o.Pieces*o.PieceLength)}
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], o.Seed)
	rand.NewChaCha8(seed).Read(p.data) // never fails
	p.inside = info{Length: int64(len(p.data)), Name: o.Name, PieceLength: int64(o.PieceLength)}
	for at := 0; at < len(p.data); at += o.PieceLength {
		sum := sha1.Sum(p.data[at : at+o.PieceLength])
		p.inside.Pieces += string(sum[:])
	}
	if o.Private {
		p.inside.Private = 1
	}
	encoded, err := bencode.Marshal(p.inside)
	if err != nil {
		return nil, fmt.Errorf("swarmtest: info dictionary: %w", err)
	}
	p.InfoHash = sha1.Sum(encoded)
	p.Torrent, err = p.TorrentFor(o.Trackers...)
	return p, err
}

// TorrentFor makes a .torrent file about the same content with trackers of its own, given as announce URLs, one tier each.
func (p *Payload) TorrentFor(trackers ...string) ([]byte, error) {
	outside := torrentFile{Info: p.inside}
	for _, t := range trackers {
		outside.Tiers = append(outside.Tiers, []string{t})
	}
	if len(trackers) > 0 {
		outside.Announce = trackers[0]
	}
	encoded, err := bencode.Marshal(outside)
	if err != nil {
		return nil, fmt.Errorf("swarmtest: torrent file: %w", err)
	}
	return encoded, nil
}

// Save writes the first pieces of the content as its one file into a folder.
func (p *Payload) Save(folder string, pieces int) error {
	return os.WriteFile(filepath.Join(folder, p.inside.Name), p.data[:pieces*p.PieceLength], 0o644)
}
