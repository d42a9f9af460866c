package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// temporary is the file that a result is written to until it takes the place of the final one.
type temporary struct {
	path  string
	final string
	held  *os.File // holds the lock that tells that somebody writes the file
}

// createTemporary makes an empty file in the folder of the final one, with a name that no other file has. Those that were left behind are
// removed.
func createTemporary(final string) (temporary, error) {
	if err := checkFinal(final); err != nil {
		return temporary{}, err
	}
	removeStale(final)
	folder, name := filepath.Split(final)
	for n := 0; ; n++ {
		path := filepath.Join(folder, temporaryName(name, n))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return temporary{}, fmt.Errorf("cannot write beside %s: %w", final, err)
		}
		// Somebody may have taken it for one that was left behind, and remove it. Where there are no locks, nobody does.
		if !errors.Is(lock(f), errLocked) && stillAt(f, path) {
			return temporary{path: path, final: final, held: f}, nil
		}
		f.Close()
	}
}

// checkFinal refuses a name that a finished file could not take, or should not: with a journal of another
// program beside it, SQLite would apply that journal to the new file.
func checkFinal(final string) error {
	if filepath.Base(final) == "." || filepath.Base(final) == ".." || final == "" {
		return fmt.Errorf("%q is no name of a file", final)
	}
	if info, err := os.Stat(final); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: name another one", final)
	}
	for _, suffix := range []string{"-journal", "-wal"} {
		if info, err := os.Stat(final + suffix); err == nil && info.Size() > 0 {
			return fmt.Errorf("%s%s exists: a program has changed %s and not ended in order; close it, or remove both files", final, suffix, final)
		}
	}
	return nil
}

// publish makes the file durable and gives it the final name.
func (t temporary) publish() error {
	if err := checkFinal(t.final); err != nil {
		return err
	}
	if err := syncPath(t.path); err != nil {
		return err
	}
	if err := os.Rename(t.path, t.final); err != nil {
		return err
	}
	t.held.Close()
	return syncPath(filepath.Dir(t.final))
}

// remove deletes the file.
func (t temporary) remove() error {
	defer t.held.Close()
	err := os.Remove(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// syncPath forces a file, or the names in a folder, to disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
