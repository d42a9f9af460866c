package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Whoever writes a temporary file holds its lock, which the system takes back when the process ends. A temporary file whose lock can be taken
// was left behind by a process that was killed.

var errLocked = errors.New("the file is locked")

// temporaryName is that of the n-th temporary file of a final one.
func temporaryName(name string, n int) string { return "." + name + "." + strconv.Itoa(n) + ".tmp" }

// isTemporaryOf reports that a name is that of a temporary file of a final one.
func isTemporaryOf(final, name string) bool {
	middle, ok := strings.CutPrefix(name, "."+final+".")
	number, tmp := strings.CutSuffix(middle, ".tmp")
	n, err := strconv.Atoi(number)
	return ok && tmp && err == nil && name == temporaryName(final, n)
}

// removeStale removes the temporary files of a final one that were left behind. What cannot be read or removed stays, since it is in nobody's
// way.
func removeStale(final string) {
	folder, name := filepath.Split(final)
	entries, _ := os.ReadDir(filepath.Clean(folder))
	for _, e := range entries {
		if e.Type().IsRegular() && isTemporaryOf(name, e.Name()) {
			removeUnlocked(filepath.Join(folder, e.Name()))
		}
	}
}

// removeUnlocked removes a file that nobody holds the lock of. Its lock is held meanwhile: one that is just being created is seen by its
// creator to have gone.
func removeUnlocked(path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if lock(f) == nil && stillAt(f, path) {
		_ = os.Remove(path)
	}
}

// stillAt reports that a file is the one at a path: it was not removed, nor did another take its place.
func stillAt(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(opened, named)
}
