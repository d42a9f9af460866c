package recorder

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"btda/input"
)

// exclusions are networks that are never contacted: sorted, and none within another.
type exclusions []netip.Prefix

// maxExclusionFile bounds the file of --exclude, in bytes. Lists of a whole country have a few MB.
const maxExclusionFile = 64 << 20

// readExclusions reads the file of --exclude. No path gives no exclusions.
func readExclusions(path string) (exclusions, error) {
	if path == "" {
		return nil, nil
	}
	text, err := input.ReadFile(path, maxExclusionFile)
	if err != nil {
		return nil, fmt.Errorf("the file of excluded networks cannot be read: %w", err)
	}
	list, err := parseExclusions(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// parseExclusions reads one address or prefix a line. Empty lines count for nothing, nor does what follows a #. The error joins
// those of all bad lines and names each by its number.
func parseExclusions(from io.Reader) (exclusions, error) {
	var list []netip.Prefix
	var bad []error
	lines := bufio.NewScanner(from)
	for number := 1; lines.Scan(); number++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := parseNetwork(text)
		if err != nil {
			bad = append(bad, fmt.Errorf("line %d: %w", number, err))
			continue
		}
		list = append(list, p)
	}
	bad = append(bad, lines.Err())
	return newExclusions(list), errors.Join(bad...)
}

func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("%q is no address or prefix: want one such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32", text)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func newExclusions(list []netip.Prefix) exclusions {
	slices.SortFunc(list, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	var kept exclusions
	for _, p := range list {
		if len(kept) == 0 || !kept[len(kept)-1].Contains(p.Addr()) {
			kept = append(kept, p)
		}
	}
	return kept
}

// contain tells whether an address is in one of the networks.
func (e exclusions) contain(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	after, found := slices.BinarySearchFunc(e, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	return found || after > 0 && e[after-1].Contains(a)
}
