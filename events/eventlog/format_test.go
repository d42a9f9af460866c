package eventlog

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
	"btda/events/eventstest"
)

var rewrite = flag.Bool("rewrite", false, "write golden folders that are not there")

// TestFormatPage holds the tables of FORMAT.md against the constants.
func TestFormatPage(t *testing.T) {
	page, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\d+) \| (\d*) ?\|`)
	var offsets []int
	end := 0
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		offset, _ := strconv.Atoi(m[1])
		if offset != end && offset != 0 {
			t.Errorf("offset %d, but the field before ends at %d", offset, end)
		}
		size, _ := strconv.Atoi(m[2])
		end = offset + size
		offsets = append(offsets, offset)
	}
	want := []int{0, headerFlags, headerFirst, headerCount, headerTime, headerSynced, headerPrevious, headerSize, 0, 1, 9, 17, 25, sealSize}
	if !slices.Equal(offsets, want) {
		t.Errorf("the page has offsets %v, want %v", offsets, want)
	}
	for _, text := range []string{
		"# The event log on disk, version " + strconv.Itoa(FormatVersion) + "\n", "Pebble's format major version is 21,",
		strings.TrimSuffix(formatMagic, "\n"), "| 1 | one byte", "| 2 | space", "| 3 | space", "| 4 | one byte",
	} {
		if !strings.Contains(string(page), text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	spaces := []byte{spaceFormat, spaceDefinition, spaceBlock, spaceSeal}
	if !slices.Equal(spaces, []byte{1, 2, 3, 4}) || storeFormat != 21 || pebble.FormatTableFormatV6 != 21 {
		t.Error("the constants are others than those of the page")
	}
}

// goldenFolders were written by version 1: by a clean end, or left by a crash; with blocks that are not compressed, and with
// some that are.
var goldenFolders = []struct {
	name   string
	sealed bool
	packed int // blocks
}{
	{"v1-sealed.events", true, 0},
	{"v1-killed.events", false, 0},
	{"v1-packed-sealed.events", true, 2},
	{"v1-packed-killed.events", false, 2},
}

// TestGoldenFolders reads folders of every version of the format; the records of each stand in a text beside it.
func TestGoldenFolders(t *testing.T) {
	for _, golden := range goldenFolders {
		dir := filepath.Join("testdata", golden.name)
		text, err := os.ReadFile(filepath.Join("testdata", "v1.txt"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir); err != nil && *rewrite {
			writeGolden(t, dir, string(text), golden.sealed)
		}
		copied := copyToMemory(t, dir)
		v, err := Verify("/log", Options{FS: copied})
		if err != nil || v.Sealed != golden.sealed {
			t.Errorf("%s: %v, %v", golden.name, v, err)
		}
		if got := packedBlocks(t, copied); got != golden.packed {
			t.Errorf("%s has %d compressed blocks, want %d", golden.name, got, golden.packed)
		}
		if got := readText(t, copied); got != string(text) {
			t.Errorf("%s holds\n%s\nwant\n%s", golden.name, got, text)
		}
	}
}

func copyToMemory(t *testing.T, dir string) vfs.FS {
	t.Helper()
	to := vfs.NewMem()
	if ok, err := vfs.Clone(vfs.Default, to, dir, "/log"); err != nil || !ok {
		t.Fatal(ok, err)
	}
	return to
}

func packedBlocks(t *testing.T, fs vfs.FS) (n int) {
	t.Helper()
	r := openLog(t, "/log", Options{FS: fs})
	defer closed(t, r)
	blocks := &stored{store: r.store, space: spaceBlock, from: 1}
	defer blocks.close()
	for {
		_, value, ok, err := blocks.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return n
		}
		if getHeader(value).flags&flagPacked != 0 {
			n++
		}
	}
}

func readText(t *testing.T, fs vfs.FS) string {
	t.Helper()
	r, err := Open("/log", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := r.Scan(1)
	defer s.Close()
	var text strings.Builder
	for s.Next() {
		text.WriteString(eventstest.Format([]events.Record{*s.Record()}))
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return text.String()
}

func writeGolden(t *testing.T, dir, text string, sealed bool) {
	t.Helper()
	disk := vfs.NewCrashableMem()
	l, err := Create("/log", Options{FS: disk, BlockEvents: 6, SyncEvents: 6})
	if err != nil {
		t.Fatal(err)
	}
	records, err := eventstest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if _, err := l.Append(t.Context(), r.Time, r.Event); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.WaitDurable(t.Context(), l.Appended()); err != nil {
		t.Fatal(err)
	}
	killed := disk.CrashClone(vfs.CrashCloneCfg{})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	from := killed
	if sealed {
		from = disk
	}
	if ok, err := vfs.Clone(from, vfs.Default, "/log", dir); err != nil || !ok {
		t.Fatal(ok, err)
	}
}

// TestReadingChangesNothing compares a folder before and after it was read.
func TestReadingChangesNothing(t *testing.T) {
	for _, golden := range goldenFolders {
		dir := filepath.Join(t.TempDir(), "log")
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", golden.name))); err != nil {
			t.Fatal(err)
		}
		before := contents(t, dir)
		if _, err := Verify(dir, Options{}); err != nil {
			t.Fatal(err)
		}
		if after := contents(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: before\n%q\nafter\n%q", golden.name, before, after)
		}
	}
}

func contents(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, path, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
