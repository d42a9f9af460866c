package input

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// visitor is told what a walk comes across.
type visitor struct {
	wants  func(name string) bool
	file   func(path string)            // a file that it wants
	broken func(path string, err error) // such a file, or a folder, that cannot be looked into
}

// walk shows the files of a folder and of all below it, in the order of their names. It follows symbolic links and enters no folder twice.
func walk(dir string, v visitor) error {
	w := walker{visitor: v, entered: make(map[string]bool)}
	entries, err := w.enter(dir)
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, err)
	}
	w.entries(dir, entries)
	return nil
}

type walker struct {
	visitor
	entered map[string]bool // folders by their path without symbolic links
}

// enter lists a folder; nothing of it where it was listed before.
func (w *walker) enter(dir string) ([]fs.DirEntry, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	if real, err = filepath.Abs(real); err != nil || w.entered[real] {
		return nil, err
	}
	w.entered[real] = true
	return os.ReadDir(dir)
}

func (w *walker) entries(dir string, entries []fs.DirEntry) {
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			w.folder(path)
		case !w.wants(entry.Name()):
		case err != nil:
			w.broken(path, err)
		default:
			w.file(path)
		}
	}
}

func (w *walker) folder(path string) {
	if filepath.Base(path) == "testdata" {
		return
	}
	entries, err := w.enter(path)
	if err != nil {
		w.broken(path, err)
	}
	w.entries(path, entries)
}
