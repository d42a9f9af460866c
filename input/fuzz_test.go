package input_test

import (
	"bytes"
	"crypto/sha1"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"btda/events"
	"btda/input"
)

// What ParseTorrent accepts has the info hash of bytes in the file, sizes that agree, and a name that can be shown.
func FuzzParseTorrent(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := input.ParseTorrent(data)
		if err != nil {
			return
		}
		m := got.Metadata
		if m.PieceCount == 0 || m.TotalLength <= uint64(m.PieceCount-1)*m.PieceLength || m.TotalLength > uint64(m.PieceCount)*m.PieceLength {
			t.Errorf("sizes do not agree: %+v", m)
		}
		if !utf8.ValidString(got.DisplayName) {
			t.Errorf("display name %q", got.DisplayName)
		}
		if !hashIsOfAPart(data, int(m.Size), got.InfoHash) {
			t.Errorf("info hash %v is not of %d bytes of %q", got.InfoHash, m.Size, data)
		}
		for _, tier := range got.Tiers {
			if len(tier) == 0 {
				t.Error("an empty tier")
			}
		}
	})
}

// Metadata that peers gave means the same as in a file, and its hash is that of what was given.
func FuzzParseInfo(f *testing.F) {
	f.Fuzz(func(t *testing.T, info []byte) {
		got, err := input.ParseInfo(info)
		inFile, wrong := input.ParseTorrent(slices.Concat([]byte("d4:info"), info, []byte("e")))
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%v, but in a file %v", err, wrong)
		}
		if err == nil && (got.InfoHash != sha1.Sum(info) || !reflect.DeepEqual(got, inFile)) {
			t.Errorf("%+v, but in a file %+v", got, inFile)
		}
	})
}

func hashIsOfAPart(data []byte, size int, hash events.InfoHash) bool {
	for at := 0; at+size <= len(data); at++ {
		if bytes.HasSuffix(data[:at], []byte("4:info")) && sha1.Sum(data[at:at+size]) == hash {
			return true
		}
	}
	return false
}

// What ParseMagnet accepts has an info hash that stands in the link, names that can be shown, and no more than its bounds.
func FuzzParseMagnet(f *testing.F) {
	f.Fuzz(func(t *testing.T, link string) {
		got, err := input.ParseMagnet(link)
		if err != nil {
			return
		}
		if !got.Magnet || got.MetadataKnown || !utf8.ValidString(got.DisplayName) || len(got.InfoHashV2)%32 != 0 {
			t.Errorf("%+v", got)
		}
		again, err := input.ParseMagnet("magnet:?xt=urn:btih:" + got.InfoHash.String())
		if err != nil || again.InfoHash != got.InfoHash {
			t.Errorf("info hash %v: %+v, %v", got.InfoHash, again, err)
		}
		for _, tier := range got.Tiers {
			if len(tier) != 1 || tier[0] == "" || len(tier[0]) > len(link) {
				t.Errorf("tier %q", tier)
			}
		}
		if len(got.Peers)+len(got.Ignored) > strings.Count(strings.ToLower(link), "x.pe") {
			t.Errorf("more peers than named: %v, %q", got.Peers, got.Ignored)
		}
		for _, p := range got.Peers {
			if !p.IsValid() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
				t.Errorf("peer %v", p)
			}
		}
	})
}
