package input

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"math"

	"btda/events"
	"btda/input/bencode"
)

const (
	// maxPieceLength is what the 32-bit offsets of a request can reach (BEP 3).
	maxPieceLength = 1 << 32
	// maxPieces bounds what one session keeps of a peer: a bitfield of 256 KiB.
	maxPieces = 1 << 21
)

// fields reads the values of a dictionary and keeps the first error.
type fields struct {
	dict bencode.Value
	err  error
}

// number reads an integer from 0 to 2^63-1; 0 where there is none.
func (f *fields) number(key string) uint64 {
	value := f.dict.Get(key)
	if value == nil {
		return 0
	}
	n, ok := value.Int()
	if !ok || n < 0 {
		f.fail("%s: want an integer from 0, got %.40q", key, []byte(value))
		return 0
	}
	return uint64(n)
}

// text reads a string; nothing where there is none.
func (f *fields) text(key string) []byte {
	value := f.dict.Get(key)
	if value == nil {
		return nil
	}
	text, ok := value.Text()
	if !ok {
		f.fail("%s: want a string, got %.40q", key, []byte(value))
	}
	return text
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// isV2 says whether an info dictionary is for BitTorrent v2 (BEP 52), be it for v1 too.
func isV2(info bencode.Value) bool {
	version, _ := info.Get("meta version").Int()
	return version == 2 && info.Get("file tree").IsDict()
}

// readInfo reads an info dictionary (BEP 3) and checks that its sizes agree.
func readInfo(info bencode.Value) (events.Metadata, error) {
	if isV2(info) && info.Get("pieces") == nil {
		return events.Metadata{}, ErrNoInfoHash
	}
	f := fields{dict: info}
	hashes, files := f.text("pieces"), readFiles(&f)
	m := events.Metadata{
		Name:        string(f.text("name")),
		PieceCount:  uint32(len(hashes) / sha1.Size),
		PieceLength: f.number("piece length"),
		TotalLength: files.bytes,
		FileCount:   files.count,
		Private:     f.number("private") != 0,
		Size:        uint32(len(info)),
	}
	if name := f.text("name.utf-8"); len(name) > 0 {
		m.Name = string(name)
	}
	if len(hashes)%sha1.Size != 0 {
		f.fail("pieces: want 20 bytes for each piece, got %d bytes", len(hashes))
	}
	if f.err != nil {
		return events.Metadata{}, f.err
	}
	return m, checkSizes(&m)
}

func checkSizes(m *events.Metadata) error {
	switch {
	case m.PieceCount == 0:
		return errors.New("pieces: it has no piece")
	case m.PieceCount > maxPieces:
		return fmt.Errorf("pieces: %d pieces, more than the %d that are supported", m.PieceCount, maxPieces)
	case m.PieceLength == 0 || m.PieceLength > maxPieceLength:
		return fmt.Errorf("piece length: want 1 to %d bytes, got %d", uint64(maxPieceLength), m.PieceLength)
	}
	// The bounds above keep the product below 2^54.
	most := uint64(m.PieceCount) * m.PieceLength
	if least := most - m.PieceLength + 1; m.TotalLength < least || m.TotalLength > most {
		return fmt.Errorf("%d pieces of %d bytes make %d to %d bytes, but the files have %d", m.PieceCount, m.PieceLength, least, most, m.TotalLength)
	}
	return nil
}

// fileSum is what the files of a torrent come to.
type fileSum struct {
	count uint32 // without padding
	bytes uint64 // with padding, because pieces go over it (BEP 47)
}

// readFiles reads the one length, or the list of files.
func readFiles(info *fields) fileSum {
	list := info.dict.Get("files")
	switch {
	case list == nil && info.dict.Get("length") == nil:
		info.fail("length: it has neither a length nor files")
		return fileSum{}
	case list == nil:
		return fileSum{count: 1, bytes: info.number("length")}
	case info.dict.Get("length") != nil:
		info.fail("files: it has both a length and files")
		return fileSum{}
	case !list.IsList():
		info.fail("files: want a list, got %.40q", []byte(list))
		return fileSum{}
	}
	return sumFiles(info, list)
}

func sumFiles(info *fields, list bencode.Value) (sum fileSum) {
	index := 0
	for entry := range list.List() {
		file := fields{dict: entry}
		length, attributes := file.number("length"), file.text("attr")
		if !entry.IsDict() || entry.Get("length") == nil {
			file.fail("want a dictionary with a length")
		}
		if sum.bytes += length; sum.bytes > math.MaxInt64 {
			file.fail("the sum of the lengths is beyond 64 bits")
		}
		if file.err != nil {
			info.fail("file %d of the list: %w", index, file.err)
			return sum
		}
		if !bytes.ContainsRune(attributes, 'p') {
			sum.count++
		}
		index++
	}
	return sum
}
