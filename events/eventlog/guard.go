package eventlog

import (
	"fmt"
	"path"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guard is a file system that fails once. When writing fails, it reports the error, and neither this nor any later
// operation that writes returns: nothing is written after an error, and the store cannot act on one. (Its own answer
// to some errors is to end the process, and after a failed sync a second one may succeed without the data.) What the
// store then holds, its goroutines and the lock of the folder among them, stays until the process ends.
type guard struct {
	vfs.FS
	failed  atomic.Bool
	report  func(error)
	journal atomic.Int64 // bytes written to write-ahead logs
}

// enter is called before each operation that writes.
func (g *guard) enter() {
	if g.failed.Load() {
		select {}
	}
}

// leave is called after each operation that writes, with its error.
func (g *guard) leave(operation, name string, err error) error {
	if err == nil {
		return nil
	}
	g.failed.Store(true)
	g.report(fmt.Errorf("%s %s: %w", operation, name, err))
	select {}
}

func (g *guard) file(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || f == nil {
		return f, err
	}
	guarded := &guardedFile{File: f, guard: g, name: name}
	switch path.Ext(name) {
	case ".log":
		guarded.journal = true
	case ".sst":
		guarded.pace = newPace(&g.journal)
	}
	return guarded, nil
}

// Create creates a file.
func (g *guard) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	g.enter()
	f, err := g.FS.Create(name, category)
	return g.file(name, f, g.leave("create", name, err))
}

// OpenReadWrite opens a file for writing.
func (g *guard) OpenReadWrite(name string, category vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	g.enter()
	f, err := g.FS.OpenReadWrite(name, category, o...)
	return g.file(name, f, g.leave("open", name, err))
}

// ReuseForWrite renames a file and opens it for writing.
func (g *guard) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	g.enter()
	f, err := g.FS.ReuseForWrite(from, to, category)
	return g.file(to, f, g.leave("reuse", from, err))
}

// OpenDir opens a folder, to sync it.
func (g *guard) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	return g.file(name, f, err)
}

// Rename renames a file.
func (g *guard) Rename(from, to string) error {
	g.enter()
	return g.leave("rename", from, g.FS.Rename(from, to))
}

// Remove removes a file. A file that stays is no reason to stop.
func (g *guard) Remove(name string) error {
	g.enter()
	return g.FS.Remove(name)
}

// Unwrap returns the file system below.
func (g *guard) Unwrap() vfs.FS { return g.FS }

// guardedFile is a file of a guard.
type guardedFile struct {
	vfs.File
	guard   *guard
	name    string
	journal bool
	pace    *pace // of a table; nil for other files
}

// Write writes at the end.
func (f *guardedFile) Write(p []byte) (int, error) {
	if f.pace != nil {
		f.pace.wait(len(p))
	}
	f.guard.enter()
	n, err := f.File.Write(p)
	if f.journal {
		f.guard.journal.Add(int64(n))
	}
	return n, f.guard.leave("write", f.name, err)
}

// WriteAt writes at an offset.
func (f *guardedFile) WriteAt(p []byte, offset int64) (int, error) {
	f.guard.enter()
	n, err := f.File.WriteAt(p, offset)
	return n, f.guard.leave("write", f.name, err)
}

// Sync brings data and metadata to the disk.
func (f *guardedFile) Sync() error {
	f.guard.enter()
	return f.guard.leave("sync", f.name, f.File.Sync())
}

// SyncData brings the data to the disk.
func (f *guardedFile) SyncData() error {
	f.guard.enter()
	return f.guard.leave("sync", f.name, f.File.SyncData())
}

// SyncTo brings the first length bytes to the disk.
func (f *guardedFile) SyncTo(length int64) (bool, error) {
	f.guard.enter()
	full, err := f.File.SyncTo(length)
	return full, f.guard.leave("sync", f.name, err)
}

// Close closes the file.
func (f *guardedFile) Close() error {
	f.guard.enter()
	return f.guard.leave("close", f.name, f.File.Close())
}
