package recorder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrDiskFull is wrapped by the error of a Run that ended in order because less was free than Settings.MinFree.
var ErrDiskFull = errors.New("too little is free on the disk")

// diskInterval is the time between two looks at the disk: at 100 MB a second 200 MB are written meanwhile.
const diskInterval = 2 * time.Second

// lowDisk is what was found on a disk with too little free.
type lowDisk struct {
	dir        string
	free, want ByteSize
}

// Error says what is wrong and what to do.
func (e *lowDisk) Error() string {
	return fmt.Sprintf("%v of %s: %s, and --min-free is %v; free some space, record elsewhere with --output, or lower --min-free", ErrDiskFull, e.dir, e.free.Rounded(), e.want)
}

// Unwrap is ErrDiskFull.
func (e *lowDisk) Unwrap() error { return ErrDiskFull }

// checkDisk looks whether enough is free where the event log is, or will be. The error is a *lowDisk, or says that this cannot be told.
func (r *Recorder) checkDisk() error {
	if r.settings.MinFree == 0 {
		return nil
	}
	dir := existing(r.settings.Events)
	free, err := r.deps.FreeSpace(dir)
	switch {
	case err != nil:
		return fmt.Errorf("what is free on the disk of %s cannot be read: %w", dir, err)
	case ByteSize(free) < r.settings.MinFree:
		return &lowDisk{dir: r.settings.Events, free: ByteSize(free), want: r.settings.MinFree}
	}
	return nil
}

// existing gives the nearest folder on the way up that exists.
func existing(dir string) string {
	for {
		_, err := os.Stat(dir)
		above := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || above == dir {
			return dir
		}
		dir = above
	}
}

// watchDisk ends ctx with a *lowDisk as its cause when too little is free. It gives up where that cannot be told.
func (r *run) watchDisk(ctx context.Context, end context.CancelCauseFunc) {
	ticker := time.NewTicker(diskInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := r.checkDisk()
		switch {
		case errors.Is(err, ErrDiskFull):
			end(err)
			return
		case err != nil:
			r.deps.Logger.Warn("--min-free is not watched", "error", err)
			return
		}
	}
}

// diskCause gives the *lowDisk that ended ctx, if one did.
func diskCause(ctx context.Context) error {
	if low, ok := errors.AsType[*lowDisk](context.Cause(ctx)); ok {
		return low
	}
	return nil
}

// logSize is what the event log takes on disk, as far as it can be read.
func (r *run) logSize() (size ByteSize) {
	entries, err := os.ReadDir(r.settings.Events)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += ByteSize(info.Size())
		}
	}
	return size
}
