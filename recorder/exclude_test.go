package recorder

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExclusionsContain(t *testing.T) {
	list, err := parseExclusions(strings.NewReader(`
# networks that asked to be left alone
192.0.2.0/24      # one of them
192.0.2.128/25
198.51.100.7
::ffff:203.0.113.0/120
2001:db8::/32
10.1.2.3/8
2001:db8:1::1
`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"192.0.2.0": true, "192.0.2.255": true, "192.0.3.0": false, "192.0.1.255": false, "198.51.100.7": true, "198.51.100.8": false,
		"203.0.113.9": true, "::ffff:203.0.113.9": true, "2001:db8:ffff::1": true, "2001:db9::": false, "10.255.0.1": true, "11.0.0.0": false,
		"9.255.255.255": false, "::": false, "fe80::1%eth0": false, "0.0.0.0": false,
	} {
		if got := list.contain(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s excluded: %v, want %v", text, got, want)
		}
	}
	if len(list) != 5 {
		t.Errorf("%d networks kept, want 5, none within another: %v", len(list), list)
	}
}

func TestBadExclusionsAreNamedByTheirLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exclude")
	if err := os.WriteFile(path, []byte("192.0.2.0/24\nexample.org\n\n192.0.2.0/33\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := readExclusions(path)
	for _, want := range []string{path, "line 2", "example.org", "line 4", "192.0.2.0/33"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %q", err, want)
		}
	}
	if _, err := readExclusions(path + ".missing"); err == nil {
		t.Error("no error for a file that does not exist")
	}
	if list, err := readExclusions(""); err != nil || list.contain(netip.MustParseAddr("192.0.2.1")) {
		t.Errorf("no file: %v, %v; want no exclusion and no error", list, err)
	}
}

func FuzzExclusions(f *testing.F) {
	f.Add("192.0.2.0/24\n10.0.0.0/8\n", "192.0.2.9")
	f.Add("::/0 # all\n", "::1")
	f.Add("1.2.3.4\n1.2.3.4/30\n", "1.2.3.5")
	f.Add("10.0.0.0/8\n10.1.0.0/16\n10.2.0.0/16\n", "10.3.0.1")
	f.Fuzz(func(t *testing.T, text, address string) {
		list, err := parseExclusions(strings.NewReader(text))
		a, bad := netip.ParseAddr(address)
		if err != nil || bad != nil {
			return
		}
		want := false
		for line := range strings.Lines(text) {
			line, _, _ = strings.Cut(line, "#")
			if p, err := parseNetwork(strings.TrimSpace(line)); err == nil {
				want = want || p.Contains(a.Unmap().WithZone(""))
			}
		}
		if got := list.contain(a); got != want {
			t.Errorf("%v in %v: %v, want %v", a, list, got, want)
		}
	})
}
