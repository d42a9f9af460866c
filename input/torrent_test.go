package input_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	theirs "github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"

	"btda/events"
	"btda/input"
	"btda/input/bencode"
)

// dict is a bencoded dictionary to be.
type dict map[string]any

// with gives a copy in which some keys have other values; nil takes a key out.
func (d dict) with(changes dict) dict {
	changed := dict{}
	for _, from := range []dict{d, changes} {
		for key, value := range from {
			changed[key] = value
			if value == nil {
				delete(changed, key)
			}
		}
	}
	return changed
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := bencode.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func hashes(pieces int) string { return strings.Repeat("0123456789abcdefghij", pieces) }

func singleInfo() dict {
	return dict{"name": "cat.iso", "piece length": 16384, "pieces": hashes(3), "length": 40000}
}

func multiInfo() dict {
	return dict{"name": "cats", "piece length": 16384, "pieces": hashes(3), "files": []dict{
		{"length": 20000, "path": []string{"a", "b.txt"}},
		{"length": 12768, "path": []string{".pad", "12768"}, "attr": "p"},
		{"length": 1, "path": []string{"c.txt"}, "attr": "x"},
	}}
}

func hybridInfo() dict {
	return multiInfo().with(dict{"meta version": 2, "file tree": dict{"c.txt": dict{"": dict{"length": 1, "pieces root": strings.Repeat("r", 32)}}}})
}

func TestParseTorrent(t *testing.T) {
	for name, c := range map[string]struct {
		info dict
		want events.Metadata
	}{
		"single file":       {singleInfo(), events.Metadata{Name: "cat.iso", PieceCount: 3, PieceLength: 16384, TotalLength: 40000, FileCount: 1}},
		"private":           {singleInfo().with(dict{"private": 1}), events.Metadata{Name: "cat.iso", PieceCount: 3, PieceLength: 16384, TotalLength: 40000, FileCount: 1, Private: true}},
		"private 0":         {singleInfo().with(dict{"private": 0}), events.Metadata{Name: "cat.iso", PieceCount: 3, PieceLength: 16384, TotalLength: 40000, FileCount: 1}},
		"files and padding": {multiInfo(), events.Metadata{Name: "cats", PieceCount: 3, PieceLength: 16384, TotalLength: 32769, FileCount: 2}},
		"hybrid":            {hybridInfo(), events.Metadata{Name: "cats", PieceCount: 3, PieceLength: 16384, TotalLength: 32769, FileCount: 2}},
		"full last piece":   {singleInfo().with(dict{"length": 3 * 16384}), events.Metadata{Name: "cat.iso", PieceCount: 3, PieceLength: 16384, TotalLength: 49152, FileCount: 1}},
		"one byte in last":  {singleInfo().with(dict{"length": 2*16384 + 1}), events.Metadata{Name: "cat.iso", PieceCount: 3, PieceLength: 16384, TotalLength: 32769, FileCount: 1}},
		"name in UTF-8":     {singleInfo().with(dict{"name.utf-8": "cät"}), events.Metadata{Name: "cät", PieceCount: 3, PieceLength: 16384, TotalLength: 40000, FileCount: 1}},
		"no name":           {singleInfo().with(dict{"name": nil}), events.Metadata{PieceCount: 3, PieceLength: 16384, TotalLength: 40000, FileCount: 1}},
		"most pieces":       {singleInfo().with(dict{"pieces": hashes(1 << 21), "piece length": 1, "length": 1 << 21}), events.Metadata{Name: "cat.iso", PieceCount: 1 << 21, PieceLength: 1, TotalLength: 1 << 21, FileCount: 1}},
		"largest piece":     {singleInfo().with(dict{"piece length": 1 << 32, "length": 3 << 32}), events.Metadata{Name: "cat.iso", PieceCount: 3, PieceLength: 1 << 32, TotalLength: 3 << 32, FileCount: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			info := encode(t, c.info)
			got, err := input.ParseTorrent(encode(t, dict{"info": bencode.Raw(info)}))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Size = uint32(len(info))
			if got.Metadata != c.want || !got.MetadataKnown || got.Magnet {
				t.Errorf("metadata\n got %+v\nwant %+v", got.Metadata, c.want)
			}
			if want := events.InfoHash(sha1.Sum(info)); got.InfoHash != want {
				t.Errorf("info hash %v, want %v", got.InfoHash, want)
			}
		})
	}
}

func TestInfoHashIsOfTheBytesInTheFile(t *testing.T) {
	// Unsorted keys: encoded anew, the dictionary would have another hash.
	info := fmt.Sprintf("d6:pieces20:%s4:name1:n12:piece lengthi10e6:lengthi7ee", hashes(1))
	got, err := input.ParseTorrent([]byte("d4:info" + info + "e"))
	if err != nil {
		t.Fatal(err)
	}
	if want := events.InfoHash(sha1.Sum([]byte(info))); got.InfoHash != want {
		t.Errorf("info hash %v, want %v", got.InfoHash, want)
	}
}

func TestHybridTorrentHasBothHashes(t *testing.T) {
	info := encode(t, hybridInfo())
	got, err := input.ParseTorrent(encode(t, dict{"info": bencode.Raw(info)}))
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(info); !bytes.Equal(got.InfoHashV2, want[:]) {
		t.Errorf("v2 info hash %x, want %x", got.InfoHashV2, want)
	}
	v1, err := input.ParseTorrent(encode(t, dict{"info": multiInfo()}))
	if err != nil || v1.InfoHashV2 != nil {
		t.Errorf("v2 info hash of a v1 torrent %x, %v", v1.InfoHashV2, err)
	}
}

func TestTorrentForV2OnlyIsRefused(t *testing.T) {
	info := hybridInfo().with(dict{"pieces": nil, "files": nil})
	_, err := input.ParseTorrent(encode(t, dict{"info": info}))
	if !errors.Is(err, input.ErrNoInfoHash) || !strings.Contains(err.Error(), "no v1 info hash, cannot be observed") {
		t.Errorf("error %v, want %v", err, input.ErrNoInfoHash)
	}
}

func TestParseTorrentRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		info dict
		want string // in the error
	}{
		"no pieces":          {singleInfo().with(dict{"pieces": nil}), "no piece"},
		"no piece at all":    {singleInfo().with(dict{"pieces": ""}), "no piece"},
		"half a hash":        {singleInfo().with(dict{"pieces": hashes(3) + "x"}), "61 bytes"},
		"pieces a number":    {singleInfo().with(dict{"pieces": 3}), "want a string"},
		"too many pieces":    {singleInfo().with(dict{"pieces": hashes(1<<21 + 1)}), "2097153 pieces"},
		"no piece length":    {singleInfo().with(dict{"piece length": nil}), "piece length"},
		"piece length 0":     {singleInfo().with(dict{"piece length": 0}), "piece length"},
		"negative":           {singleInfo().with(dict{"piece length": -1}), "piece length"},
		"piece length a lot": {singleInfo().with(dict{"piece length": 1<<32 + 1}), "piece length"},
		"no length":          {singleInfo().with(dict{"length": nil}), "neither"},
		"length and files":   {multiInfo().with(dict{"length": 1}), "both"},
		"too short":          {singleInfo().with(dict{"length": 2 * 16384}), "the files have 32768"},
		"too long":           {singleInfo().with(dict{"length": 3*16384 + 1}), "the files have 49153"},
		"negative length":    {singleInfo().with(dict{"length": -40000}), "length"},
		"length a string":    {singleInfo().with(dict{"length": "40000"}), "length"},
		"files no list":      {multiInfo().with(dict{"files": "a"}), "want a list"},
		"file no dictionary": {multiInfo().with(dict{"files": []int{7}}), "file 0"},
		"file sans length":   {multiInfo().with(dict{"files": []dict{{"length": 1}, {"path": []string{"x"}}}}), "file 1"},
		"negative file":      {multiInfo().with(dict{"files": []dict{{"length": 40000}, {"length": -1}}}), "file 1"},
		"sum beyond 64 bits": {multiInfo().with(dict{"files": []dict{{"length": int64(1<<63 - 1)}, {"length": int64(1<<63 - 1)}, {"length": 40002}}}), "beyond 64 bits"},
		"name a list":        {singleInfo().with(dict{"name": []string{"x"}}), "name"},
		"private a string":   {singleInfo().with(dict{"private": "1"}), "private"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := input.ParseTorrent(encode(t, dict{"info": c.info}))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestParseTorrentRefusesWhatIsNone(t *testing.T) {
	for _, data := range []string{"", "<html>", "le", "i1e", "de", "d4:infolee", "d4:infoi1ee", "d4:infodee", "d4:infod6:lengthi1e"} {
		if _, err := input.ParseTorrent([]byte(data)); err == nil {
			t.Errorf("ParseTorrent(%q): no error", data)
		}
	}
}

func TestTrackers(t *testing.T) {
	for name, c := range map[string]struct {
		file dict
		want []events.TrackerTier
	}{
		"none":                 {dict{}, nil},
		"announce":             {dict{"announce": "http://a/announce"}, []events.TrackerTier{{"http://a/announce"}}},
		"empty announce":       {dict{"announce": ""}, nil},
		"list instead":         {dict{"announce": "http://x", "announce-list": [][]string{{"http://a", "udp://b"}, {"http://c"}}}, []events.TrackerTier{{"http://a", "udp://b"}, {"http://c"}}},
		"empty list":           {dict{"announce": "http://x", "announce-list": [][]string{{}, {""}}}, []events.TrackerTier{{"http://x"}}},
		"each once":            {dict{"announce-list": [][]string{{"http://a", "http://a"}, {"http://a"}, {" http://b\n"}}}, []events.TrackerTier{{"http://a"}, {"http://b"}}},
		"strings in the list":  {dict{"announce-list": []string{"http://a", "http://b"}}, []events.TrackerTier{{"http://a"}, {"http://b"}}},
		"what is no URL stays": {dict{"announce": "not a URL"}, []events.TrackerTier{{"not a URL"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := input.ParseTorrent(encode(t, c.file.with(dict{"info": singleInfo()})))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Tiers, c.want) {
				t.Errorf("tiers %q, want %q", got.Tiers, c.want)
			}
		})
	}
}

func TestTrackersRefused(t *testing.T) {
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprintf("http://%d", i)
	}
	for name, file := range map[string]dict{
		"announce a number":    {"announce": 1},
		"list a string":        {"announce-list": "http://a"},
		"number in the list":   {"announce-list": []int{1}},
		"number in a tier":     {"announce-list": [][]int{{1}}},
		"too many":             {"announce-list": [][]string{many}},
		"an URL without bound": {"announce": "http://" + strings.Repeat("a", 5000)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := input.ParseTorrent(encode(t, file.with(dict{"info": singleInfo()}))); err == nil || !strings.Contains(err.Error(), "announce") {
				t.Errorf("error %v, want one about announce", err)
			}
		})
	}
}

func TestDisplayName(t *testing.T) {
	for name, want := range map[string]string{
		"cät 猫":                    "cät 猫",
		"a\x1b[31mb\nc\x00":        "a\uFFFD[31mb\uFFFDc\uFFFD",
		"gpj.\u202ecat":            "gpj.\uFFFDcat",
		"\xff\xfe":                 "\uFFFD\uFFFD",
		"  spaces  ":               "spaces",
		strings.Repeat("猫", 300):   strings.Repeat("猫", 255),
		"../../etc/passwd":         "../../etc/passwd",
		strings.Repeat("a", 70000): strings.Repeat("a", 255),
	} {
		got, err := input.ParseTorrent(encode(t, dict{"info": singleInfo().with(dict{"name": name})}))
		if err != nil {
			t.Fatal(err)
		}
		if got.DisplayName != want || got.Metadata.Name != name {
			t.Errorf("%.60q is shown as %.60q, want %.60q; kept as %.60q", name, got.DisplayName, want, got.Metadata.Name)
		}
	}
}

// Another maker's torrents are read as it reads them itself.
func TestTorrentsOfAnotherMaker(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "two cats")
	writeFile(t, filepath.Join(folder, "deep", "one.bin"), bytes.Repeat([]byte("1"), 100_000))
	writeFile(t, filepath.Join(folder, "two.bin"), bytes.Repeat([]byte("2"), 33))
	for name, content := range map[string]string{"folder": folder, "file": filepath.Join(folder, "deep", "one.bin")} {
		t.Run(name, func(t *testing.T) {
			info := metainfo.Info{PieceLength: 32 << 10}
			if err := info.BuildFromFilePath(content); err != nil {
				t.Fatal(err)
			}
			made := metainfo.MetaInfo{InfoBytes: theirs.MustMarshal(info), AnnounceList: [][]string{{"http://127.0.0.1/announce"}}}
			var file bytes.Buffer
			if err := made.Write(&file); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "made.torrent")
			writeFile(t, path, file.Bytes())

			got, err := input.ReadTorrent(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.InfoHash != events.InfoHash(made.HashInfoBytes()) || got.Path != filepath.ToSlash(path) || got.DisplayName != info.Name {
				t.Errorf("read %+v, made with hash %v and name %q", got, made.HashInfoBytes(), info.Name)
			}
			m := got.Metadata
			if int(m.PieceCount) != info.NumPieces() || int64(m.TotalLength) != info.TotalLength() || int64(m.PieceLength) != info.PieceLength || int(m.FileCount) != len(info.UpvertedFiles()) {
				t.Errorf("read %+v, made %d pieces, %d bytes", m, info.NumPieces(), info.TotalLength())
			}
		})
	}
}

func TestReadTorrentRefuses(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.torrent")
	writeFile(t, large, nil)
	if err := os.Truncate(large, input.MaxTorrentSize+1); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe.torrent")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.torrent")
	writeFile(t, broken, []byte("d4:info"))
	for _, path := range []string{large, pipe, broken, dir, filepath.Join(dir, "missing.torrent")} {
		if _, err := input.ReadTorrent(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one that names %s", err, path)
		}
	}
}

func TestTorrentWithoutNameIsShownByItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my cats.torrent")
	writeFile(t, path, encode(t, dict{"info": singleInfo().with(dict{"name": nil})}))
	got, err := input.ReadTorrent(path)
	if err != nil || got.DisplayName != "my cats" {
		t.Errorf("shown as %q, %v", got.DisplayName, err)
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
