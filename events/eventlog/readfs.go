package eventlog

import (
	"errors"
	"io"
	"io/fs"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// readFS is a file system from which a log is read. As a folder is never written again, a reader has no need of the lock, only
// of knowing that no writer holds it.
type readFS struct{ vfs.FS }

// lockMutex lets the readers of this process look for a writer one after the other, else they would take each other for one.
var lockMutex sync.Mutex

// Lock fails when another process, or a Log of this one, holds the lock. A folder that cannot be written needs no lock.
func (f readFS) Lock(name string) (io.Closer, error) {
	lockMutex.Lock()
	defer lockMutex.Unlock()
	lock, err := f.FS.Lock(name)
	switch {
	case err == nil:
		return notHeld{}, lock.Close()
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return notHeld{}, nil
	}
	return nil, err
}

// Unwrap returns the file system below.
func (f readFS) Unwrap() vfs.FS { return f.FS }

// notHeld is a lock that is not held.
type notHeld struct{}

// Close does nothing.
func (notHeld) Close() error { return nil }
