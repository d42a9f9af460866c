package eventlog

import (
	"fmt"
	"io"
	"strings"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Create makes a new log in dir, which must not exist or be empty, and opens it for writing. Close it.
func Create(dir string, o Options) (*Log, error) {
	l, err := newLog(dir, o)
	if err != nil {
		return nil, err
	}
	go newWriter(l).run()
	return l, nil
}

// newLog makes a log that has no writer yet.
func newLog(dir string, o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkEmpty(o.FS, dir); err != nil {
		return nil, err
	}
	l := &Log{
		dir:     dir,
		options: o,
		wake:    make(chan struct{}, 1),
		failed:  make(chan struct{}),
		done:    make(chan struct{}),
		next:    1,
	}
	if err := l.openStore(); err != nil {
		return nil, fmt.Errorf("eventlog: creating %s: %w", dir, explain(err))
	}
	l.open = l.takeFree()
	return l, nil
}

// checkEmpty refuses a folder with something in it.
func checkEmpty(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if oserror.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("eventlog: creating %s: %w", dir, err)
	}
	if len(names) > 0 {
		return fmt.Errorf("eventlog: creating %s: the folder is not empty (%s, ...): a log is never continued, name a new folder",
			dir, names[0])
	}
	return nil
}

// openStore creates the store and writes the format record.
func (l *Log) openStore() error {
	g := &guard{FS: l.options.FS, report: l.fail}
	fatal := func(err error) {
		l.fail(err)
		select {} // the store must not go on
	}
	options := storeOptions(g, storeLogger{l.options.Logger, fatal})
	options.MemTableSize = l.options.memTable
	return l.attempt(func() error {
		db, err := pebble.Open(l.dir, options)
		if err != nil {
			return err
		}
		if err := db.Set(formatKey, formatRecord(), pebble.Sync); err != nil {
			return closeAfter(err, db)
		}
		// The first write-ahead log of a new store is of an old format, in which damage is not told from a torn end.
		if err := db.Flush(); err != nil {
			return closeAfter(err, db)
		}
		l.store = &store{db: db, users: 1, close: func(db *pebble.DB) error {
			return l.attempt(func() error { return closeTidily(db, l.options.FS, l.dir) })
		}}
		return nil
	})
}

// attempt runs what writes to the disk, and returns early when writing fails: then f never returns.
func (l *Log) attempt(f func() error) error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	select {
	case err := <-result:
		return err
	case <-l.failed:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.reason
	}
}

// closeTidily closes a store of which all is in tables. Before, while it is locked, it removes the write-ahead logs: the one
// in use is empty, and those that Pebble kept to use their space again are most of the folder of a short log. Pebble may be removing
// some of them at the same time.
func closeTidily(db *pebble.DB, fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if err != nil {
		return closeAfter(err, db)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		if err := fs.Remove(fs.PathJoin(dir, name)); err != nil && !oserror.IsNotExist(err) {
			return closeAfter(err, db)
		}
	}
	return db.Close()
}

func closeAfter(err error, c io.Closer) error {
	_ = c.Close() // the first error counts
	return err
}
