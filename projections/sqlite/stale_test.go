package sqlite

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// names lists a folder.
func names(t *testing.T, folder string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// What a killed process left is removed; what another writes, and what only looks alike, is not.
func TestStaleFilesAreRemoved(t *testing.T) {
	folder := t.TempDir()
	final := filepath.Join(folder, "a.sqlite")
	running, err := createTemporary(final)
	if err != nil {
		t.Fatal(err)
	}
	others := []string{".a.sqlite.01.tmp", ".a.sqlite.x.tmp", ".b.sqlite.1.tmp", ".xa.sqlite.1.tmp", "a.sqlite.1.tmp", ".a.sqlite.-.tmp"}
	for _, name := range append([]string{".a.sqlite.1.tmp", ".a.sqlite.17.tmp"}, others...) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("half a result"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next, err := createTemporary(final)
	if err != nil {
		t.Fatal(err)
	}
	want := append([]string{filepath.Base(running.path), filepath.Base(next.path)}, others...)
	slices.Sort(want)
	if got := names(t, folder); !slices.Equal(got, want) || running.path == next.path {
		t.Errorf("files %q, want %q", got, want)
	}
	if err := running.remove(); err != nil {
		t.Error(err)
	}
	if err := next.publish(); err != nil {
		t.Error(err)
	}
	if got := names(t, folder); !slices.Contains(got, "a.sqlite") || slices.Contains(got, filepath.Base(running.path)) {
		t.Errorf("files %q, want the result and no temporary one of ours", got)
	}
}

// Of many that begin at one time each has a file of its own to the end.
func TestFilesOfManyAtOnce(t *testing.T) {
	final := filepath.Join(t.TempDir(), "a.sqlite")
	var writing sync.WaitGroup
	for range 8 {
		writing.Go(func() {
			for range 50 {
				mine, err := createTemporary(final)
				if err != nil {
					t.Error(err)
					return
				}
				if !stillAt(mine.held, mine.path) {
					t.Errorf("%s is not that of its writer any more", mine.path)
				}
				if err := mine.remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	if got := names(t, filepath.Dir(final)); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
}
