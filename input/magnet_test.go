package input_test

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"btda/events"
	"btda/input"
)

const magnetHash = "0123456789abcdef0123456789abcdef01234567"

// magnetOf is a link for magnetHash with more parts.
func magnetOf(parts ...string) string {
	return strings.Join(append([]string{"magnet:?xt=urn:btih:" + magnetHash}, parts...), "&")
}

func inBase32(t *testing.T, hash string) string {
	t.Helper()
	raw, err := hex.DecodeString(hash)
	if err != nil {
		t.Fatal(err)
	}
	return base32.StdEncoding.EncodeToString(raw)
}

func infoHashOf(t *testing.T, digits string) (hash events.InfoHash) {
	t.Helper()
	if err := hash.UnmarshalText([]byte(digits)); err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestParseMagnet(t *testing.T) {
	v2 := strings.Repeat("cd", 32)
	for name, c := range map[string]struct {
		link string
		want input.Torrent
	}{
		"only a hash": {magnetOf(), input.Torrent{}},
		"upper case":  {"MAGNET:?XT=URN:BTIH:" + strings.ToUpper(magnetHash), input.Torrent{}},
		"base32":      {"magnet:?xt=urn:btih:" + inBase32(t, magnetHash), input.Torrent{}},
		"small base32": {"magnet:?xt=urn:btih:" + strings.ToLower(inBase32(t, magnetHash)),
			input.Torrent{}},
		"named twice": {magnetOf("xt=urn:btih:" + inBase32(t, magnetHash)), input.Torrent{}},
		"name":        {magnetOf("dn=cats+and%20d%C3%B6gs%1b", "dn=no"), input.Torrent{DisplayName: "cats and dögs\uFFFD"}},
		"trackers, each a tier of its own": {magnetOf("tr=http%3A%2F%2Fa%2Fannounce%3Fk%3Da+b", "tr.1=udp://b:1", "tr=udp://b:1", "tr="),
			input.Torrent{Tiers: []events.TrackerTier{{"http://a/announce?k=a+b"}, {"udp://b:1"}}}},
		"peers": {magnetOf("x.pe=192.0.2.7:6881", "x.pe=%5B2001:db8::7%5D:1", "x.pe=[::ffff:192.0.2.7]:6881"),
			input.Torrent{Peers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:6881"), netip.MustParseAddrPort("[2001:db8::7]:1")}}},
		"with a v2 hash": {magnetOf("xt=urn:btmh:1220" + v2), input.Torrent{InfoHashV2: []byte(strings.Repeat("\xcd", 32))}},
		"what is passed over": {magnetOf("so=0,2,4-8", "ws=http://x", "xs=y", "kt=a+b", "xl=12", "xt=urn:sha1:ABC", "", "tr", "=", "%zz=%zz"),
			input.Torrent{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := input.ParseMagnet(c.link)
			if err != nil {
				t.Fatal(err)
			}
			c.want.InfoHash, c.want.Magnet = infoHashOf(t, magnetHash), true
			if !reflect.DeepEqual(got.Torrent, c.want) || got.Ignored != nil {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// No name is looked up for a peer: the user learns which are left out.
func TestParseMagnetNamesPeersThatItLeavesOut(t *testing.T) {
	for _, peer := range []string{"example.org:6881", "192.0.2.7", "192.0.2.7:70000", "[fe80::1%25eth0]:1", ""} {
		got, err := input.ParseMagnet(magnetOf("x.pe="+peer, "x.pe=192.0.2.8:1"))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Peers) != 1 || len(got.Ignored) != 1 || !strings.Contains(got.Ignored[0], "want IP:PORT") {
			t.Errorf("%s: %+v", peer, got)
		}
	}
}

func TestParseMagnetErrors(t *testing.T) {
	for name, c := range map[string]struct{ link, want string }{
		"no link":          {"http://a", `want "magnet:?"`},
		"only the scheme":  {"magnet:", `want "magnet:?"`},
		"no topic":         {"magnet:?dn=cats", "xt=urn:btih:"},
		"topic of another": {"magnet:?xt=urn:sha1:ABC", "xt=urn:btih:"},
		"short hash":       {"magnet:?xt=urn:btih:abc", "40 hexadecimal digits"},
		"no hexadecimal":   {"magnet:?xt=urn:btih:" + strings.Repeat("x", 40), "40 hexadecimal digits"},
		"no base32":        {"magnet:?xt=urn:btih:" + strings.Repeat("1", 32), "base32"},
		"two torrents":     {magnetOf("xt=urn:btih:" + strings.Repeat("a", 40)), "second torrent"},
		"v2 hash":          {magnetOf("xt=urn:btmh:1220abc"), "64 hexadecimal digits"},
		"other multihash":  {magnetOf("xt=urn:btmh:1114" + strings.Repeat("a", 40)), "want 1220"},
		"escape":           {magnetOf("dn=%zz"), "dn=%zz"},
		"too long":         {magnetOf("dn=" + strings.Repeat("a", 64<<10)), "more than 65536"},
		"too many peers":   {magnetOf(many("x.pe=10.0.%d.%d:1", 1001)...), "more than 1000 peers"},
		"long tracker":     {magnetOf("tr=http://" + strings.Repeat("a", 4096)), "more than 4096"},
		"many trackers":    {magnetOf(many("tr=udp://%d.%d", 1001)...), "more than 1000 trackers"},
	} {
		if got, err := input.ParseMagnet(c.link); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, want an error with %q", name, got, err, c.want)
		}
	}
	if _, err := input.ParseMagnet("magnet:?xt=urn:btmh:1220" + strings.Repeat("ab", 32)); !errors.Is(err, input.ErrNoInfoHash) {
		t.Errorf("v2 only: %v, want ErrNoInfoHash", err)
	}
}

func many(format string, n int) (parts []string) {
	for i := range n {
		parts = append(parts, fmt.Sprintf(format, i/256, i%256))
	}
	return parts
}

// A bad line is named with its number, and the rest goes on.
func TestFindReadsMagnetFile(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "a.torrent"), torrentNamed(t, "a"))
	a, err := input.ReadTorrent(filepath.Join(dir, "a.torrent"))
	if err != nil {
		t.Fatal(err)
	}
	second := "magnet:?xt=urn:btih:" + strings.Repeat("b", 40)
	writeFile(t, filepath.Join(dir, input.MagnetFile), []byte("\uFEFF# links\r\n\r\n"+magnetOf("dn=first", "x.pe=host:1")+"\r\n  \n"+
		"magnet:?xt=urn:btih:12\n"+second+"&tr=udp://x:1\nnonsense\n"+magnetOf("tr=udp://new:1", "x.pe=192.0.2.1:1")+"\n"+
		"magnet:?xt=urn:btih:"+a.InfoHash.String()+"&x.pe=192.0.2.2:2"))
	found, err := input.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Torrents) != 3 || found.Torrents[0].Path != "a.torrent" || found.Torrents[1].DisplayName != "first" || !found.Torrents[2].Magnet || found.Torrents[2].Path != "" {
		t.Fatalf("torrents %+v", found.Torrents)
	}
	want := []input.Duplicate{{Path: "magnet.txt:8", Of: "magnet.txt:3", Added: 2}, {Path: "magnet.txt:9", Of: "a.torrent", Added: 1}}
	if !reflect.DeepEqual(found.Duplicates, want) {
		t.Errorf("duplicates %+v, want %+v", found.Duplicates, want)
	}
	if got := found.Torrents[1]; len(got.Tiers) != 1 || got.Tiers[0][0] != "udp://new:1" || len(got.Peers) != 1 {
		t.Errorf("what the second link added is not there: %+v", got)
	}
	if got := found.Torrents[0]; got.Magnet || !got.MetadataKnown || len(got.Peers) != 1 {
		t.Errorf("the file does not count, with what the link adds: %+v", got)
	}
	if got := pathsOf(found.Broken); !reflect.DeepEqual(got, []string{"magnet.txt:5", "magnet.txt:7"}) {
		t.Errorf("broken %q", found.Broken)
	}
	if got := pathsOf(found.Ignored); !reflect.DeepEqual(got, []string{"magnet.txt:3"}) {
		t.Errorf("ignored %q", found.Ignored)
	}
}

func pathsOf(broken []input.Broken) (paths []string) {
	for _, b := range broken {
		paths = append(paths, b.Path)
	}
	return paths
}

// The peers of a private torrent come from its own trackers (BEP 27).
func TestMagnetsAddNothingToPrivateTorrents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "private.torrent")
	writeFile(t, path, encode(t, dict{"info": singleInfo().with(dict{"private": 1})}))
	private, err := input.ReadTorrent(path)
	if err != nil {
		t.Fatal(err)
	}
	found, err := input.Read("magnet:?xt=urn:btih:"+private.InfoHash.String()+"&tr=udp://x:1&x.pe=192.0.2.1:1", path)
	if err != nil || len(found.Torrents) != 1 || len(found.Torrents[0].Tiers)+len(found.Torrents[0].Peers) != 0 {
		t.Errorf("found %+v, %v", found, err)
	}
	if want := []input.Duplicate{{Path: "argument 1", Of: filepath.ToSlash(path)}}; !reflect.DeepEqual(found.Duplicates, want) {
		t.Errorf("duplicates %+v, want %+v", found.Duplicates, want)
	}
}

func TestReadNamesBadMagnets(t *testing.T) {
	found, err := input.Read(magnetOf(), "magnet:?xt=urn:btih:12", "missing.torrent")
	if err == nil || !strings.Contains(err.Error(), "argument 2: xt") || !strings.Contains(err.Error(), "missing.torrent") || len(found.Torrents) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestMagnetFileIsBounded(t *testing.T) {
	dir := t.TempDir()
	var lines strings.Builder
	for i := range 10_002 {
		fmt.Fprintf(&lines, "magnet:?xt=urn:btih:%040x\n", i)
	}
	writeFile(t, filepath.Join(dir, input.MagnetFile), []byte(lines.String()))
	found, err := input.Find(dir)
	if err != nil || len(found.Torrents) != 10_000 || !reflect.DeepEqual(pathsOf(found.Broken), []string{"magnet.txt:10001"}) {
		t.Errorf("%d torrents, broken %v, %v", len(found.Torrents), found.Broken, err)
	}
	writeFile(t, filepath.Join(dir, input.MagnetFile), make([]byte, 16<<20+1))
	if found, err = input.Find(dir); err != nil || !reflect.DeepEqual(pathsOf(found.Broken), []string{"magnet.txt"}) {
		t.Errorf("broken %v, %v", found.Broken, err)
	}
}
