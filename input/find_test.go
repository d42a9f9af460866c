package input_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"btda/input"
)

// torrentNamed is the content of a .torrent file; another name gives another info hash.
func torrentNamed(t *testing.T, name string) []byte {
	return encode(t, dict{"info": singleInfo().with(dict{"name": name})})
}

func symlink(t *testing.T, link string, target string) {
	t.Helper()
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
}

func paths(torrents []input.Torrent) (paths []string) {
	for _, t := range torrents {
		paths = append(paths, t.Path)
	}
	return paths
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for path, name := range map[string]string{
		"b.torrent": "b", "a/z.torrent": "z", "a/deep/deeper/y.TORRENT": "y", "c.torrent.bak": "no",
		"testdata/x.torrent": "x", "a/testdata/x.torrent": "x", ".git/x.torrent": "x", "._b.torrent": "x",
		"a/again.torrent": "b", "z/again.torrent": "b",
	} {
		writeFile(t, filepath.Join(dir, path), torrentNamed(t, name))
	}
	writeFile(t, filepath.Join(dir, "broken.torrent"), []byte("no"))
	writeFile(t, filepath.Join(dir, "notes.txt"), []byte("no"))

	found, err := input.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(found.Torrents), []string{"a/again.torrent", "a/deep/deeper/y.TORRENT", "a/z.torrent"}; !reflect.DeepEqual(got, want) {
		t.Errorf("torrents %q, want %q", got, want)
	}
	if want := []input.Duplicate{{Path: "b.torrent", Of: "a/again.torrent"}, {Path: "z/again.torrent", Of: "a/again.torrent"}}; !reflect.DeepEqual(found.Duplicates, want) {
		t.Errorf("duplicates %+v, want %+v", found.Duplicates, want)
	}
	if len(found.Broken) != 1 || found.Broken[0].Path != "broken.torrent" || found.Broken[0].Err == nil {
		t.Errorf("broken %+v, want broken.torrent", found.Broken)
	}
}

func TestFindFollowsLinksAndEndsInLoops(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(elsewhere, "linked.torrent"), torrentNamed(t, "linked"))
	writeFile(t, filepath.Join(dir, "sub", "here.torrent"), torrentNamed(t, "here"))
	symlink(t, filepath.Join(dir, "elsewhere"), elsewhere)
	symlink(t, filepath.Join(dir, "sub", "loop"), dir)
	symlink(t, filepath.Join(elsewhere, "back"), dir)
	symlink(t, filepath.Join(dir, "itself"), filepath.Join(dir, "itself"))
	symlink(t, filepath.Join(dir, "dangling.torrent"), filepath.Join(dir, "nowhere"))
	link := filepath.Join(t.TempDir(), "input")
	symlink(t, link, dir)

	found, err := input.Find(link)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(found.Torrents), []string{"elsewhere/linked.torrent", "sub/here.torrent"}; !reflect.DeepEqual(got, want) {
		t.Errorf("torrents %q, want %q", got, want)
	}
	if len(found.Broken) != 1 || found.Broken[0].Path != "dangling.torrent" {
		t.Errorf("broken %+v, want dangling.torrent", found.Broken)
	}
}

func TestFindNamesAFolderThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "a.torrent"), torrentNamed(t, "a"))
	long := filepath.Join(dir, "folder.torrent")
	writeFile(t, filepath.Join(long, "b.torrent"), torrentNamed(t, "b"))

	found, err := input.Find(dir)
	if err != nil || len(found.Torrents) != 2 {
		t.Errorf("a folder with the name of a file: %q, %v", paths(found.Torrents), err)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := input.Find(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v, want that %s does not exist", err, missing)
	}
	if _, err := input.Find(filepath.Join(dir, "a.torrent")); err == nil {
		t.Error("a file instead of a folder: no error")
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	a, b, again, broken := filepath.Join(dir, "a.torrent"), filepath.Join(dir, "b"), filepath.Join(dir, "again.torrent"), filepath.Join(dir, "broken.torrent")
	writeFile(t, a, torrentNamed(t, "a"))
	writeFile(t, b, torrentNamed(t, "b"))
	writeFile(t, again, torrentNamed(t, "a"))
	writeFile(t, broken, []byte("no"))

	found, err := input.Read(b, a, again)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(found.Torrents), []string{b, a}; !reflect.DeepEqual(got, want) {
		t.Errorf("torrents %q, want %q", got, want)
	}
	if want := []input.Duplicate{{Path: again, Of: a}}; !reflect.DeepEqual(found.Duplicates, want) {
		t.Errorf("duplicates %+v, want %+v", found.Duplicates, want)
	}
	if _, err := input.Read(a, broken); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("error %v, want one that names %s", err, broken)
	}
}
